import { beforeEach, describe, expect, it } from 'vitest';
import type { Attributes } from '../../../src/fs/file-system.ts';
import { keys } from '../../../src/kv/keys.ts';
import { ALICE, refusal, TestDataset } from './test-dataset.ts';

describe('LOOKUP', () => {
  let dataset: TestDataset;
  let root: Attributes;
  beforeEach(async () => {
    dataset = await TestDataset.open();
    root = await dataset.root();
  });

  it('finds a name, byte for byte', async () => {
    const file = await dataset.file(root, Buffer.from([0xff, 0xc3]));
    expect(await dataset.lookup(root, Buffer.from([0xff, 0xc3]))).toEqual(file);
    expect(await dataset.lookup(root, Buffer.from([0xff]))).toBeUndefined();
  });

  it('answers undefined where there is no such name, before and after it was there', async () => {
    expect(await dataset.lookup(root, 'a')).toBeUndefined();
    await dataset.file(root, 'a');
    expect(await dataset.lookup(root, 'a')).toBeDefined();
    await dataset.remove(root, 'a');
    expect(await dataset.lookup(root, 'a')).toBeUndefined();
  });

  it('answers the directory itself for . and its parent for .., and the root for the .. of the root', async () => {
    const outer = await dataset.directory(root, 'outer');
    const inner = await dataset.directory(outer, 'inner');
    expect((await dataset.lookup(inner, '.'))?.ino).toBe(inner.ino);
    expect((await dataset.lookup(inner, '..'))?.ino).toBe(outer.ino);
    expect((await dataset.lookup(root, '..'))?.ino).toBe(root.ino);
  });

  it('finds nothing under .snapshots', async () => {
    expect(await dataset.lookup(root, '.snapshots')).toBeUndefined();
  });

  it('needs search permission on the directory, for . and .. too', async () => {
    const closed = await dataset.directory(root, 'closed', { mode: 0o766 });
    await dataset.file(closed, 'a');
    for (const name of ['a', '.', '..', 'absent']) {
      expect(await refusal(dataset.as(ALICE).lookup(closed, name))).toBe('EACCES');
    }
    await dataset.setattr(closed, { mode: 0o711 });
    expect(await dataset.as(ALICE).lookup(closed, 'a')).toBeDefined();
  });

  it('refuses to look into what is no directory', async () => {
    const file = await dataset.file(root, 'a');
    expect(await refusal(dataset.lookup(file, 'b'))).toBe('ENOTDIR');
  });

  it('refuses a name that nothing could have', async () => {
    expect(await refusal(dataset.lookup(root, 'a/b'))).toBe('EACCES');
    expect(await refusal(dataset.lookup(root, ''))).toBe('EACCES');
    expect(await refusal(dataset.lookup(root, 'n'.repeat(256)))).toBe('ENAMETOOLONG');
  });

  it('answers ESTALE for a directory that is gone, and for another generation of its number', async () => {
    const gone = await dataset.directory(root, 'gone');
    await dataset.rmdir(root, 'gone');
    expect(await refusal(dataset.lookup(gone, 'a'))).toBe('ESTALE');
    expect(await refusal(dataset.lookup({ ino: 1, generation: root.generation + 1 }, 'a'))).toBe('ESTALE');
  });

  it('answers EIO, and says what is hurt, when an entry leads nowhere', async () => {
    const file = await dataset.file(root, 'a');
    await dataset.applied();
    const { records } = dataset;
    records.tree.inodes.delete(file.ino);
    await dataset.parts.meta.write([{ key: keys.inode.key(records.tree.id, file.ino), value: null }], true);
    expect(await refusal(dataset.lookup(root, 'a'))).toBe('EIO');
    expect(dataset.parts.logged.at(-1)?.message).toContain(`inode ${file.ino}`);
  });
});
