// A window with more runs of bytes than a map has extents is read and written anew with its flush.

import { expect, it } from 'vitest';
import type { FileSystem, NodeRef } from '../../src/fs/file-system.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import { SegmentReadError } from '../../src/kv/segment-store.ts';
import type { Volume } from '../../src/volume.ts';
import { openMemoryVolume, SUPERUSER, writeText } from '../snapshots/memory-volume.ts';

const MIB = 2 ** 20;
const APART = 3000;
const call = { caller: SUPERUSER };

interface Opened {
  readonly volume: Volume;
  readonly segments: MemorySegmentStore;
  readonly fileSystem: FileSystem;
  readonly node: NodeRef;
  readonly wanted: Buffer;
}

/** A file of one window that is stored, with more small writes waiting over it than its map has room for. */
async function scattered(): Promise<Opened> {
  const segments = new MemorySegmentStore();
  const volume = await openMemoryVolume({ segments });
  const { fileSystem } = volume.datasets.get('root')!;
  const node = await writeText(fileSystem, 'file', '');
  const wanted = Buffer.alloc(MIB, 'A');
  await fileSystem.write(call, node, 0, Buffer.from(wanted), false);
  await commit(fileSystem, node);
  for (let at = 1000; at < MIB - APART; at += APART) {
    await fileSystem.write(call, node, at, Buffer.alloc(100, 'B'), false);
    wanted.fill('B', at, at + 100);
  }
  return { volume, segments, fileSystem, node, wanted };
}

async function commit(fileSystem: FileSystem, node: NodeRef): Promise<void> {
  const { ticket } = await fileSystem.commit(call, node);
  await fileSystem.settled(ticket);
}

it('stays as it is where it cannot be read for the moment', async () => {
  const { volume, segments, fileSystem, node, wanted } = await scattered();
  const read = segments.read.bind(segments);
  let reads = 0;
  segments.read = (id, offset, length) => {
    if (reads++ === 0) throw new SegmentReadError('too many open files');
    return read(id, offset, length);
  };
  await commit(fileSystem, node);
  expect(reads).toBeGreaterThan(0);
  const { buffers } = await fileSystem.read(SUPERUSER, node, 0, MIB);
  expect(Buffer.concat(buffers).equals(wanted)).toBe(true);
  await volume.close();
});

it('a damaged block of it stays an error, and all else what it was', async () => {
  const { volume, segments, fileSystem, node, wanted } = await scattered();
  const [segment] = [...(await segments.list()).keys()];
  segments.read(segment!, 300_000, 1)[0]! ^= 1;
  await commit(fileSystem, node);
  let failed = 0;
  for (let at = 0; at < MIB; at += 512) {
    try {
      const { buffers } = await fileSystem.read(SUPERUSER, node, at, 512);
      expect(Buffer.concat(buffers).equals(wanted.subarray(at, at + 512))).toBe(true);
    } catch (error) {
      expect(error).toMatchObject({ code: 'EIO' });
      failed++;
    }
  }
  expect(failed).toBeGreaterThan(0);
  expect(failed).toBeLessThanOrEqual(4096 / 512 + 1);
  await volume.close();
});
