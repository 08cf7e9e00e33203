import { beforeEach, describe, expect, it } from 'vitest';
import { type Attributes, FILE_BYTES_MAX, FileType } from '../../../src/fs/file-system.ts';
import { ALICE, BOB, refusal, TestDataset } from './test-dataset.ts';

const VERIFIER = Buffer.from('verifier');

describe('CREATE', () => {
  let dataset: TestDataset;
  let root: Attributes;
  beforeEach(async () => {
    dataset = await TestDataset.open();
    root = await dataset.root();
  });

  it('makes an empty regular file with one name', async () => {
    const { node } = await dataset.create(root, 'a', { mode: 0o4751 });
    expect(node).toMatchObject({ type: FileType.file, mode: 0o4751, nlink: 1, size: 0, uid: 0, gid: 0 });
    expect(node.generation).toBeGreaterThan(0);
    expect(await dataset.stat(node)).toEqual(node);
    expect(await dataset.lookup(root, 'a')).toEqual(node);
  });

  it('gives every inode its own number and, as far as chance goes, generation', async () => {
    const [a, b] = [await dataset.file(root, 'a'), await dataset.file(root, 'b')];
    expect(b.ino).not.toBe(a.ino);
    expect(b.generation).not.toBe(a.generation);
    await dataset.remove(root, 'b');
    expect((await dataset.file(root, 'b')).ino).toBeGreaterThan(b.ino);
  });

  it('shows the directory before and after: times, and nothing else of it', async () => {
    const { node, directory } = await dataset.create(root, 'a');
    expect(directory.before).toEqual(root);
    expect(directory.after).toMatchObject({ nlink: 2, mtimeSeconds: node.mtimeSeconds });
    expect(directory.after.ctimeNanoseconds).not.toBe(root.ctimeNanoseconds);
    expect(directory.after.mtimeNanoseconds).not.toBe(root.mtimeNanoseconds);
    expect(directory.after.atimeNanoseconds).toBe(root.atimeNanoseconds);
    expect(dataset.record(root)).toMatchObject({ entryCount: 1, change: 2 });
  });

  it('moves the ctime of the directory on, though the clock stands still', async () => {
    dataset.parts.clock.stepMs = 0;
    const first = await dataset.create(root, 'a');
    const second = await dataset.create(root, 'b');
    expect(second.directory.before).toEqual(first.directory.after);
    expect(second.directory.after.ctimeNanoseconds).toBe(first.directory.after.ctimeNanoseconds + 1);
  });

  it('counts the inode', async () => {
    await dataset.file(root, 'a');
    expect(dataset.records.tree.usedInodes).toBe(2);
  });

  it('takes times and a size from the call', async () => {
    const times = { atime: { seconds: 5, nanoseconds: 6 }, mtime: { seconds: 7, nanoseconds: 8 } };
    const { node } = await dataset.create(root, 'a', { ...times, size: 10 });
    expect(node).toMatchObject({ size: 10, atimeSeconds: 5, atimeNanoseconds: 6 });
    expect(node).toMatchObject({ mtimeSeconds: 7, mtimeNanoseconds: 8 });
    expect(await refusal(dataset.create(root, 'b', { size: FILE_BYTES_MAX + 1 }))).toBe('EFBIG');
    expect(await dataset.names(root)).toEqual(['a']);
  });

  it('is refused the names that nothing may have', async () => {
    expect(await refusal(dataset.create(root, '.'))).toBe('EEXIST');
    expect(await refusal(dataset.create(root, '..'))).toBe('EEXIST');
    expect(await refusal(dataset.create(root, ''))).toBe('EACCES');
    expect(await refusal(dataset.create(root, 'a/b'))).toBe('EACCES');
    expect(await refusal(dataset.create(root, 'a\0b'))).toBe('EACCES');
    expect(await refusal(dataset.create(root, '.snapshots'))).toBe('EACCES');
    expect(await refusal(dataset.create(root, 'n'.repeat(256)))).toBe('ENAMETOOLONG');
    await dataset.create(root, 'n'.repeat(255));
  });

  it('keeps the bytes of its own, whatever becomes of those of the call', async () => {
    const name = Buffer.from('name');
    const verifier = Buffer.from(VERIFIER);
    await dataset.create(root, name, { mode: 'exclusive', verifier });
    name.fill(0);
    verifier.fill(0);
    expect(await dataset.names(root)).toEqual(['name']);
    await dataset.create(root, 'name', { mode: 'exclusive', verifier: VERIFIER });
  });

  it('is refused in what is no directory, or is gone', async () => {
    const file = await dataset.file(root, 'a');
    expect(await refusal(dataset.create(file, 'b'))).toBe('ENOTDIR');
    const gone = await dataset.directory(root, 'gone');
    await dataset.rmdir(root, 'gone');
    expect(await refusal(dataset.create(gone, 'b'))).toBe('ESTALE');
  });

  it('needs write and search permission on the directory', async () => {
    const alice = dataset.as(ALICE);
    for (const mode of [0o755, 0o776, 0o773]) {
      const directory = await dataset.directory(root, `d${mode}`, { mode });
      if (mode === 0o773) await alice.create(directory, 'a');
      else expect(await refusal(alice.create(directory, 'a'))).toBe('EACCES');
    }
  });

  it('is refused when space is up, after all that is wrong with it otherwise, and then changes nothing', async () => {
    await dataset.file(root, 'there');
    await dataset.setFreeBytes(100);
    expect(await refusal(dataset.create(root, 'a'))).toBe('ENOSPC');
    expect(await refusal(dataset.as(ALICE).create(root, 'a'))).toBe('EACCES');
    expect(await dataset.names(root)).toEqual(['there']);
    expect(dataset.records.tree.usedInodes).toBe(2);
    // Opening what is there takes no space.
    await dataset.create(root, 'there');
  });

  describe('UNCHECKED on a name that is there', () => {
    it('answers the file and changes nothing, the directory included', async () => {
      const file = await dataset.file(root, 'a', { mode: 0o600 });
      const before = await dataset.root();
      const again = await dataset.create(root, 'a', { mode: 0o777, uid: 5 });
      expect(again).toEqual({ node: file, directory: { before, after: before } });
    });

    it('needs no more than search permission on the directory', async () => {
      const file = await dataset.file(root, 'a');
      expect((await dataset.as(ALICE).create(root, 'a')).node).toEqual(file);
    });

    it('sets the size when asked to, with the permission to write', async () => {
      const file = await dataset.file(root, 'a', { mode: 0o644, size: 10 });
      expect(await refusal(dataset.as(ALICE).create(root, 'a', { size: 0 }))).toBe('EACCES');
      const { node } = await dataset.create(root, 'a', { size: 0, mode: 0 });
      expect(node).toMatchObject({ ino: file.ino, size: 0, mode: 0o644 });
      expect(node.mtimeNanoseconds).not.toBe(file.mtimeNanoseconds);
    });

    it('is EEXIST when the name leads to anything but a regular file', async () => {
      await dataset.directory(root, 'd');
      await dataset.symlink(root, 'l', 'a');
      expect(await refusal(dataset.create(root, 'd'))).toBe('EEXIST');
      expect(await refusal(dataset.create(root, 'l'))).toBe('EEXIST');
    });
  });

  it('GUARDED is EEXIST when the name is there, also to whoever could not make it', async () => {
    await dataset.file(root, 'a');
    expect(await refusal(dataset.create(root, 'a', { mode: 'guarded', changes: {} }))).toBe('EEXIST');
    const alice = dataset.as(ALICE);
    expect(await refusal(alice.create(root, 'a', { mode: 'guarded', changes: {} }))).toBe('EEXIST');
  });

  describe('EXCLUSIVE', () => {
    const how = { mode: 'exclusive', verifier: VERIFIER } as const;

    it('is the owner’s alone until a SETATTR says more', async () => {
      expect((await dataset.create(root, 'a', how)).node.mode).toBe(0o600);
    });

    it('succeeds again with the same verifier, and changes nothing then', async () => {
      const first = await dataset.create(root, 'a', how);
      const again = await dataset.create(root, 'a', how);
      expect(again.node).toEqual(first.node);
      expect(again.directory).toEqual({ before: first.directory.after, after: first.directory.after });
      expect(dataset.records.tree.usedInodes).toBe(2);
    });

    it('finds the verifier in the store, not only in memory', async () => {
      const { node } = await dataset.create(root, 'a', how);
      await dataset.applied();
      dataset.records.tree.inodes.age();
      dataset.records.tree.inodes.age();
      expect((await dataset.create(root, 'a', how)).node).toEqual(node);
    });

    it('is EEXIST with the same verifier once a SETATTR has come, which every client sends', async () => {
      const { node } = await dataset.create(root, 'a', how);
      await dataset.setattr(node, {});
      await dataset.create(root, 'a', how);
      await dataset.setattr(node, { mode: 0o600 });
      expect(await refusal(dataset.create(root, 'a', how))).toBe('EEXIST');
    });

    it('is EEXIST with the same verifier once the file has bytes, also where they wait in memory', async () => {
      const { node } = await dataset.create(root, 'a', how);
      await dataset.write(node, 0, 'x');
      expect(await refusal(dataset.create(root, 'a', how))).toBe('EEXIST');
      await dataset.create(root, 'b', how);
      await dataset.create(root, 'b', { size: 0 });
      expect(await refusal(dataset.create(root, 'b', how))).toBe('EEXIST');
    });

    it('is EEXIST with another verifier, over a file made otherwise, and over a directory', async () => {
      await dataset.create(root, 'a', how);
      const other = { mode: 'exclusive', verifier: Buffer.from('other---') } as const;
      expect(await refusal(dataset.create(root, 'a', other))).toBe('EEXIST');
      await dataset.file(root, 'plain');
      expect(await refusal(dataset.create(root, 'plain', how))).toBe('EEXIST');
      await dataset.directory(root, 'd');
      expect(await refusal(dataset.create(root, 'd', how))).toBe('EEXIST');
    });
  });

  describe('ownership', () => {
    it('is the caller’s', async () => {
      const directory = await dataset.directory(root, 'd');
      const file = await dataset.as(ALICE).file(directory, 'a');
      expect(file).toMatchObject({ uid: ALICE.uid, gid: ALICE.gid });
    });

    it('has the group of a setgid directory, which a new directory there hands on', async () => {
      const shared = await dataset.directory(root, 'shared', { mode: 0o2777, gid: 500 });
      const bob = dataset.as(BOB);
      expect(await bob.file(shared, 'a', { mode: 0o644 })).toMatchObject({ gid: 500, mode: 0o644 });
      const inner = await bob.directory(shared, 'inner', { mode: 0o755 });
      expect(inner).toMatchObject({ gid: 500, mode: 0o2755 });
      expect(await bob.file(inner, 'b')).toMatchObject({ gid: 500 });
    });

    it('is root’s to give', async () => {
      const changes = { uid: ALICE.uid, gid: ALICE.gid };
      expect(await dataset.file(root, 'a', changes)).toMatchObject(changes);
      const directory = await dataset.directory(root, 'd');
      expect(await dataset.as(BOB).file(directory, 'b', changes)).toMatchObject({
        uid: BOB.uid,
        gid: BOB.gid,
      });
    });
  });
});
