// ctime strictly increases, and none of a branch that a rollback has given up comes again: not after a restart either, and
// not where the clock was set back meanwhile.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import type { Attributes, NodeRef } from '../../src/fs/file-system.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import type { Volume } from '../../src/volume.ts';
import { RecordingMetaStore } from '../kv/recording-meta-store.ts';
import { openMemoryVolume, SUPERUSER, writeText } from './memory-volume.ts';

const call = { caller: SUPERUSER };
const HOUR = 3600;

/** Stands still, but for what a test sets. */
let seconds: number;
const clock: Clock = {
  now: () => ({ seconds, nanoseconds: 0 }),
  elapsedMs: () => seconds * 1000,
  after: () => ({ cancel() {} }),
};
let meta: RecordingMetaStore;
let segments: MemorySegmentStore;
let volume: Volume;
let seen: Set<string>;
let file: NodeRef;

beforeEach(async () => {
  seconds = 1_700_000_000;
  meta = new RecordingMetaStore();
  segments = new MemorySegmentStore();
  volume = await openMemoryVolume({ meta, segments, clock });
  seen = new Set();
  await volume.datasets.create('d', {});
  file = await writeText(live(), 'file', 'text');
  await volume.snapshots.create('d', 's', {});
});

function live() {
  return volume.datasets.get('d')!.fileSystem;
}

function see({ ctimeSeconds, ctimeNanoseconds }: Attributes): void {
  const time = `${ctimeSeconds}.${ctimeNanoseconds}`;
  expect(seen).not.toContain(time);
  seen.add(time);
}

async function change(): Promise<void> {
  const { result, ticket } = await live().setattr(call, file, { mode: 0o600 });
  await live().settled(ticket);
  see(result.after);
}

async function seeRoot(): Promise<void> {
  see(await live().root());
}

async function stop(): Promise<void> {
  await volume.close();
  volume = await openMemoryVolume({ meta, segments, clock });
}

/** What was written by now is all that the next process finds. */
async function crash(): Promise<void> {
  meta = await meta.after(meta.batches.length);
  volume = await openMemoryVolume({ meta, segments, clock });
}

describe.each([
  ['a stop', stop],
  ['a crash', crash],
])('after %s, with the clock set back', (_, restart) => {
  it('a change after a rollback has a ctime that the given-up branch never had', async () => {
    for (let i = 0; i < 3; i++) await change();
    await volume.snapshots.rollback('d@s', true);
    await restart();
    seconds -= HOUR;
    for (let i = 0; i < 3; i++) await change();
  });

  it('a rollback knows the ctimes of earlier runs', async () => {
    for (let i = 0; i < 3; i++) await change();
    await restart();
    seconds -= HOUR;
    await volume.snapshots.rollback('d@s', true);
    for (let i = 0; i < 3; i++) await change();
  });

  it('a detached dataset still does', async () => {
    for (let i = 0; i < 3; i++) await change();
    await volume.snapshots.rollback('d@s', true);
    await volume.detaches.start('d');
    await volume.detaches.idle();
    await restart();
    seconds -= HOUR;
    for (let i = 0; i < 3; i++) await change();
  });

  it('the root of one with nested datasets has a new ctime after each rollback', async () => {
    await volume.datasets.create('d/one', {});
    await seeRoot();
    await restart();
    seconds -= HOUR;
    await volume.snapshots.rollback('d@s', true);
    await seeRoot();
    await volume.datasets.create('d/two', {});
    await seeRoot();
    await volume.snapshots.rollback('d@s', true);
    await seeRoot();
  });
});

it('the clock goes on to count where it is later', async () => {
  await change();
  await stop();
  seconds += HOUR;
  await volume.snapshots.rollback('d@s', true);
  await change();
  expect(seen).toContain(`${seconds}.0`);
});
