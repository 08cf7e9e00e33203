import { describe, expect, it } from 'vitest';
import { entriesOf, failure, names } from './registry-state.ts';
import { openVolume, writeFile } from './test-volume.ts';

describe('delete', () => {
  it('frees the name at once and stops answering', async () => {
    const volume = await openVolume();
    const { datasets } = volume;
    await datasets.create('a', {});
    await writeFile(volume, 'a', 'f', 5000);
    const { fileSystem } = datasets.get('a')!;
    const root = await fileSystem.root();
    expect(await datasets.planDelete('a', false)).toEqual({ names: ['a'], bytes: 5000, inodes: 2 });
    const deletion = datasets.delete('a', false);
    expect(datasets.get('a')).toBeUndefined();
    await expect(async () => fileSystem.attributes(root)).rejects.toThrow(
      expect.objectContaining({ code: 'ESTALE' }),
    );
    expect(await deletion).toEqual({ names: ['a'], bytes: 5000, inodes: 2 });
    const again = await datasets.create('a', {});
    expect(again.usedBytes).toBe(0);
  });

  it('is refused for root and for the default dataset', async () => {
    const { datasets } = await openVolume();
    for (const name of ['a', 'a/b']) await datasets.create(name, {});
    await datasets.setDefault('a/b');
    await expect(datasets.delete('root', true)).rejects.toThrow(failure('busy', 'dataset 0'));
    await expect(datasets.delete('a/b', false)).rejects.toThrow(failure('busy', 'it is the default dataset'));
    await expect(datasets.delete('a', true)).rejects.toThrow(failure('busy', 'a/b is the default dataset'));
    await expect(datasets.planDelete('root', true)).rejects.toThrow(failure('busy', 'dataset 0'));
  });

  it('takes nested ones only when asked, all at once', async () => {
    const volume = await openVolume();
    for (const name of ['a', 'a/b', 'a/b/c', 'a/d']) await volume.datasets.create(name, {});
    await expect(volume.datasets.delete('a', false)).rejects.toThrow(failure('busy', 'a/b, a/b/c, a/d'));
    const plan = await volume.datasets.delete('a', true);
    expect(plan.names).toEqual(['a', 'a/b', 'a/b/c', 'a/d']);
    expect(names(await volume.reopen())).toEqual(['root']);
  });

  it('removes the directory of a nested one', async () => {
    const volume = await openVolume();
    for (const name of ['a', 'a/b']) await volume.datasets.create(name, {});
    await volume.datasets.delete('a/b', false);
    expect(await entriesOf(volume, 'a')).toEqual([]);
    expect((await volume.datasets.get('a')!.fileSystem.root()).nlink).toBe(2);
    expect(volume.datasets.info('a').usedInodes).toBe(2 - 1);
    await volume.datasets.create('a/b', {});
  });
});
