import { expect, it } from 'vitest';
import type { NodeRef } from '../../src/fs/file-system.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import type { SegmentWriter } from '../../src/kv/segment-store.ts';
import type { Volume } from '../../src/volume.ts';
import { ManualClock } from '../nfs/manual-clock.ts';
import { openMemoryVolume, SUPERUSER, writeText } from '../snapshots/memory-volume.ts';

const MIB = 2 ** 20;
const FILES = 160;

/** Half a minute in which nobody does anything. */
async function rest({ reclaimer }: Volume, clock: ManualClock): Promise<void> {
  for (let round = 0; round < 30; round++) {
    clock.advance(1000);
    await reclaimer.idle();
  }
}

it('moves what is live out of segments that are less than half dead, once all is quiet', async () => {
  const clock = new ManualClock();
  const segments = new MemorySegmentStore();
  const volume = await openMemoryVolume({ clock, segments });
  const { fileSystem } = volume.datasets.get('root')!;
  for (let number = 0; number < FILES; number++) await writeText(fileSystem, `${number}`, 'x'.repeat(MIB));
  const root = await fileSystem.root();
  for (let number = 0; number < FILES; number += 3)
    await fileSystem.remove({ caller: SUPERUSER }, root, Buffer.from(`${number}`));
  const liveMiB = Math.floor((FILES * 2) / 3);
  const storedMiB = async () =>
    [...(await segments.list()).values()].reduce((sum, bytes) => sum + bytes, 0) / MIB;
  await rest(volume, clock);
  expect(await storedMiB()).toBeLessThan(liveMiB * 1.05 + 5);
  expect(volume.reclaimer.statistics.framesMoved).toBeGreaterThan(0);
  await volume.close();
}, 60_000);

/** A disk that is nearly full, or not. */
class SmallSegmentStore extends MemorySegmentStore {
  free = Number.POSITIVE_INFINITY;

  override async freeBytes(): Promise<number> {
    return this.free;
  }
}

it('copies nothing on a disk that the copies would fill, and goes on when there is room', async () => {
  const clock = new ManualClock();
  const segments = new SmallSegmentStore();
  const volume = await openMemoryVolume({ clock, segments });
  const { fileSystem } = volume.datasets.get('root')!;
  for (let number = 0; number < FILES; number++) await writeText(fileSystem, `${number}`, 'x'.repeat(MIB));
  const root = await fileSystem.root();
  // Less than the copies of one segment and what is to stay free for the store.
  segments.free = 40 * MIB;
  for (let number = 0; number < FILES; number++)
    if (number % 5 > 1) await fileSystem.remove({ caller: SUPERUSER }, root, Buffer.from(`${number}`));
  await rest(volume, clock);
  expect(volume.reclaimer.statistics.framesMoved).toBe(0);
  segments.free = 100 * MIB;
  await fileSystem.remove({ caller: SUPERUSER }, root, Buffer.from('0'));
  await rest(volume, clock);
  expect(volume.reclaimer.statistics.framesMoved).toBeGreaterThan(0);
  await volume.close();
}, 60_000);

/** A medium that takes bytes and never makes them durable. */
class UnsyncedSegmentStore extends MemorySegmentStore {
  fails = false;

  override async create(id: number): Promise<SegmentWriter> {
    const writer = await super.create(id);
    const sync = async () => {
      if (this.fails) throw new Error('the medium does not sync');
      await writer.sync();
    };
    return Object.assign(Object.create(writer), { sync }) as SegmentWriter;
  }
}

it('deletes the segments that flushes have failed to write, attempt after attempt', async () => {
  const clock = new ManualClock();
  const segments = new UnsyncedSegmentStore();
  const volume = await openMemoryVolume({ clock, segments });
  const { fileSystem } = volume.datasets.get('root')!;
  segments.fails = true;
  await writeText(fileSystem, 'file', 'x'.repeat(MIB), false);
  let most = 0;
  for (let second = 0; second < 60; second++) {
    clock.advance(1000);
    await volume.reclaimer.idle();
    most = Math.max(most, (await segments.list()).size);
  }
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(5);
  segments.fails = false;
  await rest(volume, clock);
  expect((await segments.list()).size).toBe(1);
  await volume.close();
});

it('leaves every file as it is when its bytes move again', async () => {
  const clock = new ManualClock();
  const volume = await openMemoryVolume({ clock });
  const { fileSystem } = volume.datasets.get('root')!;
  const root = await fileSystem.root();
  const files = new Map<number, { readonly node: NodeRef; readonly text: string }>();
  for (let number = 0; number < FILES; number++) {
    const text = `${number} `.repeat(250_000);
    files.set(number, { text, node: await writeText(fileSystem, `${number}`, text) });
  }
  for (const every of [3, 2, 2]) {
    const moved = volume.reclaimer.statistics.framesMoved;
    for (const [at, number] of [...files.keys()].entries()) {
      if (at % every > 0) continue;
      await fileSystem.remove({ caller: SUPERUSER }, root, Buffer.from(`${number}`));
      files.delete(number);
    }
    await rest(volume, clock);
    expect(volume.reclaimer.statistics.framesMoved).toBeGreaterThan(moved);
    for (const [number, { node, text }] of files) {
      const { buffers } = await fileSystem.read(SUPERUSER, node, 0, text.length);
      expect(Buffer.concat(buffers).equals(Buffer.from(text)), `file ${number}`).toBe(true);
    }
  }
  await volume.close();
}, 60_000);
