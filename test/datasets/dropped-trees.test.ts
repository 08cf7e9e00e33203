import { describe, expect, it } from 'vitest';
import { keys } from '../../src/kv/keys.ts';
import {
  liveBytes,
  openVolume,
  SUPERUSER,
  type TestVolume,
  treeRows,
  writeFile,
  writeUnstable,
} from './test-volume.ts';

const NOTHING_LEFT = { datasets: 0, bytes: 0, inodes: 0 };

async function volumeWith(dataset: string): Promise<{ volume: TestVolume; tree: number }> {
  const volume = await openVolume();
  const { id } = await volume.datasets.create(dataset, {});
  return { volume, tree: volume.treeOf(id) };
}

async function systemNames({ meta }: TestVolume): Promise<string[]> {
  const rows = await meta.page(keys.system.range(), 100);
  return rows.map(([key]) => keys.system.parse(key).name);
}

describe('the space of a deleted dataset', () => {
  it('comes back in the background', async () => {
    const { volume, tree } = await volumeWith('a');
    for (let i = 0; i < 20; i++) await writeFile(volume, 'a', `f${i}`, 40_000);
    expect(liveBytes(volume)).toBeGreaterThanOrEqual(800_000);
    const deletion = volume.datasets.delete('a', false);
    expect(volume.datasets.pending()).toEqual({ datasets: 1, bytes: 800_000, inodes: 21 });
    await deletion;
    await volume.drained();
    expect(volume.datasets.pending()).toEqual(NOTHING_LEFT);
    expect(await treeRows(volume.meta, tree)).toEqual([]);
    expect(liveBytes(volume)).toBe(0);
  });

  it('is that of all datasets which were nested in it', async () => {
    const { volume } = await volumeWith('a');
    for (const name of ['a/b', 'a/b/c']) {
      await volume.datasets.create(name, {});
      await writeFile(volume, name, 'f', 100_000);
    }
    await writeFile(volume, 'root', 'f', 20_000);
    await volume.datasets.delete('a', true);
    await volume.drained();
    expect(volume.datasets.pending()).toEqual(NOTHING_LEFT);
    expect(volume.store.trees.size).toBe(1);
    expect(liveBytes(volume)).toBeLessThan(21_000);
  });

  it('comes back in batches of many small files', async () => {
    const { volume } = await volumeWith('a');
    for (let i = 0; i < 250; i++) await writeFile(volume, 'a', `f${i}`, 100);
    const { batches } = volume.store.statistics;
    await volume.datasets.delete('a', false);
    await volume.drained();
    expect(volume.store.statistics.batches - batches).toBeLessThan(10);
  });

  it('comes back also where a chunk and an inode are damaged', async () => {
    const { volume, tree } = await volumeWith('a');
    for (const name of ['f', 'g', 'h']) await writeFile(volume, 'a', name, 40_000);
    for (const family of [keys.chunk, keys.inode]) {
      const rows = await volume.meta.page(family.range(tree), 10);
      const [key, value] = rows.at(-1)!;
      const damaged = Buffer.from(value);
      damaged[8]! ^= 0xff;
      await volume.meta.write([{ key, value: damaged }], true);
    }
    await volume.datasets.delete('a', false);
    await volume.drained();
    expect(volume.datasets.pending()).toEqual(NOTHING_LEFT);
    expect(await treeRows(volume.meta, tree)).toEqual([]);
    expect(volume.store.poisoned).toBe(false);
  });
});

describe('data that waits in memory when its dataset is deleted', () => {
  it('is given up at once', async () => {
    const { volume } = await volumeWith('a');
    await writeUnstable(volume, 'a', 'f', 300_000);
    expect(volume.writeBack.dirtyBytes).toBeGreaterThanOrEqual(300_000);
    const deletion = volume.datasets.delete('a', false);
    expect(volume.writeBack.dirtyBytes).toBe(0);
    expect(volume.datasets.pending().bytes).toBe(0);
    await deletion;
  });

  it('leaves nothing behind when it was being flushed', async () => {
    const { volume, tree } = await volumeWith('a');
    const { fileSystem } = volume.datasets.get('a')!;
    const node = await writeUnstable(volume, 'a', 'f', 300_000);
    await Promise.all([fileSystem.commit({ caller: SUPERUSER }, node), volume.datasets.delete('a', false)]);
    await volume.drained();
    expect(volume.writeBack.dirtyBytes).toBe(0);
    expect(await treeRows(volume.meta, tree)).toEqual([]);
    expect(liveBytes(volume)).toBe(0);
  });
});

describe('the inode numbers of a deleted dataset', () => {
  it('leave no row', async () => {
    const { volume } = await volumeWith('a');
    await writeFile(volume, 'a', 'f', 1);
    expect(await systemNames(volume)).toContain('next/ino/1');
    await volume.datasets.delete('a', false);
    expect(await systemNames(volume)).not.toContain('next/ino/1');
  });

  it('leave no row when they were taken by an operation that failed', async () => {
    const { volume } = await volumeWith('a');
    const { fileSystem } = volume.datasets.get('a')!;
    const root = await fileSystem.root();
    const how = { mode: 'guarded', changes: { size: 2 ** 53 } } as const;
    const create = async () => fileSystem.create({ caller: SUPERUSER }, root, Buffer.from('f'), how);
    await expect(create).rejects.toThrow(expect.objectContaining({ code: 'EFBIG' }));
    await volume.datasets.delete('a', false);
    await volume.drained();
    expect(await systemNames(volume)).not.toContain('next/ino/1');
  });
});
