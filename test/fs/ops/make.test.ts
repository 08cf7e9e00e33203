import { beforeEach, describe, expect, it } from 'vitest';
import { type Attributes, FileType, LINK_COUNT_MAX, type SpecialNode } from '../../../src/fs/file-system.ts';
import { ALICE, refusal, TestDataset } from './test-dataset.ts';

let dataset: TestDataset;
let root: Attributes;
beforeEach(async () => {
  dataset = await TestDataset.open();
  root = await dataset.root();
});

describe('MKDIR', () => {
  it('makes an empty directory with two links, and the parent gets one', async () => {
    const { node, directory } = await dataset.mkdir(root, 'd', { mode: 0o1751 });
    expect(node).toMatchObject({ type: FileType.directory, mode: 0o1751, nlink: 2 });
    expect(directory.before.nlink).toBe(2);
    expect(directory.after.nlink).toBe(3);
    expect(await dataset.names(node)).toEqual([]);
    expect((await dataset.lookup(node, '..'))?.ino).toBe(root.ino);
  });

  it('is EEXIST over anything, and for . and ..', async () => {
    await dataset.file(root, 'a');
    await dataset.directory(root, 'd');
    for (const name of ['a', 'd', '.', '..']) expect(await refusal(dataset.mkdir(root, name))).toBe('EEXIST');
    expect(await refusal(dataset.as(ALICE).mkdir(root, 'd'))).toBe('EEXIST');
  });

  it('needs permission to add to the parent', async () => {
    expect(await refusal(dataset.as(ALICE).mkdir(root, 'd'))).toBe('EACCES');
  });

  it(`is EMLINK when the parent has ${LINK_COUNT_MAX} links; files still go in`, async () => {
    dataset.force(root, { nlink: LINK_COUNT_MAX - 1 });
    await dataset.mkdir(root, 'last');
    expect(await refusal(dataset.mkdir(root, 'more'))).toBe('EMLINK');
    await dataset.file(root, 'file');
    await dataset.rmdir(root, 'last');
    await dataset.mkdir(root, 'more');
  });

  it('makes no .snapshots', async () => {
    expect(await refusal(dataset.mkdir(root, '.snapshots'))).toBe('EACCES');
  });
});

describe('SYMLINK', () => {
  it('keeps the target byte for byte, and its length as the size', async () => {
    const target = Buffer.from([0x2f, 0xff, 0x20, 0x2e]);
    const { node } = await dataset.symlink(root, 'l', target);
    expect(node).toMatchObject({ type: FileType.symlink, size: 4, mode: 0o777, nlink: 1 });
    target.fill(0);
    expect(await dataset.readlink(node)).toEqual(Buffer.from([0x2f, 0xff, 0x20, 0x2e]));
    await dataset.applied();
    dataset.records.tree.inodes.age();
    dataset.records.tree.inodes.age();
    expect(await dataset.readlink(node)).toEqual(Buffer.from([0x2f, 0xff, 0x20, 0x2e]));
  });

  it('takes a target of 4,095 bytes and is ENAMETOOLONG beyond', async () => {
    const { node } = await dataset.symlink(root, 'l', 't'.repeat(4095));
    expect((await dataset.readlink(node)).length).toBe(4095);
    expect(await refusal(dataset.symlink(root, 'm', 't'.repeat(4096)))).toBe('ENAMETOOLONG');
  });

  it('is refused without a target, and for one with a NUL', async () => {
    expect(await refusal(dataset.symlink(root, 'l', ''))).toBe('EACCES');
    expect(await refusal(dataset.symlink(root, 'l', 'a\0b'))).toBe('EACCES');
  });

  it('is EEXIST over anything', async () => {
    await dataset.symlink(root, 'l', 'a');
    expect(await refusal(dataset.symlink(root, 'l', 'b'))).toBe('EEXIST');
  });
});

describe('READLINK', () => {
  it('is EINVAL for anything but a symbolic link', async () => {
    expect(await refusal(dataset.readlink(root))).toBe('EINVAL');
    expect(await refusal(dataset.readlink(await dataset.file(root, 'a')))).toBe('EINVAL');
  });

  it('needs no permission on the link', async () => {
    const { node } = await dataset.symlink(root, 'l', 'target', { mode: 0 });
    expect(String(await dataset.as(ALICE).readlink(node))).toBe('target');
  });
});

describe('MKNOD', () => {
  const special = (type: FileType, major = 0, minor = 0) =>
    ({ type, major, minor, changes: { mode: 0o620 } }) as SpecialNode;

  it('makes devices with their numbers, as root alone', async () => {
    for (const type of [FileType.block, FileType.character]) {
      const { node } = await dataset.mknod(root, `n${type}`, special(type, 0xffff_ffff, 7));
      expect(node).toMatchObject({ type, mode: 0o620, rdevMajor: 0xffff_ffff, rdevMinor: 7, nlink: 1 });
      const open = await dataset.directory(root, `d${type}`);
      expect(await refusal(dataset.as(ALICE).mknod(open, 'n', special(type)))).toBe('EPERM');
    }
  });

  it('makes sockets and fifos for everybody, without device numbers', async () => {
    const open = await dataset.directory(root, 'd');
    for (const type of [FileType.socket, FileType.fifo]) {
      const { node } = await dataset.as(ALICE).mknod(open, `n${type}`, special(type, 3, 4));
      expect(node).toMatchObject({ type, rdevMajor: 0, rdevMinor: 0, uid: ALICE.uid });
    }
  });

  it('is EBADTYPE for all other types', async () => {
    for (const type of [FileType.file, FileType.directory, FileType.symlink]) {
      expect(await refusal(dataset.mknod(root, 'n', special(type)))).toBe('EBADTYPE');
    }
  });

  it('is EEXIST over anything', async () => {
    await dataset.file(root, 'a');
    expect(await refusal(dataset.mknod(root, 'a', special(FileType.fifo)))).toBe('EEXIST');
  });
});
