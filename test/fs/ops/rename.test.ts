import { beforeEach, describe, expect, it } from 'vitest';
import { type Attributes, LINK_COUNT_MAX } from '../../../src/fs/file-system.ts';
import { nameCookie } from '../../../src/fs/name-cookie.ts';
import { ALICE, BOB, refusal, shown, TestDataset } from './test-dataset.ts';

describe('RENAME', () => {
  let dataset: TestDataset;
  let root: Attributes;
  let source: Attributes;
  let target: Attributes;
  beforeEach(async () => {
    dataset = await TestDataset.open();
    root = await dataset.root();
    source = await dataset.directory(root, 'source');
    target = await dataset.directory(root, 'target');
  });

  it('gives a file another name in its directory', async () => {
    const file = await dataset.file(source, 'a');
    const before = await dataset.stat(source);
    const renamed = await dataset.rename(source, 'a', source, 'b');
    expect(await dataset.names(source)).toEqual(['b']);
    const after = await dataset.stat(source);
    expect(renamed).toEqual({ source: { before, after }, target: { before, after } });
    expect(after.mtimeNanoseconds).not.toBe(before.mtimeNanoseconds);
    expect(dataset.record(source)).toMatchObject({ entryCount: 1 });
    expect((await dataset.lookup(source, 'b'))?.ino).toBe(file.ino);
  });

  it('changes the ctime of what it moves, and nothing else of it', async () => {
    const file = await dataset.file(source, 'a');
    await dataset.rename(source, 'a', target, 'b');
    const moved = await dataset.stat(file);
    expect({ ...shown(moved), ctimeNanoseconds: 0 }).toEqual({ ...shown(file), ctimeNanoseconds: 0 });
    expect(moved.ctimeNanoseconds).not.toBe(file.ctimeNanoseconds);
  });

  it('moves a file between directories, and shows both before and after', async () => {
    await dataset.file(source, 'a');
    const [sourceBefore, targetBefore] = [await dataset.stat(source), await dataset.stat(target)];
    const renamed = await dataset.rename(source, 'a', target, 'b');
    expect(renamed.source).toEqual({ before: sourceBefore, after: await dataset.stat(source) });
    expect(renamed.target).toEqual({ before: targetBefore, after: await dataset.stat(target) });
    expect(await dataset.names(source)).toEqual([]);
    expect(await dataset.names(target)).toEqual(['b']);
    expect(dataset.record(source).entryCount).toBe(0);
    expect(dataset.record(target).entryCount).toBe(1);
  });

  it('moves a directory with all that is in it: .. and the links of both parents follow', async () => {
    const moved = await dataset.directory(source, 'd');
    await dataset.file(moved, 'inside');
    await dataset.rename(source, 'd', target, 'e');
    expect((await dataset.lookup(moved, '..'))?.ino).toBe(target.ino);
    expect((await dataset.stat(source)).nlink).toBe(2);
    expect((await dataset.stat(target)).nlink).toBe(3);
    expect((await dataset.at('target/e/inside')).nlink).toBe(1);
    expect((await dataset.stat(moved)).nlink).toBe(2);
  });

  it('replaces a file, whose last name it was', async () => {
    const [a, b] = [await dataset.file(source, 'a'), await dataset.file(target, 'b')];
    const cookie = (await dataset.list(target))[0]!;
    await dataset.rename(source, 'a', target, 'b');
    expect((await dataset.lookup(target, 'b'))?.ino).toBe(a.ino);
    expect(await refusal(dataset.stat(b))).toBe('ESTALE');
    expect(dataset.record(target).entryCount).toBe(1);
    expect(dataset.records.tree.usedInodes).toBe(4);
    expect(await dataset.list(target)).toEqual([{ ...cookie, ino: a.ino }]);
  });

  it('leaves what it replaces under its other names', async () => {
    await dataset.file(source, 'a');
    const file = await dataset.file(target, 'b');
    await dataset.link(file, root, 'other');
    await dataset.rename(source, 'a', target, 'b');
    expect(await dataset.stat(file)).toMatchObject({ nlink: 1 });
    expect(dataset.record(file).parents).toHaveLength(1);
  });

  it('replaces a file in the same directory', async () => {
    await dataset.file(source, 'a');
    await dataset.file(source, 'b');
    const renamed = await dataset.rename(source, 'a', source, 'b');
    expect(renamed.source).toEqual(renamed.target);
    expect(await dataset.names(source)).toEqual(['b']);
    expect(dataset.record(source).entryCount).toBe(1);
  });

  it('replaces an empty directory (RFC 1813 §3.3.14)', async () => {
    const moved = await dataset.directory(source, 'd');
    const replaced = await dataset.directory(target, 'e');
    await dataset.rename(source, 'd', target, 'e');
    expect((await dataset.lookup(target, 'e'))?.ino).toBe(moved.ino);
    expect(await refusal(dataset.stat(replaced))).toBe('ESTALE');
    expect((await dataset.stat(source)).nlink).toBe(2);
    expect((await dataset.stat(target)).nlink).toBe(3);
    await dataset.directory(target, 'f');
    await dataset.rename(target, 'f', target, 'e');
    expect((await dataset.stat(target)).nlink).toBe(3);
    expect(dataset.records.tree.usedInodes).toBe(4);
  });

  it('refuses a directory over a file, a file over a directory, and anything over a full directory', async () => {
    await dataset.file(source, 'file');
    const directory = await dataset.directory(source, 'directory');
    await dataset.directory(source, 'empty');
    await dataset.file(directory, 'a');
    expect(await refusal(dataset.rename(source, 'empty', source, 'file'))).toBe('ENOTDIR');
    expect(await refusal(dataset.rename(source, 'file', source, 'empty'))).toBe('EISDIR');
    expect(await refusal(dataset.rename(source, 'empty', source, 'directory'))).toBe('ENOTEMPTY');
    expect(await refusal(dataset.rename(directory, 'a', root, 'source'))).toBe('EISDIR');
    expect(await refusal(dataset.rename(source, 'directory', root, 'source'))).toBe('ENOTEMPTY');
  });

  it('does nothing when both names lead to one inode', async () => {
    const file = await dataset.file(source, 'a');
    const { node } = await dataset.link(file, target, 'b');
    const before = await dataset.stat(source);
    const renamed = await dataset.rename(source, 'a', target, 'b');
    expect(renamed.source).toEqual({ before, after: before });
    expect(await dataset.stat(file)).toEqual(node);
    expect(await dataset.names(source)).toEqual(['a']);
    expect(await dataset.names(target)).toEqual(['b']);
    await dataset.rename(root, 'source', root, 'source');
    expect((await dataset.root()).nlink).toBe(4);
  });

  it('refuses to move a directory into itself or below', async () => {
    const inner = await dataset.directory(source, 'inner');
    const innermost = await dataset.directory(inner, 'innermost');
    await dataset.file(innermost, 'file');
    expect(await refusal(dataset.rename(root, 'source', source, 'x'))).toBe('EINVAL');
    expect(await refusal(dataset.rename(root, 'source', innermost, 'x'))).toBe('EINVAL');
    expect(await refusal(dataset.rename(root, 'source', innermost, 'file'))).toBe('EINVAL');
    await dataset.rename(source, 'inner', root, 'inner');
    await dataset.rename(root, 'source', innermost, 'x');
  });

  it('answers EIO instead of walking for ever where the parents of a directory are a circle', async () => {
    const inner = await dataset.directory(source, 'inner');
    dataset.force(source, { parents: [{ ino: inner.ino, cookieHigh: 0, cookieLow: 16 }] });
    expect(await refusal(dataset.rename(root, 'target', inner, 'x'))).toBe('EIO');
  });

  it('lets one of two renames through that would make directories each other’s ancestors', async () => {
    const outcomes = await Promise.allSettled([
      dataset.rename(root, 'source', target, 'x'),
      dataset.rename(root, 'target', source, 'y'),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('sees on the way up from its target what is not stored yet', async () => {
    const inner = await dataset.directory(source, 'inner');
    const outcomes = await Promise.allSettled([
      dataset.rename(root, 'source', target, 'x'),
      dataset.rename(root, 'target', inner, 'y'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('refuses . and .. at both ends, .snapshots as a target, and names that nothing has', async () => {
    await dataset.file(source, 'a');
    for (const name of ['.', '..']) {
      expect(await refusal(dataset.rename(source, name, target, 'x'))).toBe('EINVAL');
      expect(await refusal(dataset.rename(source, 'a', target, name))).toBe('EINVAL');
    }
    expect(await refusal(dataset.rename(source, 'a', target, '.snapshots'))).toBe('EACCES');
    expect(await refusal(dataset.rename(source, 'a', target, 'n'.repeat(256)))).toBe('ENAMETOOLONG');
    expect(await refusal(dataset.rename(source, 'absent', target, 'x'))).toBe('ENOENT');
    const file = await dataset.file(root, 'file');
    expect(await refusal(dataset.rename(file, 'a', target, 'x'))).toBe('ENOTDIR');
    expect(await refusal(dataset.rename(source, 'a', file, 'x'))).toBe('ENOTDIR');
  });

  it('needs write permission on both directories', async () => {
    const closed = await dataset.directory(root, 'closed', { mode: 0o755 });
    await dataset.file(closed, 'a');
    await dataset.file(source, 'b');
    const alice = dataset.as(ALICE);
    expect(await refusal(alice.rename(closed, 'a', target, 'x'))).toBe('EACCES');
    expect(await refusal(alice.rename(source, 'b', closed, 'x'))).toBe('EACCES');
    expect(await refusal(alice.rename(source, 'b', closed, 'a'))).toBe('EACCES');
    await alice.rename(source, 'b', target, 'x');
  });

  it('in a sticky directory takes only what is one’s own, at both ends', async () => {
    const sticky = await dataset.directory(root, 'tmp', { mode: 0o1777 });
    const [alice, bob] = [dataset.as(ALICE), dataset.as(BOB)];
    await alice.file(sticky, 'hers');
    await bob.file(sticky, 'his');
    await alice.file(source, 'new');
    expect(await refusal(alice.rename(sticky, 'his', source, 'x'))).toBe('EACCES');
    expect(await refusal(alice.rename(source, 'new', sticky, 'his'))).toBe('EACCES');
    await alice.rename(source, 'new', sticky, 'hers');
    await alice.rename(sticky, 'hers', source, 'x');
  });

  it('needs write permission on a directory whose parent changes, not on one that stays', async () => {
    await dataset.directory(source, 'd', { mode: 0o755, uid: BOB.uid });
    const alice = dataset.as(ALICE);
    expect(await refusal(alice.rename(source, 'd', target, 'd'))).toBe('EACCES');
    await alice.rename(source, 'd', source, 'e');
    await dataset.as(BOB).rename(source, 'e', target, 'e');
  });

  it('is EACCES for such a directory over one that is not empty, but ENOTDIR over a file, as with Linux', async () => {
    await dataset.directory(source, 'd', { mode: 0o755, uid: BOB.uid });
    await dataset.directory(await dataset.directory(target, 'full'), 'entry');
    await dataset.file(target, 'file');
    const alice = dataset.as(ALICE);
    expect(await refusal(alice.rename(source, 'd', target, 'full'))).toBe('EACCES');
    expect(await refusal(alice.rename(source, 'd', target, 'file'))).toBe('ENOTDIR');
    expect(await refusal(dataset.as(BOB).rename(source, 'd', target, 'full'))).toBe('ENOTEMPTY');
  });

  it(`is EMLINK when the target directory has ${LINK_COUNT_MAX} links, unless a directory there is replaced`, async () => {
    await dataset.directory(source, 'd');
    await dataset.directory(target, 'there');
    dataset.force(target, { nlink: LINK_COUNT_MAX });
    expect(await refusal(dataset.rename(source, 'd', target, 'more'))).toBe('EMLINK');
    await dataset.rename(target, 'there', target, 'still there');
    await dataset.rename(source, 'd', target, 'still there');
    expect((await dataset.stat(target)).nlink).toBe(LINK_COUNT_MAX);
  });

  it('moves a name within a bucket that is full', async () => {
    const cookieOf = nameCookie(Buffer.alloc(16), () => ({ high: 7, low: 0x30 }));
    const collided = await TestDataset.open({ cookieOf });
    const directory = await collided.root();
    for (let i = 0; i < 16; i++) await collided.file(directory, `n${i}`);
    expect(await refusal(collided.file(directory, 'n16'))).toBe('ENOSPC');
    await collided.rename(directory, 'n5', directory, 'moved');
    await collided.rename(directory, 'n6', directory, 'n7');
    expect((await collided.lookup(directory, 'moved'))?.nlink).toBe(1);
    expect(await collided.list(directory)).toHaveLength(15);
    for (const { name } of await collided.list(directory)) await collided.remove(directory, name);
    expect(collided.records.tree.usedInodes).toBe(1);
  });
});
