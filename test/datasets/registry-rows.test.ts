import { describe, expect, it } from 'vitest';
import type { DatasetRecord } from '../../src/datasets/dataset-record.ts';
import {
  defaultRow,
  loadRegistry,
  mendNextId,
  nameRowWithout,
  nextIdRow,
  rowsOf,
  rowsWithout,
} from '../../src/datasets/registry-rows.ts';
import { DamageError } from '../../src/fs/versioned-value.ts';
import { keys } from '../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import type { Write } from '../../src/kv/meta-store.ts';

const record = (id: number, name: string): DatasetRecord => ({
  id,
  name,
  uuid: `6f1c1f5e-3b0a-4f58-9d55-${String(id).padStart(12, '0')}`,
  parentId: null,
  parentUuid: null,
  rootInode: 1,
  createdAt: 1_795_238_400,
  isSnapshot: false,
  flags: 0,
  kind: 'filesystem',
  headTree: id + 1,
  expiresAt: null,
  properties: {},
});

const root = record(0, 'root');
const a = record(1, 'a');
const nested = record(2, 'a/b');

async function storeWith(...rows: Write[]): Promise<MemoryMetaStore> {
  const meta = new MemoryMetaStore();
  await meta.write(rows, true);
  return meta;
}

const consistent = [...rowsOf(root), ...rowsOf(a), ...rowsOf(nested), defaultRow(1), nextIdRow(3)];

describe('the rows of the registry', () => {
  it('are read back as they were written', async () => {
    const meta = await storeWith(...consistent);
    expect(await loadRegistry(meta)).toEqual({ records: [root, a, nested], defaultId: 1, nextId: 3 });
  });

  it('are none in a new store', async () => {
    expect(await loadRegistry(new MemoryMetaStore())).toEqual({
      records: [],
      defaultId: undefined,
      nextId: 0,
    });
  });

  it('leave nothing behind of a dataset that is deleted', async () => {
    const meta = await storeWith(...rowsOf(root), defaultRow(0));
    const before = await meta.page({ gte: Buffer.from([0]), lt: Buffer.from([255]) }, 100);
    await meta.write(rowsOf(a), true);
    await meta.write(rowsWithout(a), true);
    expect(await meta.page({ gte: Buffer.from([0]), lt: Buffer.from([255]) }, 100)).toEqual(before);
  });
});

describe('rows that contradict each other are refused', () => {
  it.each<[string, Write[], string]>([
    ['a name that leads nowhere', [nameRowWithout('a')], 'the name "a" leads to no dataset, expected 1'],
    [
      'a name of another dataset',
      rowsOf({ ...record(3, 'x'), name: 'a' }),
      'the name "a" leads to 3, expected 1',
    ],
    [
      'a record that is missing',
      [{ key: keys.dataset.key(2), value: null }],
      '"a/b" leads to 2, which has no such',
    ],
    ['a default that is not there', [defaultRow(9)], 'the default dataset is not there'],
    ['a dataset without the one around it', rowsWithout(a).concat(defaultRow(0)), '"a/b" is nested in none'],
    ['a volume without root', rowsWithout(root), 'there is no dataset 0'],
  ])('%s', async (_, damage, why) => {
    const meta = await storeWith(...consistent, ...damage);
    await expect(loadRegistry(meta)).rejects.toThrow(DamageError);
    await expect(loadRegistry(meta)).rejects.toThrow(why);
  });

  it('an id that would be given again, until it is mended', async () => {
    const meta = await storeWith(...consistent, nextIdRow(2));
    await expect(loadRegistry(meta)).rejects.toThrow('would get the id 2, which is taken');
    await mendNextId(meta);
    expect((await loadRegistry(meta)).nextId).toBeGreaterThan(2);
  });
});
