import { describe, expect, it } from 'vitest';
import { DATASETS_MAX } from '../../src/datasets/registry-context.ts';
import { keys } from '../../src/kv/keys.ts';
import { failure, names } from './registry-state.ts';
import { openVolume, writeFile } from './test-volume.ts';

describe('a new volume', () => {
  it('has dataset 0, root, which is the default', async () => {
    const { datasets } = await openVolume();
    expect(datasets.info('root')).toMatchObject({
      id: 0,
      name: 'root',
      parentId: null,
      parentUuid: null,
      rootInode: 1,
      isReadonly: false,
      isSnapshot: false,
      isDefault: true,
      flags: 0,
      kind: 'filesystem',
      usedBytes: 0,
      usedInodes: 1,
    });
    expect(datasets.info('root').uuid).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(datasets.defaultDataset().id).toBe(0);
  });

  it('keeps the uuid of root over a restart', async () => {
    const volume = await openVolume();
    const { uuid } = volume.datasets.info('root');
    const again = await volume.reopen();
    expect(again.datasets.info('root').uuid).toBe(uuid);
  });
});

describe('a damaged volume', () => {
  it('is refused when a dataset has no tree, by the name of the dataset', async () => {
    const volume = await openVolume();
    const { id } = await volume.datasets.create('a', {});
    await volume.meta.write([{ key: keys.tree.key(volume.treeOf(id)), value: null }], true);
    await expect(volume.reopen()).rejects.toThrow('Cannot open dataset a: its tree 2 is not there');
  });
});

describe('create', () => {
  it('makes a dataset with a root directory of its own', async () => {
    const { datasets } = await openVolume();
    const info = await datasets.create('my-subvol', {});
    expect(info).toMatchObject({ id: 1, name: 'my-subvol', isDefault: false, usedInodes: 1, usedBytes: 0 });
    const root = await datasets.get('my-subvol')!.fileSystem.root();
    expect(root).toMatchObject({ ino: 1, uid: 0, gid: 0, mode: 0o755, nlink: 2 });
  });

  it('gives the root directory owner and mode', async () => {
    const { datasets } = await openVolume();
    await datasets.create('home', { uid: 1000, gid: 100, mode: 0o2770 });
    expect(await datasets.get('home')!.fileSystem.root()).toMatchObject({
      uid: 1000,
      gid: 100,
      mode: 0o2770,
    });
  });

  it.each([
    [{ mode: 0o10000 }, 'mode'],
    [{ mode: -1 }, 'mode'],
    [{ uid: 2 ** 32 }, 'owner'],
    [{ gid: 1.5 }, 'group'],
  ])('refuses %j', async (options, why) => {
    const { datasets } = await openVolume();
    await expect(datasets.create('home', options)).rejects.toThrow(failure('invalid', why));
  });

  it('takes properties', async () => {
    const { datasets } = await openVolume();
    const info = await datasets.create('a', { readonly: true, properties: { quota: '1GiB', 'my:key': 'x' } });
    expect(info).toMatchObject({ isReadonly: true, quota: 2 ** 30 });
    expect(info.properties).toContainEqual({ name: 'my:key', value: 'x', source: 'local' });
    expect(datasets.get('a')!.readonly).toBe(true);
  });

  it('refuses a name that is taken, also by root', async () => {
    const { datasets } = await openVolume();
    await datasets.create('a', {});
    await expect(datasets.create('a', {})).rejects.toThrow(failure('exists', 'There is a dataset a already'));
    await expect(datasets.create('root', {})).rejects.toThrow(failure('exists', 'root'));
  });

  it('lets exactly one of two have a name', async () => {
    const { datasets } = await openVolume();
    const both = await Promise.allSettled([datasets.create('a', {}), datasets.create('a', {})]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'exists' } });
  });

  it('refuses a name that is none, and changes nothing', async () => {
    const volume = await openVolume();
    await expect(volume.datasets.create('a b', {})).rejects.toThrow(failure('invalid', 'no valid name'));
    expect(names(volume)).toEqual(['root']);
  });

  it('refuses more than the volume may have, which is 10,000', async () => {
    expect(DATASETS_MAX).toBe(10_000);
    const { datasets } = await openVolume({ datasetsMax: 5 });
    await Promise.all(Array.from({ length: 4 }, (_, i) => datasets.create(`d${i}`, {})));
    await expect(datasets.create('more', {})).rejects.toThrow(failure('no-space', 'at most 5 datasets'));
    await datasets.delete('d2', false);
    await datasets.create('more', {});
  });

  it('is refused on a full disk, and deletion is not', async () => {
    const disk = { freeBytes: 1000 };
    const { datasets } = await openVolume({ disk });
    await datasets.create('a', {});
    disk.freeBytes = 0;
    await expect(datasets.create('b', {})).rejects.toThrow(failure('no-space', 'the disk is full'));
    await datasets.set('a', { readonly: 'on' });
    await datasets.rename('a', 'c');
    await datasets.delete('c', false);
  });

  it('never gives an id twice, also after a restart', async () => {
    const volume = await openVolume();
    const { id } = await volume.datasets.create('a', {});
    await volume.datasets.delete('a', false);
    const again = await volume.reopen();
    expect((await again.datasets.create('a', {})).id).toBeGreaterThan(id);
  });
});

describe('a nested dataset', () => {
  it('is a directory of the one around it', async () => {
    const { datasets } = await openVolume();
    await datasets.create('a', {});
    const before = await datasets.get('a')!.fileSystem.root();
    const { id } = await datasets.create('a/b', {});
    const fs = datasets.get('a')!.fileSystem;
    const root = await fs.root();
    expect(await fs.lookup({ uid: 0, gid: 0, groups: [] }, root, Buffer.from('b'))).toMatchObject({
      mountedDataset: id,
      nlink: 2,
    });
    expect(root.nlink).toBe(before.nlink + 1);
    expect(root.ctimeSeconds + root.ctimeNanoseconds).not.toBe(before.ctimeSeconds + before.ctimeNanoseconds);
    expect(datasets.info('a').usedInodes).toBe(3);
    expect(datasets.info('a/b').usedInodes).toBe(1);
  });

  it('is refused where the one around it is missing', async () => {
    const { datasets } = await openVolume();
    await expect(datasets.create('a/b', {})).rejects.toThrow(
      failure('not-found', 'There is no dataset a for a/b'),
    );
  });

  it('is refused where there is an entry of that name, and changes nothing', async () => {
    const volume = await openVolume();
    await volume.datasets.create('a', {});
    await writeFile(volume, 'a', 'b', 5);
    await expect(volume.datasets.create('a/b', {})).rejects.toThrow(failure('exists', 'a has an entry b'));
    expect(names(volume)).toEqual(['root', 'a']);
    expect(names(await volume.reopen())).toEqual(['root', 'a']);
  });

  it('may be nested in root, of which top-level datasets are no directories', async () => {
    const { datasets } = await openVolume();
    await datasets.create('x', {});
    await datasets.create('root/y', {});
    const fs = datasets.get('root')!.fileSystem;
    const page = await fs.readdir({ uid: 0, gid: 0, groups: [] }, await fs.root(), { high: 0, low: 0 }, 10);
    expect(page.entries.map(({ name }) => name.toString())).toEqual(['y']);
  });

  it('cannot be removed or renamed as a directory', async () => {
    const { datasets } = await openVolume();
    await datasets.create('a', {});
    await datasets.create('a/b', {});
    const fs = datasets.get('a')!.fileSystem;
    const root = await fs.root();
    const call = { caller: { uid: 0, gid: 0, groups: [] } };
    await expect(async () => fs.rmdir(call, root, Buffer.from('b'))).rejects.toThrow(
      expect.objectContaining({ code: 'EACCES' }),
    );
    await expect(async () => fs.rename(call, root, Buffer.from('b'), root, Buffer.from('c'))).rejects.toThrow(
      expect.objectContaining({ code: 'EACCES' }),
    );
  });
});

describe('list and resolve', () => {
  it('lists root first, then by name, nested ones right behind the one around them', async () => {
    const volume = await openVolume();
    for (const name of ['a-b', 'z', 'a', 'a/b', 'a/b/c', 'a/a']) await volume.datasets.create(name, {});
    expect(names(volume)).toEqual(['root', 'a', 'a/a', 'a/b', 'a/b/c', 'a-b', 'z']);
  });

  it('finds the longest dataset name that a path begins with', async () => {
    const { datasets } = await openVolume();
    for (const name of ['a', 'a/b', 'def']) await datasets.create(name, {});
    await datasets.setDefault('def');
    const resolved = (path: string): [string, readonly string[]] => {
      const { dataset, rest } = datasets.resolve(path)!;
      return [dataset.name, rest];
    };
    expect(resolved('/a/b/c/d')).toEqual(['a/b', ['c', 'd']]);
    expect(resolved('/a/bb')).toEqual(['a', ['bb']]);
    expect(resolved('a//b/./')).toEqual(['a/b', []]);
    expect(resolved('/')).toEqual(['def', []]);
    expect(resolved('')).toEqual(['def', []]);
    expect(resolved('/dir/a')).toEqual(['def', ['dir', 'a']]);
    expect(resolved('/root')).toEqual(['root', []]);
  });

  it('says what is not there', async () => {
    const { datasets } = await openVolume();
    expect(datasets.get('a')).toBeUndefined();
    expect(datasets.byId(7)).toBeUndefined();
    expect(() => datasets.info('a')).toThrow(failure('not-found', 'There is no dataset "a"'));
  });
});

describe('the default dataset', () => {
  it('is kept over a restart and follows its dataset when that is renamed', async () => {
    const volume = await openVolume();
    await volume.datasets.create('a', {});
    await volume.datasets.setDefault('a');
    await volume.datasets.rename('a', 'b');
    const again = await volume.reopen();
    expect(again.datasets.defaultDataset().name).toBe('b');
    expect(again.datasets.info('b').isDefault).toBe(true);
    expect(again.datasets.info('root').isDefault).toBe(false);
  });

  it('must exist', async () => {
    const { datasets } = await openVolume();
    await expect(datasets.setDefault('a')).rejects.toThrow(failure('not-found', '"a"'));
  });
});

describe('set and inherit', () => {
  it('are kept over a restart', async () => {
    const volume = await openVolume();
    await volume.datasets.create('a', {});
    await volume.datasets.create('a/b', {});
    await volume.datasets.set('a', { readonly: 'on', snapdir: 'visible', 'my:key': 'x' });
    await volume.datasets.set('a/b', { readonly: 'off' });
    const { datasets } = await volume.reopen();
    expect(datasets.get('a')!.readonly).toBe(true);
    expect(datasets.get('a/b')!.readonly).toBe(false);
    expect(datasets.info('a/b').properties).toContainEqual({
      name: 'my:key',
      value: 'x',
      source: { inheritedFrom: 'a' },
    });
    expect((await datasets.inherit('a/b', 'readonly')).isReadonly).toBe(true);
    expect((await datasets.inherit('a', 'readonly')).isReadonly).toBe(false);
    expect(datasets.get('a/b')!.readonly).toBe(false);
  });

  it('change all that was asked for, or nothing', async () => {
    const { datasets } = await openVolume();
    await datasets.create('a', {});
    await expect(datasets.set('a', { readonly: 'on', quota: 'much' })).rejects.toThrow(
      failure('invalid', 'quota'),
    );
    expect(datasets.info('a').isReadonly).toBe(false);
  });

  it('show computed properties as plain numbers', async () => {
    const volume = await openVolume();
    await volume.datasets.create('a', { properties: { refquota: '1MiB' } });
    await writeFile(volume, 'a', 'f', 100_000);
    const shown = new Map(volume.datasets.info('a').properties.map(({ name, value }) => [name, value]));
    expect(shown.get('name')).toBe('a');
    expect(shown.get('type')).toBe('filesystem');
    expect(shown.get('used')).toBe('100000');
    expect(shown.get('referenced')).toBe('100000');
    expect(shown.get('available')).toBe(String(2 ** 20 - 100_000));
    expect(shown.get('refquota')).toBe(String(2 ** 20));
    expect(shown.get('quota')).toBe('none');
  });
});

describe('limits', () => {
  it('stop a write past refquota or past a quota around, and nothing else', async () => {
    const volume = await openVolume();
    await volume.datasets.create('a', { properties: { quota: '300000' } });
    await volume.datasets.create('a/b', { properties: { refquota: '200000' } });
    await writeFile(volume, 'a/b', 'f', 200_000);
    await expect(writeFile(volume, 'a/b', 'g', 1)).rejects.toThrow(
      expect.objectContaining({ code: 'EDQUOT' }),
    );
    await writeFile(volume, 'a', 'h', 100_000);
    await expect(writeFile(volume, 'a', 'i', 1)).rejects.toThrow(expect.objectContaining({ code: 'EDQUOT' }));
    await volume.datasets.create('free', {});
    await writeFile(volume, 'free', 'f', 400_000);
  });

  it('keep what is reserved from the writes of all others', async () => {
    const volume = await openVolume({ disk: { freeBytes: 1_000_000 } });
    await volume.datasets.create('a', { properties: { reservation: '900000' } });
    await volume.datasets.create('b', {});
    await expect(writeFile(volume, 'b', 'f', 100_001)).rejects.toThrow(
      expect.objectContaining({ code: 'EDQUOT' }),
    );
    await writeFile(volume, 'a', 'f', 900_000);
    await writeFile(volume, 'b', 'g', 90_000);
  });

  it('refuse a quota below what is used, with the numbers', async () => {
    const volume = await openVolume();
    await volume.datasets.create('a', {});
    await writeFile(volume, 'a', 'f', 1000);
    await expect(volume.datasets.set('a', { quota: '999' })).rejects.toThrow(
      failure('no-space', 'Cannot limit a to 999B by quota: 1000B are used already'),
    );
    await volume.datasets.set('a', { quota: '1000' });
  });

  it('count a reservation in the dataset around, and on the disk', async () => {
    const volume = await openVolume({ disk: { freeBytes: 1_000_000 } });
    await volume.datasets.create('a', { properties: { quota: '500000' } });
    await volume.datasets.create('a/b', { properties: { reservation: '300000' } });
    expect(volume.datasets.info('a')).toMatchObject({ usedBytes: 300_000, availableBytes: 200_000 });
    expect(volume.datasets.info('a/b')).toMatchObject({ usedBytes: 0, availableBytes: 500_000 });
    expect(volume.datasets.info('root').availableBytes).toBe(700_000);
    await expect(volume.datasets.create('c', { properties: { reservation: '700001' } })).rejects.toThrow(
      failure('no-space', 'the disk can promise'),
    );
    await volume.datasets.create('c', { properties: { reservation: '700000' } });
  });
});
