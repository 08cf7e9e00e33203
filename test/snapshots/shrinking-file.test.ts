// A file that becomes smaller over very many windows does so by steps. What is kept of its dataset meanwhile shows it
// as it was before or as it is afterwards.

import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FileSystem, NodeRef } from '../../src/fs/file-system.ts';
import type { Volume } from '../../src/volume.ts';
import { openMemoryVolume, SUPERUSER } from './memory-volume.ts';

const WINDOW_BYTES = 2 ** 20;
const WINDOWS = 400;
const NAMES = ['d', 'd/inner'];
const call = { caller: SUPERUSER };

let volume: Volume;
let files: Map<string, NodeRef>;

beforeEach(async () => {
  volume = await openMemoryVolume();
  files = new Map();
  for (const name of NAMES) {
    await volume.datasets.create(name, {});
    files.set(name, await largeFile(volume.datasets.get(name)!.fileSystem));
  }
});
afterEach(() => volume.close());

async function largeFile(fileSystem: FileSystem): Promise<NodeRef> {
  const how = { mode: 'guarded', changes: {} } as const;
  const { node } = (await fileSystem.create(call, await fileSystem.root(), Buffer.from('large'), how)).result;
  const byte = Buffer.from('x');
  for (let at = 0; at < WINDOWS; at++) await fileSystem.write(call, node, at * WINDOW_BYTES, byte, false);
  const { ticket } = await fileSystem.commit(call, node);
  await fileSystem.settled(ticket);
  return node;
}

async function shrink(name: string, windows: number): Promise<void> {
  const { fileSystem } = volume.datasets.get(name)!;
  const size = windows * WINDOW_BYTES;
  const { ticket } = await fileSystem.setattr(call, files.get(name)!, { size });
  await fileSystem.settled(ticket);
}

/** In windows. */
async function sizeIn(fileSystem: FileSystem, name: string): Promise<number> {
  const { size } = await fileSystem.attributes(files.get(name)!);
  return Math.ceil(size / WINDOW_BYTES);
}

function snapshot(name: string, snapshotName: string): FileSystem {
  return volume.snapshots.find(volume.datasets.get(name)!.id, snapshotName)!.fileSystem;
}

/** One turn after the other, so that nothing has gone further than it must. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Promise.resolve();
}

it('a snapshot waits for the shrinks under way, of all its datasets', async () => {
  const shrinking = NAMES.map((name) => shrink(name, 3));
  await volume.snapshots.create('d', 's', { recursive: true });
  for (const name of NAMES) expect(await sizeIn(snapshot(name, 's'), name)).toBe(3);
  await Promise.all(shrinking);
});

it('a snapshot that is asked for when some steps are taken does not show them', async () => {
  const { fileSystem } = volume.datasets.get('d')!;
  const shrinking = shrink('d', 3);
  while ((await sizeIn(fileSystem, 'd')) === WINDOWS) await Promise.resolve();
  expect(await sizeIn(fileSystem, 'd')).toBeGreaterThan(3 + 64);
  await volume.snapshots.create('d', 's', {});
  expect(await sizeIn(snapshot('d', 's'), 'd')).toBe(3);
  await shrinking;
});

it('a snapshot comes before the shrinks that begin while it waits, however many', async () => {
  const first = shrink('d', 300);
  const taken = volume.snapshots.create('d', 's', { recursive: true });
  await until(() => volume.datasets.context.catalog.get('d').tree.pauses.size > 0);
  const others = [shrink('d/inner', 3), shrink('d', 3)];
  await taken;
  expect(await sizeIn(snapshot('d', 's'), 'd')).toBe(300);
  expect(await sizeIn(snapshot('d/inner', 's'), 'd/inner')).toBe(WINDOWS);
  await Promise.all([first, ...others]);
  for (const name of NAMES) expect(await sizeIn(volume.datasets.get(name)!.fileSystem, name)).toBe(3);
});

it('a clone of the dataset as it is waits for them', async () => {
  const shrinking = shrink('d', 3);
  await volume.snapshots.clone('d', 'copy', {});
  expect(await sizeIn(volume.datasets.get('copy')!.fileSystem, 'd')).toBe(3);
  await shrinking;
});

it('what a rollback keeps of the state before waits for them', async () => {
  await volume.snapshots.create('d', 'full', {});
  const shrinking = shrink('d', 3);
  const { before } = await volume.snapshots.rollback('d@full', false);
  expect(await sizeIn(snapshot('d', before!.slice(2)), 'd')).toBe(3);
  await shrinking;
  expect(await sizeIn(volume.datasets.get('d')!.fileSystem, 'd')).toBe(WINDOWS);
});
