import { expect, it } from 'vitest';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import { ManualClock } from '../nfs/manual-clock.ts';
import { openMemoryVolume, SUPERUSER, writeText } from '../snapshots/memory-volume.ts';

const MIB = 2 ** 20;
const FILES = 160;

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
  for (let round = 0; round < 30; round++) {
    clock.advance(1000);
    await volume.reclaimer.idle();
  }
  expect(await storedMiB()).toBeLessThan(liveMiB * 1.05 + 5);
  expect(volume.reclaimer.statistics.framesMoved).toBeGreaterThan(0);
  await volume.close();
}, 60_000);
