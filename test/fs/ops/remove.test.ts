import { beforeEach, describe, expect, it } from 'vitest';
import type { Attributes } from '../../../src/fs/file-system.ts';
import { ALICE, BOB, refusal, TestDataset } from './test-dataset.ts';

let dataset: TestDataset;
let root: Attributes;
beforeEach(async () => {
  dataset = await TestDataset.open();
  root = await dataset.root();
});

describe('REMOVE', () => {
  it('takes the name away and, with the last name, the inode', async () => {
    const file = await dataset.file(root, 'a');
    const before = await dataset.root();
    const { directory } = await dataset.remove(root, 'a');
    expect(directory.before).toEqual(before);
    expect(directory.after).toEqual(await dataset.root());
    expect(directory.after.mtimeNanoseconds).not.toBe(before.mtimeNanoseconds);
    expect(await dataset.names(root)).toEqual([]);
    expect(await refusal(dataset.stat(file))).toBe('ESTALE');
    expect(dataset.record(root).entryCount).toBe(0);
    expect(dataset.records.tree.usedInodes).toBe(1);
  });

  it('leaves the inode under its other names, with a new ctime', async () => {
    const file = await dataset.file(root, 'a');
    const { node: linked } = await dataset.link(file, root, 'b');
    await dataset.remove(root, 'a');
    const left = await dataset.stat(file);
    expect(left.nlink).toBe(1);
    expect(left.ctimeNanoseconds).not.toBe(linked.ctimeNanoseconds);
    expect(left.mtimeNanoseconds).toBe(file.mtimeNanoseconds);
    expect(dataset.records.tree.usedInodes).toBe(2);
  });

  it('takes symbolic links and special files too', async () => {
    await dataset.symlink(root, 'l', 'a');
    await dataset.mknod(root, 'n', { type: 7, major: 0, minor: 0, changes: {} });
    await dataset.remove(root, 'l');
    await dataset.remove(root, 'n');
    expect(dataset.records.tree.usedInodes).toBe(1);
  });

  it('is EISDIR for a directory', async () => {
    await dataset.directory(root, 'd');
    expect(await refusal(dataset.remove(root, 'd'))).toBe('EISDIR');
  });

  it('is ENOENT where there is no such name, also to whoever may change nothing', async () => {
    expect(await refusal(dataset.remove(root, 'a'))).toBe('ENOENT');
    expect(await refusal(dataset.as(ALICE).remove(root, 'a'))).toBe('ENOENT');
  });

  it('refuses . and ..', async () => {
    expect(await refusal(dataset.remove(root, '.'))).toBe('EACCES');
    expect(await refusal(dataset.remove(root, '..'))).toBe('EACCES');
  });

  it('needs write permission on the directory, not on the file', async () => {
    await dataset.file(root, 'a', { mode: 0o777 });
    expect(await refusal(dataset.as(ALICE).remove(root, 'a'))).toBe('EACCES');
    const open = await dataset.directory(root, 'open');
    await dataset.file(open, 'a', { mode: 0 });
    await dataset.as(ALICE).remove(open, 'a');
  });

  it('in a sticky directory is for the owner of the file or of the directory, and for root', async () => {
    const sticky = await dataset.directory(root, 'tmp', { mode: 0o1777, uid: BOB.uid });
    await dataset.as(ALICE).file(sticky, 'hers');
    await dataset.as(ALICE).file(sticky, 'hers too');
    await dataset.file(sticky, 'root’s');
    expect(await refusal(dataset.as(ALICE).remove(sticky, 'root’s'))).toBe('EACCES');
    await dataset.as(ALICE).remove(sticky, 'hers');
    await dataset.as(BOB).remove(sticky, 'hers too');
    await dataset.remove(sticky, 'root’s');
  });
});

describe('RMDIR', () => {
  it('takes an empty directory away, and a link from the parent', async () => {
    const directory = await dataset.directory(root, 'd');
    const removed = await dataset.rmdir(root, 'd');
    expect(removed.directory.before.nlink).toBe(3);
    expect(removed.directory.after.nlink).toBe(2);
    expect(await refusal(dataset.stat(directory))).toBe('ESTALE');
    expect(dataset.records.tree.usedInodes).toBe(1);
  });

  it('is ENOTEMPTY until the last entry is gone', async () => {
    const directory = await dataset.directory(root, 'd');
    await dataset.file(directory, 'a');
    expect(await refusal(dataset.rmdir(root, 'd'))).toBe('ENOTEMPTY');
    await dataset.rename(directory, 'a', root, 'a');
    await dataset.rmdir(root, 'd');
  });

  it('is ENOTDIR for anything else, a symbolic link to a directory included', async () => {
    await dataset.file(root, 'a');
    await dataset.symlink(root, 'l', '.');
    expect(await refusal(dataset.rmdir(root, 'a'))).toBe('ENOTDIR');
    expect(await refusal(dataset.rmdir(root, 'l'))).toBe('ENOTDIR');
  });

  it('is ENOENT, EINVAL for . and EEXIST for .. (RFC 1813 §3.3.13)', async () => {
    expect(await refusal(dataset.rmdir(root, 'd'))).toBe('ENOENT');
    expect(await refusal(dataset.rmdir(root, '.'))).toBe('EINVAL');
    expect(await refusal(dataset.rmdir(root, '..'))).toBe('EEXIST');
  });

  it('needs the same permissions as REMOVE', async () => {
    const sticky = await dataset.directory(root, 'tmp', { mode: 0o1777 });
    await dataset.as(BOB).directory(sticky, 'bob’s');
    expect(await refusal(dataset.as(ALICE).rmdir(sticky, 'bob’s'))).toBe('EACCES');
    expect(await refusal(dataset.as(ALICE).rmdir(root, 'tmp'))).toBe('EACCES');
  });
});

it('leaves a directory alone at which another dataset shows', async () => {
  const mounted = await dataset.directory(root, 'nested');
  await dataset.directory(root, 'd');
  dataset.force(mounted, { mountedDataset: 5 });
  expect(await refusal(dataset.rmdir(root, 'nested'))).toBe('EACCES');
  expect(await refusal(dataset.remove(root, 'nested'))).toBe('EACCES');
  expect(await refusal(dataset.rename(root, 'nested', root, 'other'))).toBe('EACCES');
  expect(await refusal(dataset.rename(root, 'd', root, 'nested'))).toBe('EACCES');
  expect((await dataset.lookup(root, 'nested'))?.mountedDataset).toBe(5);
});
