import { beforeEach, describe, expect, it } from 'vitest';
import { Access, type Attributes, FileType } from '../../../src/fs/file-system.ts';
import { attributes } from '../../../src/fs/ops/attributes.ts';
import { treeCaches } from '../../../src/fs/tree.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { AbsentMetaStore } from '../../kv/absent-meta-store.ts';
import { seededRandom } from '../../kv/seeded-random.ts';
import { ALICE, BOB, refusal, TestDataset } from './test-dataset.ts';

describe('attributes', () => {
  let dataset: TestDataset;
  let root: Attributes;
  beforeEach(async () => {
    dataset = await TestDataset.open();
    root = await dataset.root();
  });

  it('are answered in the same turn when the record is in memory', async () => {
    const file = await dataset.file(root, 'a');
    expect(attributes(dataset.parts.context, file)).toEqual(file);
  });

  it('are those of the newest operation, though it is not yet in the store', async () => {
    const file = await dataset.file(root, 'a');
    const changed = dataset.setattr(file, { mode: 0o640 });
    expect((await dataset.stat(file)).mode).toBe(0o640);
    await changed;
  });

  it('are refused with ESTALE when the inode is gone, never existed, or its number has another generation', async () => {
    const file = await dataset.file(root, 'a');
    await dataset.remove(root, 'a');
    expect(await refusal(dataset.stat(file))).toBe('ESTALE');
    expect(await refusal(dataset.stat({ ino: 999, generation: 1 }))).toBe('ESTALE');
    expect(await refusal(dataset.stat({ ino: root.ino, generation: root.generation + 1 }))).toBe('ESTALE');
  });

  it('of many inodes come in their order, undefined where one went', async () => {
    const [a, b] = [await dataset.file(root, 'a'), await dataset.file(root, 'b')];
    await dataset.remove(root, 'a');
    expect(await dataset.statMany([b.ino, a.ino, root.ino])).toEqual([b, undefined, await dataset.root()]);
  });

  it('of many inodes are waited for together when they are not resident', async () => {
    const meta = new AbsentMetaStore(new MemoryMetaStore(), seededRandom(1), 0.9);
    const absent = await TestDataset.open({
      meta,
      caches: treeCaches({ inodes: 2, names: 2, chunkBytes: 1000 }),
    });
    const made: Attributes[] = [];
    for (const name of ['a', 'b', 'c', 'd']) made.push(await absent.file(await absent.root(), name));
    await absent.applied();
    expect(await absent.statMany(made.map(({ ino }) => ino))).toEqual(made);
  });

  it('are refused with ESTALE once the tree was given up', async () => {
    dataset.records.tree.dropped = true;
    expect(await refusal(dataset.root())).toBe('ESTALE');
    expect(await refusal(dataset.stat(root))).toBe('ESTALE');
    expect(await refusal(dataset.statMany([1]))).toBe('ESTALE');
    expect(await refusal(dataset.mkdir(root, 'a'))).toBe('ESTALE');
  });
});

describe('ACCESS', () => {
  const ALL = 63;

  it('grants what the mode does, and only what the type knows', async () => {
    const dataset = await TestDataset.open();
    const root = await dataset.root();
    const file = await dataset.file(root, 'a', { mode: 0o640, uid: ALICE.uid });
    expect(await dataset.as(ALICE).granted(file, ALL)).toBe(Access.read | Access.modify | Access.extend);
    expect(await dataset.as(ALICE).granted(file, Access.read)).toBe(Access.read);
    expect(await dataset.as(BOB).granted(file, ALL)).toBe(0);
    expect(await dataset.as(BOB).granted(root, ALL)).toBe(Access.read | Access.lookup);
    expect(root.type).toBe(FileType.directory);
  });
});
