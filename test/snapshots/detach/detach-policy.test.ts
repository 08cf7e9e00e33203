import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkVolume } from '../../../src/datasets/check/check-volume.ts';
import { depthOf } from '../../../src/fs/detach/depth.ts';
import type { FileSystem } from '../../../src/fs/file-system.ts';
import { keys } from '../../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../../src/kv/memory-segment-store.ts';
import type { Write } from '../../../src/kv/meta-store.ts';
import { DEPTH_MAX } from '../../../src/snapshots/detach/detach-policy.ts';
import type { Volume } from '../../../src/volume.ts';
import { type Walk, walk } from '../../fs/views/walk.ts';
import { ManualClock } from '../../nfs/manual-clock.ts';
import { openMemoryVolume, SUPERUSER, writeText } from '../memory-volume.ts';

const CHAIN = 20;
const FILES = 8;
const FILE_BYTES = 100_000;
const call = { caller: SUPERUSER };

/** Tells of the row of a job in the turn in which it is written. */
class TellingMetaStore extends MemoryMetaStore {
  onJob = () => {};

  override write(batch: readonly Write[], durable: boolean): Promise<void> {
    if (batch.some(({ key, value }) => key[0] === keys.job.prefix && value)) this.onJob();
    return super.write(batch, durable);
  }
}

let clock: ManualClock;
let volume: Volume;
let stores: { readonly meta: TellingMetaStore; readonly segments: MemorySegmentStore };

beforeEach(async () => {
  clock = new ManualClock();
  stores = { meta: new TellingMetaStore(), segments: new MemorySegmentStore() };
  volume = await openMemoryVolume({ ...stores, clock });
});
afterEach(() => volume.close());

function fileSystem(name: string): FileSystem {
  return volume.datasets.get(name)!.fileSystem;
}

async function write(dataset: string, from: number, to: number, seed: number): Promise<void> {
  const files = fileSystem(dataset);
  for (let at = from; at < to; at++) {
    const node = await writeText(files, `f${at}`, '');
    await files.write(call, node, 0, Buffer.alloc(FILE_BYTES, seed + at), false);
    await files.settled((await files.commit(call, node)).ticket);
  }
}

/** The background comes to its end, with what the policy begins by itself. */
async function rest(): Promise<void> {
  const { sweeps, trees, store, reclaimer, detachPolicy, snapshots } = volume;
  for (let round = 0; round < 4; round++) {
    await store.idle();
    await snapshots.idle();
    await sweeps.idle();
    await trees.drained();
    reclaimer.wake();
    await reclaimer.idle();
    // More than it waits after a generation has lost a holder.
    clock.advance(2000);
    await detachPolicy.idle();
  }
}

async function shown(): Promise<ReadonlyMap<string, Walk>> {
  const seen = new Map<string, Walk>();
  for (const { name } of volume.datasets.list()) seen.set(name, await walk(fileSystem(name)));
  return seen;
}

function jobs(): string[] {
  return volume.detaches.jobs
    .jobs()
    .map(({ kind, subject, state }) => `${kind} ${subject.split(' ')[0]} ${state}`);
}

function diskBytes(): number {
  let bytes = 0;
  for (const { liveBytes } of volume.store.live.segments.values()) bytes += liveBytes;
  return bytes;
}

async function findings(): Promise<unknown[]> {
  const found = [];
  for await (const report of checkVolume(volume, { path: undefined, repair: false }))
    if (!('summary' in report)) found.push(report);
  return found;
}

async function chainOf(length: number): Promise<void> {
  await volume.datasets.create('c0', {});
  await write('c0', 0, 2, 1);
  for (let at = 1; at <= length; at++) {
    await volume.snapshots.clone(`c${at - 1}`, `c${at}`, {});
    await writeText(fileSystem(`c${at}`), 'own', `clone ${at}`);
  }
}

function depths(): number[] {
  const trees = volume.datasets.list().map(({ id }) => volume.datasets.context.catalog.findId(id)!.tree);
  return trees.map((tree) => depthOf(volume.store, tree));
}

describe('a chain of clones of clones', () => {
  it(`is cut by itself where it is longer than ${DEPTH_MAX}, and every dataset shows the same`, async () => {
    await chainOf(CHAIN);
    const before = await shown();
    const bytes = diskBytes();
    expect(Math.max(...depths())).toBe(CHAIN);
    await rest();
    expect(jobs()).toEqual(['flatten c17 done']);
    expect(Math.max(...depths())).toBe(DEPTH_MAX);
    expect(await shown()).toEqual(before);
    // Frames are shared as before.
    expect(diskBytes()).toBe(bytes);
    expect(await findings()).toEqual([]);
    await volume.close();
    volume = await openMemoryVolume({ ...stores, clock });
    expect(Math.max(...depths())).toBe(DEPTH_MAX);
    expect(await shown()).toEqual(before);
  });

  it('is left as it is up to that', async () => {
    await chainOf(DEPTH_MAX);
    await rest();
    expect(jobs()).toEqual([]);
    expect(Math.max(...depths())).toBe(DEPTH_MAX);
  });
});

/** `clones` of one snapshot of a dataset, both gone, each with so many of its files written anew. */
async function orphans(clones: readonly string[], rewritten: number): Promise<number> {
  await volume.datasets.create('origin', {});
  await write('origin', 0, FILES, 1);
  const bytes = diskBytes();
  await volume.snapshots.create('origin', 's', {});
  for (const clone of clones) {
    await volume.snapshots.clone('origin@s', clone, {});
    await write(clone, 0, rewritten, 101);
  }
  await volume.datasets.delete('origin', true);
  return bytes;
}

function parentOf(name: string): unknown {
  return volume.datasets.context.catalog.get(name).tree.parent;
}

describe('a clone whose origin is gone', () => {
  it('becomes independent by itself when that gives back more than it inherits', async () => {
    const bytes = await orphans(['clone'], 5);
    const before = await shown();
    await rest();
    expect(jobs()).toEqual(['detach clone done']);
    expect(parentOf('clone')).toBeNull();
    expect(diskBytes()).toBe(bytes);
    expect(await shown()).toEqual(before);
    expect(await findings()).toEqual([]);
  });

  it('stays as it is while it inherits all that is kept for it, until something of it is written anew', async () => {
    await orphans(['clone'], 0);
    await rest();
    expect(jobs()).toEqual([]);
    expect(parentOf('clone')).not.toBeNull();
    await write('clone', 0, 1, 101);
    // Nothing tells of writes: the next look does, when what was counted is old.
    clock.advance(600_000);
    await rest();
    expect(jobs()).toEqual(['detach clone done']);
  });

  it('stays as it is while a snapshot of the origin is there', async () => {
    await volume.datasets.create('origin', {});
    await write('origin', 0, FILES, 1);
    await volume.snapshots.create('origin', 's', {});
    await volume.snapshots.clone('origin@s', 'clone', {});
    await write('clone', 0, FILES, 101);
    await write('origin', 0, FILES, 51);
    await rest();
    expect(jobs()).toEqual([]);
    await volume.snapshots.delete('origin@s');
    await rest();
    expect(jobs()).toEqual(['detach clone done']);
  });

  it('counts what its own snapshots inherit', async () => {
    await volume.datasets.create('origin', {});
    await write('origin', 0, FILES, 1);
    await volume.snapshots.clone('origin', 'clone', {});
    await volume.snapshots.create('clone', 'early', {});
    await write('clone', 0, FILES, 101);
    await volume.datasets.delete('origin', true);
    await rest();
    expect(jobs()).toEqual([]);
    await volume.snapshots.delete('clone@early');
    clock.advance(600_000);
    await rest();
    expect(jobs()).toEqual(['detach clone done']);
  });

  it('is detached with the others of its generation when that is worth it for all of them together', async () => {
    const bytes = await orphans(['a', 'b', 'c'], 6);
    await rest();
    expect(jobs()).toEqual(['detach a done', 'detach b done', 'detach c done']);
    expect(diskBytes()).toBe(3 * bytes);
  });

  it('is left alone with the others when together they would copy more', async () => {
    await orphans(['a', 'b', 'c'], 5);
    await rest();
    expect(jobs()).toEqual([]);
  });

  it('is left alone when somebody has called its job off', async () => {
    await orphans(['clone'], 5);
    stores.meta.onJob = () => void volume.jobs.cancel(volume.detaches.jobs.jobs()[0]!.id);
    await rest();
    clock.advance(7_200_000);
    await rest();
    expect(jobs()).toEqual(['detach clone cancelled']);
  });

  it('is left alone where the configuration says so', async () => {
    await volume.close();
    volume = await openMemoryVolume({ ...stores, clock, settings: { autoDetach: false } });
    await orphans(['clone'], FILES);
    await rest();
    expect(jobs()).toEqual([]);
  });
});

it('a dataset that was rolled back lets go of what was before when nobody keeps that and it is written anew', async () => {
  await volume.datasets.create('d', {});
  await write('d', 0, FILES, 1);
  const bytes = diskBytes();
  await volume.snapshots.create('d', 's', {});
  await write('d', 0, FILES, 51);
  await volume.snapshots.rollback('d@s', true);
  await volume.snapshots.delete('d@s');
  await write('d', 0, FILES, 101);
  await rest();
  expect(jobs()).toEqual(['detach d done']);
  expect(diskBytes()).toBe(bytes);
});
