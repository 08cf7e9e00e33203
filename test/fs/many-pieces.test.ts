// Data that waits in very many small pieces, or in very many windows of a file.

import { expect, it } from 'vitest';
import type { FileSystem, NodeRef } from '../../src/fs/file-system.ts';
import { lentBuffers } from '../../src/lent-buffers.ts';
import { openMemoryVolume, SUPERUSER, writeText } from '../snapshots/memory-volume.ts';

const MIB = 2 ** 20;
const call = { caller: SUPERUSER };

async function writeAt(fileSystem: FileSystem, node: NodeRef, offset: number, byte: number): Promise<void> {
  await fileSystem.write(call, node, offset, Buffer.of(byte), false);
}

it('a READ over very many pieces is one buffer, with holes and stored bytes between them', async () => {
  const volume = await openMemoryVolume();
  const { fileSystem } = volume.datasets.get('root')!;
  const node = await writeText(fileSystem, 'file', 's'.repeat(20_000));
  const wanted = Buffer.concat([Buffer.alloc(20_000, 's'), Buffer.alloc(20_000)]);
  for (let at = 0; at < wanted.length; at += 20) {
    await writeAt(fileSystem, node, at, at % 251);
    wanted[at] = at % 251;
  }
  const size = wanted.length - 19;
  const { buffers, count } = await fileSystem.read(SUPERUSER, node, 0, MIB);
  expect(count).toBe(size);
  expect(buffers.length).toBe(1);
  expect(buffers[0]!.equals(wanted.subarray(0, size))).toBe(true);
  await volume.close();
});

it('a flush takes a file of many windows part by part, and a COMMIT waits for all of them', async () => {
  const volume = await openMemoryVolume();
  const { fileSystem } = volume.datasets.get('root')!;
  const node = await writeText(fileSystem, 'file', 'first');
  const before = volume.writeBack.statistics.flushes;
  const windows = 1000;
  for (let window = windows; window > 0; window--)
    await writeAt(fileSystem, node, window * MIB, window % 251);
  const { ticket } = await fileSystem.commit(call, node);
  await fileSystem.settled(ticket);
  expect(volume.writeBack.statistics.flushes - before).toBeGreaterThanOrEqual(windows / 128);
  expect(volume.writeBack.dirtyBytes).toBe(0);
  for (let window = 1; window <= windows; window += 37) {
    const { buffers } = await fileSystem.read(SUPERUSER, node, window * MIB - 1, 3);
    const end = window === windows ? [] : [0];
    expect([...Buffer.concat(buffers)]).toEqual([0, window % 251, ...end]);
  }
  await volume.close();
});

it('a WRITE over two windows of which one flush takes the first keeps its buffer for the other', async () => {
  const volume = await openMemoryVolume();
  const { fileSystem } = volume.datasets.get('root')!;
  const node = await writeText(fileSystem, 'file', 'first');
  for (let window = 1; window <= 127; window++) await writeAt(fileSystem, node, window * MIB, 1);
  // As it comes from the network: a large WRITE is kept where it was received.
  const bytes = 128 * 1024;
  const data = lentBuffers.take(bytes).fill('A');
  const offset = 201 * MIB - bytes / 2;
  await fileSystem.write(call, node, offset, data, false);
  lentBuffers.overwriteGiven = true;
  const { ticket } = await fileSystem.commit(call, node);
  await fileSystem.settled(ticket);
  lentBuffers.overwriteGiven = false;
  const { buffers } = await fileSystem.read(SUPERUSER, node, offset, bytes);
  expect(Buffer.concat(buffers).equals(Buffer.alloc(bytes, 'A'))).toBe(true);
  await volume.close();
});

it('what nobody commits is flushed in the background, all of it', async () => {
  const volume = await openMemoryVolume({ settings: { dirtyBytesMax: 8 * MIB } });
  const { fileSystem } = volume.datasets.get('root')!;
  const node = await writeText(fileSystem, 'file', 'first');
  // Each waits while the budget is full.
  for (let window = 1; window <= 5000; window++) await writeAt(fileSystem, node, window * MIB, 1);
  expect(volume.writeBack.dirtyBytes).toBeLessThanOrEqual(8 * MIB);
  const { ticket } = await fileSystem.commit(call, node);
  await fileSystem.settled(ticket);
  expect(volume.writeBack.dirtyBytes).toBe(0);
  await volume.close();
});
