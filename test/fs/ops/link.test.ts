import { beforeEach, describe, expect, it } from 'vitest';
import { type Attributes, LINK_COUNT_MAX } from '../../../src/fs/file-system.ts';
import { keys } from '../../../src/kv/keys.ts';
import { ALICE, refusal, TestDataset } from './test-dataset.ts';

describe('LINK', () => {
  let dataset: TestDataset;
  let root: Attributes;
  let file: Attributes;
  beforeEach(async () => {
    dataset = await TestDataset.open();
    root = await dataset.root();
    file = await dataset.file(root, 'a');
  });

  /** Where the inode says it has names: in its record, and in rows. */
  async function parents(node: Attributes): Promise<{ record: number; rows: number }> {
    await dataset.applied();
    const { tree } = dataset.records;
    const rows = await dataset.parts.meta.page(keys.link.range(tree.id, node.ino), 100);
    return { record: dataset.record(node).parents.length, rows: rows.length };
  }

  it('gives a file another name, a link and a new ctime', async () => {
    const before = await dataset.root();
    const { node, directory } = await dataset.link(file, root, 'b');
    expect(node).toMatchObject({ ino: file.ino, nlink: 2, mtimeNanoseconds: file.mtimeNanoseconds });
    expect(node.ctimeNanoseconds).not.toBe(file.ctimeNanoseconds);
    expect(directory).toEqual({ before, after: await dataset.root() });
    expect(await dataset.lookup(root, 'b')).toEqual(node);
    expect(await dataset.lookup(root, 'a')).toEqual(node);
    expect(dataset.records.tree.usedInodes).toBe(2);
  });

  it('gives symbolic links names too', async () => {
    const { node } = await dataset.symlink(root, 'l', 'a');
    await dataset.link(node, root, 'm');
    expect((await dataset.lookup(root, 'm'))?.ino).toBe(node.ino);
  });

  it('is EINVAL for a directory (RFC 1813 §3.3.15 has no ISDIR)', async () => {
    const directory = await dataset.directory(root, 'd');
    expect(await refusal(dataset.link(directory, root, 'e'))).toBe('EINVAL');
  });

  it('is EEXIST over anything, itself included', async () => {
    for (const name of ['a', '.', '..']) expect(await refusal(dataset.link(file, root, name))).toBe('EEXIST');
  });

  it('needs write permission on the directory and none on the file', async () => {
    await dataset.setattr(file, { mode: 0 });
    expect(await refusal(dataset.as(ALICE).link(file, root, 'b'))).toBe('EACCES');
    const open = await dataset.directory(root, 'open');
    await dataset.as(ALICE).link(file, open, 'b');
  });

  it('is ESTALE for a file or a directory that is gone, ENOTDIR into a file', async () => {
    const directory = await dataset.directory(root, 'd');
    await dataset.rmdir(root, 'd');
    expect(await refusal(dataset.link(file, directory, 'b'))).toBe('ESTALE');
    expect(await refusal(dataset.link(file, file, 'b'))).toBe('ENOTDIR');
    await dataset.remove(root, 'a');
    expect(await refusal(dataset.link(file, root, 'b'))).toBe('ESTALE');
  });

  it(`makes ${LINK_COUNT_MAX} names and is EMLINK beyond`, async () => {
    dataset.force(file, { nlink: LINK_COUNT_MAX - 1 });
    await dataset.link(file, root, 'last');
    expect(await refusal(dataset.link(file, root, 'more'))).toBe('EMLINK');
    await dataset.remove(root, 'last');
    await dataset.link(file, root, 'more');
  });

  it('makes no .snapshots', async () => {
    expect(await refusal(dataset.link(file, root, '.snapshots'))).toBe('EACCES');
  });

  it('keeps four parents in the record and those beyond as rows', async () => {
    for (const name of ['b', 'c', 'd', 'e', 'f']) await dataset.link(file, root, name);
    expect(await parents(file)).toEqual({ record: 4, rows: 2 });
  });

  it('takes a parent from where it is, and moves none up', async () => {
    for (const name of ['b', 'c', 'd', 'e', 'f']) await dataset.link(file, root, name);
    await dataset.remove(root, 'b');
    expect(await parents(file)).toEqual({ record: 3, rows: 2 });
    await dataset.remove(root, 'f');
    expect(await parents(file)).toEqual({ record: 3, rows: 1 });
    await dataset.link(file, root, 'g');
    expect(await parents(file)).toEqual({ record: 4, rows: 1 });
    for (const name of ['a', 'c', 'd', 'e', 'g']) await dataset.remove(root, name);
    expect(await refusal(dataset.stat(file))).toBe('ESTALE');
    const rows = await dataset.parts.meta.page(keys.link.range(dataset.records.tree.id), 100);
    expect(rows).toEqual([]);
  });

  it('follows a name that moves, in the record and in a row', async () => {
    const directory = await dataset.directory(root, 'sub');
    for (const name of ['b', 'c', 'd', 'e', 'f']) await dataset.link(file, root, name);
    await dataset.rename(root, 'a', directory, 'a');
    await dataset.rename(root, 'f', directory, 'f');
    expect(await parents(file)).toEqual({ record: 4, rows: 2 });
    expect(dataset.record(file).parents.filter(({ ino }) => ino === directory.ino)).toHaveLength(1);
    const { tree } = dataset.records;
    const rows = await dataset.parts.meta.page(keys.link.range(tree.id, file.ino, directory.ino), 100);
    expect(rows).toHaveLength(1);
  });
});
