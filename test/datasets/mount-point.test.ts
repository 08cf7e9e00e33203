// A nested dataset whose directory is not in the root of the one around it: as after a rollback of that one.

import { beforeEach, describe, expect, it } from 'vitest';
import { entriesOf } from './registry-state.ts';
import { openVolume, SUPERUSER, type TestVolume } from './test-volume.ts';

const START = { high: 0, low: 0 };

let volume: TestVolume;
let dataset: number;

beforeEach(async () => {
  volume = await openVolume();
  await volume.datasets.create('a', {});
  dataset = (await volume.datasets.create('a/b', {})).id;
});

async function removeDirectory(name: string): Promise<void> {
  const { fileSystem } = volume.datasets.get('a')!;
  const root = await fileSystem.root();
  await fileSystem.rmdir({ caller: SUPERUSER }, root, Buffer.from(name));
}

/** As clients may, once the dataset around does not nest it. */
async function takeDirectoryAway(): Promise<void> {
  const { operations } = volume.operations.get(volume.datasets.get('a')!.id)!;
  const { nests } = operations;
  operations.nests = () => false;
  await removeDirectory('b');
  operations.nests = nests;
}

describe('the directory of a nested dataset', () => {
  it('stays for as long as that one is nested there', async () => {
    const { operations } = volume.operations.get(volume.datasets.get('a')!.id)!;
    expect(operations.nests(dataset)).toBe(true);
    await expect(removeDirectory('b')).rejects.toMatchObject({ code: 'EACCES' });
    await volume.datasets.rename('a/b', 'b');
    expect(operations.nests(dataset)).toBe(false);
  });

  it('is not missed when the dataset is deleted, or moves away', async () => {
    await takeDirectoryAway();
    await volume.datasets.rename('a/b', 'b');
    await volume.datasets.rename('b', 'a/b');
    expect(await entriesOf(volume, 'a')).toEqual([['b', dataset]]);
    await takeDirectoryAway();
    await volume.datasets.delete('a/b', false);
    expect(await entriesOf(volume, 'a')).toEqual([]);
  });

  it.each(['is deleted', 'moves away'])(
    'stays as an ordinary one where it has entries and the dataset %s',
    async (how) => {
      const { fileSystem } = volume.datasets.get('a')!;
      const [entry] = (await fileSystem.readdir(SUPERUSER, await fileSystem.root(), START, 1)).entries;
      const [directory] = await fileSystem.attributesOf([entry!.ino]);
      await fileSystem.mkdir({ caller: SUPERUSER }, directory!, Buffer.from('hidden'), {});
      if (how === 'is deleted') await volume.datasets.delete('a/b', false);
      else await volume.datasets.rename('a/b', 'b');
      expect(await entriesOf(volume, 'a')).toEqual([['b', 0]]);
      const page = await fileSystem.readdir(SUPERUSER, directory!, START, 10);
      expect(page.entries.map(({ name }) => name.toString())).toEqual(['hidden']);
      expect((await fileSystem.root()).nlink).toBe(3);
    },
  );

  it('is made again when the dataset is renamed', async () => {
    await takeDirectoryAway();
    await volume.datasets.rename('a/b', 'a/c');
    expect(await entriesOf(volume, 'a')).toEqual([['c', dataset]]);
  });

  it('is not taken for an entry that has its name', async () => {
    await takeDirectoryAway();
    const { fileSystem } = volume.datasets.get('a')!;
    await fileSystem.mkdir({ caller: SUPERUSER }, await fileSystem.root(), Buffer.from('b'), {});
    await volume.datasets.delete('a/b', false);
    expect(await entriesOf(volume, 'a')).toEqual([['b', 0]]);
  });
});
