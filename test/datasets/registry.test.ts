import { describe, expect, it } from 'vitest';
import { DATASETS_MAX } from '../../src/datasets/registry-context.ts';
import { keys } from '../../src/kv/keys.ts';
import { openVolume, type TestVolume, treeRows, writeFile } from './test-volume.ts';

const failure = (code: string, why: string): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(why) });

const names = ({ datasets }: TestVolume): string[] => datasets.list().map(({ name }) => name);

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

describe('delete', () => {
  it('frees the name at once and stops answering', async () => {
    const volume = await openVolume();
    const { datasets } = volume;
    await datasets.create('a', {});
    await writeFile(volume, 'a', 'f', 5000);
    const { fileSystem } = datasets.get('a')!;
    const root = await fileSystem.root();
    expect(datasets.planDelete('a', false)).toEqual({ names: ['a'], bytes: 5000, inodes: 2 });
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
    expect(() => datasets.planDelete('root', true)).toThrow(failure('busy', 'dataset 0'));
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

  it('gives the space back in the background', async () => {
    const volume = await openVolume();
    const { id } = await volume.datasets.create('a', {});
    for (let i = 0; i < 20; i++) await writeFile(volume, 'a', `f${i}`, 40_000);
    const deletion = volume.datasets.delete('a', false);
    expect(volume.datasets.pending()).toEqual({ datasets: 1, bytes: 800_000, inodes: 21 });
    await deletion;
    await volume.drained();
    expect(volume.datasets.pending()).toEqual({ datasets: 0, bytes: 0, inodes: 0 });
    expect(await treeRows(volume.meta, volume.treeOf(id))).toEqual([]);
  });
});

async function entriesOf(volume: TestVolume, dataset: string): Promise<[string, number][]> {
  const fs = volume.datasets.get(dataset)!.fileSystem;
  const page = await fs.readdir({ uid: 0, gid: 0, groups: [] }, await fs.root(), { high: 0, low: 0 }, 100);
  const entries = await Promise.all(
    page.entries.map(async ({ name, ino }) => {
      const [attributes] = await fs.attributesOf([ino]);
      return [name.toString(), attributes!.mountedDataset] as [string, number];
    }),
  );
  return entries.sort();
}
