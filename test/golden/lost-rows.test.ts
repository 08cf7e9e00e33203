// The rows that say which numbers were never given are lost, or older ones come back, as after a damaged block of
// LevelDB: no number is given twice for that.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkVolume } from '../../src/datasets/check/check-volume.ts';
import type { Caller } from '../../src/fs/file-system.ts';
import { keys } from '../../src/kv/keys.ts';
import { LevelMetaStore } from '../../src/kv/level-meta-store.ts';
import { VolumeError } from '../../src/kv/volume-error.ts';
import type { Volume } from '../../src/volume.ts';
import { openGolden } from './open-golden.ts';

const ROOT: Caller = { uid: 0, gid: 0, groups: [] };
const GOLDEN = join(import.meta.dirname, 'format-1/volume');
const BYTES = 200_000;

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'cairn-lost-rows-'));
  cpSync(GOLDEN, path, { recursive: true });
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

async function inVolume<T>(
  use: (volume: Volume) => Promise<T>,
  repair = false,
  logged: (message: string) => void = () => {},
): Promise<T> {
  const { volume, close } = await openGolden(path, logged, repair);
  try {
    return await use(volume);
  } finally {
    await close();
  }
}

async function writeFile(volume: Volume, dataset: string, name: string, fill: number): Promise<number> {
  const { fileSystem } = volume.datasets.get(dataset)!;
  const root = await fileSystem.root();
  const how = { mode: 'guarded', changes: { mode: 0o644 } } as const;
  const { result } = await fileSystem.create({ caller: ROOT }, root, Buffer.from(name), how);
  await fileSystem.write({ caller: ROOT }, result.node, 0, Buffer.alloc(BYTES, fill), true);
  return result.node.ino;
}

async function readFile(volume: Volume, dataset: string, name: string): Promise<Buffer> {
  const { fileSystem } = volume.datasets.get(dataset)!;
  const node = (await fileSystem.lookup(ROOT, await fileSystem.root(), Buffer.from(name)))!;
  const { buffers } = await fileSystem.read(ROOT, node, 0, BYTES);
  return Buffer.concat(buffers);
}

async function findings(volume: Volume): Promise<string[]> {
  const found: string[] = [];
  for await (const event of checkVolume(volume, { path: undefined, repair: false }))
    if ('finding' in event) found.push(event.finding.message);
  return found;
}

/** As a repair of LevelDB leaves it; `value` is an older one that comes back. */
async function lose(name: string, value?: Buffer): Promise<void> {
  const level = await LevelMetaStore.open(join(path, 'meta'), { create: false });
  const key = keys.system.key(name);
  await level.write([value ? { key, value } : { key, value: null }], true);
  await level.close();
}

async function stored(name: string): Promise<Buffer> {
  const level = await LevelMetaStore.open(join(path, 'meta'), { create: false });
  const value = level.get(keys.system.key(name))!;
  await level.close();
  return value;
}

async function refusal(): Promise<VolumeError> {
  const error = await inVolume(async () => undefined).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(VolumeError);
  return error as VolumeError;
}

describe.each(['next/ino/0', 'next/data', 'next/tree', 'next/dataset'])('without its row %s', (name) => {
  it('a volume is refused, and with repair goes on behind all that is in use', async () => {
    const first = await inVolume((volume) => writeFile(volume, 'root', 'old', 1));
    await lose(name);
    const error = await refusal();
    expect(error.code).toBe('DAMAGED');
    expect(error.mendable).toBe(true);
    expect(error.message).toMatch(/start with --repair: then .* behind .* in use/);
    const second = await inVolume((volume) => writeFile(volume, 'root', 'new', 2), true);
    expect(second).toBeGreaterThan(first);
    await inVolume(async (volume) => {
      expect((await readFile(volume, 'root', 'old')).equals(Buffer.alloc(BYTES, 1))).toBe(true);
      expect((await readFile(volume, 'root', 'new')).equals(Buffer.alloc(BYTES, 2))).toBe(true);
      await volume.datasets.create('another', {});
      await writeFile(volume, 'another', 'file', 3);
      expect(await findings(volume)).toEqual([]);
    });
  });
});

it('an older row is found as well, whatever has been taken since', async () => {
  const before = await stored('next/ino/0');
  await inVolume(async (volume) => {
    for (let file = 0; file < 4200; file++) {
      const { fileSystem } = volume.datasets.get('root')!;
      const how = { mode: 'guarded', changes: {} } as const;
      await fileSystem.create({ caller: ROOT }, await fileSystem.root(), Buffer.from(`file ${file}`), how);
    }
  });
  await lose('next/ino/0', before);
  expect((await refusal()).message).toContain(
    "the row 'next/ino/0', which numbers new files of the dataset root",
  );
  const logged: string[] = [];
  await inVolume(
    (volume) => findings(volume),
    true,
    (message) => logged.push(message),
  );
  expect(logged.join()).toContain('goes on from');
  await inVolume(async (volume) => expect(await findings(volume)).toEqual([]));
});

it('numbers that only a snapshot still has, or a head before a rollback, are in use', async () => {
  const before = await stored('next/ino/0');
  await inVolume(async (volume) => {
    await volume.snapshots.create('root', 'empty', {});
    const { fileSystem } = volume.datasets.get('root')!;
    for (let file = 0; file < 4200; file++) {
      const how = { mode: 'guarded', changes: {} } as const;
      await fileSystem.create({ caller: ROOT }, await fileSystem.root(), Buffer.from(`file ${file}`), how);
    }
    await volume.snapshots.rollback('root@empty', false);
  });
  await lose('next/ino/0', before);
  expect((await refusal()).mendable).toBe(true);
  await inVolume(async () => {}, true);
  await inVolume(async (volume) => expect(await findings(volume)).toEqual([]));
});

it('a clone is not hurt by what its origin has numbered since, and finds its own row lost', async () => {
  await inVolume(async (volume) => {
    await volume.snapshots.clone('root', 'clone', {});
    const { fileSystem } = volume.datasets.get('root')!;
    for (let file = 0; file < 9000; file++) {
      const how = { mode: 'guarded', changes: {} } as const;
      await fileSystem.create({ caller: ROOT }, await fileSystem.root(), Buffer.from(`file ${file}`), how);
    }
  });
  const id = await inVolume(async (volume) => volume.datasets.get('clone')!.id);
  await lose(`next/ino/${id}`);
  expect((await refusal()).message).toContain(`next/ino/${id}`);
  await inVolume((volume) => writeFile(volume, 'clone', 'new', 4), true);
  await inVolume(async (volume) => expect(await findings(volume)).toEqual([]));
});

it('a segment whose row is lost keeps its file, and all that it holds is read after a repair', async () => {
  await inVolume(async (volume) => {
    await writeFile(volume, 'root', 'old', 1);
    await volume.snapshots.create('root', 'kept', {});
  });
  const level = await LevelMetaStore.open(join(path, 'meta'), { create: false });
  for await (const [key] of level.rows(keys.segment.range())) await level.write([{ key, value: null }], true);
  await level.close();
  await inVolume((volume) => writeFile(volume, 'root', 'new', 2), true);
  await inVolume(async (volume) => {
    expect((await readFile(volume, 'root', 'old')).equals(Buffer.alloc(BYTES, 1))).toBe(true);
    expect(await findings(volume)).toEqual([]);
  });
});

it('a registry that is gone altogether is not begun anew over the files that are there', async () => {
  await inVolume(async () => {});
  const level = await LevelMetaStore.open(join(path, 'meta'), { create: false });
  for (const family of [keys.dataset, keys.datasetRegistry])
    for await (const [key] of level.rows(family.range())) await level.write([{ key, value: null }], true);
  await level.write([{ key: keys.system.key('next/dataset'), value: null }], true);
  await level.close();
  await expect(inVolume(async () => {}, true)).rejects.toThrow('there is none, and there are files');
});
