import { describe, expect, it } from 'vitest';
import { entriesOf, failure, names } from './registry-state.ts';
import { openVolume, writeFile } from './test-volume.ts';

describe('rename', () => {
  it('takes all nested ones along, ids and uuids stay', async () => {
    const volume = await openVolume();
    for (const name of ['a', 'a/b', 'a/b/c']) await volume.datasets.create(name, {});
    const before = volume.datasets.info('a/b/c');
    await volume.datasets.rename('a', 'z');
    expect(names(volume)).toEqual(['root', 'z', 'z/b', 'z/b/c']);
    const again = await volume.reopen();
    expect(names(again)).toEqual(['root', 'z', 'z/b', 'z/b/c']);
    expect(again.datasets.info('z/b/c')).toMatchObject({ id: before.id, uuid: before.uuid });
    await again.datasets.create('a', {});
  });

  it('renames the directory of a nested one', async () => {
    const volume = await openVolume();
    for (const name of ['a', 'a/b']) await volume.datasets.create(name, {});
    await volume.datasets.rename('a/b', 'a/c');
    expect(await entriesOf(volume, 'a')).toEqual([['c', 2]]);
    expect(volume.datasets.info('a').usedInodes).toBe(3);
  });

  it('moves a dataset into another, between two and out again, each in one batch', async () => {
    const volume = await openVolume();
    for (const name of ['a', 'b', 'x', 'x/y']) await volume.datasets.create(name, {});
    await writeFile(volume, 'x', 'f', 10);
    await volume.datasets.set('b', { readonly: 'on' });
    await volume.datasets.rename('x', 'a/x');
    expect(await entriesOf(volume, 'a')).toEqual([['x', 3]]);
    expect(volume.datasets.get('a/x')!.readonly).toBe(false);
    await volume.datasets.rename('a/x', 'b/w');
    expect(await entriesOf(volume, 'a')).toEqual([]);
    expect(await entriesOf(volume, 'b')).toEqual([['w', 3]]);
    expect(volume.datasets.get('b/w')!.readonly).toBe(true);
    expect(volume.datasets.info('b').usedBytes).toBe(10);
    await volume.datasets.rename('b/w', 'v');
    expect(await entriesOf(volume, 'b')).toEqual([]);
    expect(volume.datasets.get('v/y')!.readonly).toBe(false);
    expect(names(await volume.reopen())).toEqual(['root', 'a', 'b', 'v', 'v/y']);
  });

  it('is refused for root, into itself, onto a name that is taken, and to what is not there', async () => {
    const volume = await openVolume();
    for (const name of ['a', 'a/b', 'c']) await volume.datasets.create(name, {});
    await writeFile(volume, 'c', 'file', 1);
    const { datasets } = volume;
    await expect(datasets.rename('root', 'x')).rejects.toThrow(failure('busy', 'root'));
    await expect(datasets.rename('a', 'a/b/a')).rejects.toThrow(failure('invalid', 'nested in itself'));
    await expect(datasets.rename('a', 'c')).rejects.toThrow(failure('exists', 'c already'));
    await expect(datasets.rename('a', 'a')).rejects.toThrow(failure('exists', 'a already'));
    await expect(datasets.rename('a', 'x/a')).rejects.toThrow(failure('not-found', 'no dataset x'));
    await expect(datasets.rename('a', 'c/file')).rejects.toThrow(failure('exists', 'c has an entry file'));
    await expect(datasets.rename('nope', 'x')).rejects.toThrow(failure('not-found', '"nope"'));
    await expect(datasets.rename('a', 'x'.repeat(254))).rejects.toThrow(failure('invalid', '256 bytes'));
    expect(names(volume)).toEqual(['root', 'a', 'a/b', 'c']);
  });

  it('is refused where the quotas leave no room', async () => {
    const volume = await openVolume();
    await volume.datasets.create('a', { properties: { quota: '1000' } });
    await volume.datasets.create('x', {});
    await writeFile(volume, 'x', 'f', 1001);
    await expect(volume.datasets.rename('x', 'a/x')).rejects.toThrow(
      failure('no-space', 'do not leave room'),
    );
    await volume.datasets.set('a', { quota: '1001' });
    await volume.datasets.rename('x', 'a/x');
    await volume.datasets.rename('a/x', 'a/y');
  });
});
