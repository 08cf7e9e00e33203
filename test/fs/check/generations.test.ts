import { beforeEach, describe, expect, it } from 'vitest';
import { DroppedTrees } from '../../../src/datasets/dropped-trees.ts';
import { StoreCheck } from '../../../src/fs/check/check-store.ts';
import type { Finding } from '../../../src/fs/check/finding.ts';
import { decodeChunk } from '../../../src/fs/chunk-codec.ts';
import type { FrameExtent } from '../../../src/fs/extent.ts';
import { decodeKept, encodeKept } from '../../../src/fs/generation-records.ts';
import { nameCookie } from '../../../src/fs/name-cookie.ts';
import { decodeSpace, encodeSpace } from '../../../src/fs/space-rows.ts';
import { Sweeps } from '../../../src/fs/sweep.ts';
import { keys } from '../../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import type { MemorySegmentStore } from '../../../src/kv/memory-segment-store.ts';
import type { Range, Row } from '../../../src/kv/meta-store.ts';
import { seededRandom } from '../../kv/seeded-random.ts';
import { type Dataset, HASH_KEY, type Kept, ViewWorld } from '../views/view-world.ts';
import { SUPERUSER } from '../views/walk.ts';

const call = { caller: SUPERUSER };

/** Does something once, behind the last row that somebody goes through. */
class ObservedMetaStore extends MemoryMetaStore {
  behindLast: (() => Promise<void>) | null = null;

  override async *rows(range: Range): AsyncGenerator<Row> {
    const { behindLast } = this;
    this.behindLast = null;
    yield* super.rows(range);
    await behindLast?.();
  }
}
const NAME = Buffer.from('file');

describe('a check of a volume with snapshots and clones', () => {
  let world: ViewWorld;
  let origin: Dataset;
  let kept: Kept;
  let clone: Dataset;
  let meta: ObservedMetaStore;

  /** A file of 100 kB that its snapshot has and its dataset has changed, and a clone that has changed it otherwise. */
  beforeEach(async () => {
    meta = new ObservedMetaStore();
    world = await ViewWorld.open({ random: seededRandom(1), meta });
    origin = await world.create();
    const root = await origin.fileSystem.root();
    const { result } = await origin.fileSystem.create(call, root, NAME, { mode: 'guarded', changes: {} });
    await origin.fileSystem.write(call, result.node, 0, Buffer.alloc(100_000, 'a'), true);
    kept = await world.keep(origin);
    clone = await world.clone(kept);
    await origin.fileSystem.write(call, result.node, 0, Buffer.alloc(100_000, 'b'), true);
    await clone.fileSystem.mkdir(call, root, Buffer.from('directory'), {});
    await world.shared.store.durable(world.shared.store.ticket);
  });

  const findings = async (): Promise<Finding[]> => {
    const { store } = world.shared;
    const found: Finding[] = [];
    for await (const one of new StoreCheck({ store, cookieOf: nameCookie(HASH_KEY) }).run()) found.push(one);
    return found;
  };
  const firstOf = async (range: Range) => (await meta.page(range, 1))[0]!;

  it('finds nothing where nothing is wrong', async () => {
    expect(await findings()).toEqual([]);
  });

  it('finds nothing where a clone is deleted meanwhile', async () => {
    const { store } = world.shared;
    const trees = await DroppedTrees.open(store, new Sweeps(store, store.parts.log));
    meta.behindLast = async () => {
      trees.drop(clone.operations.records.tree);
      await trees.drained();
    };
    expect(await findings()).toEqual([]);
    expect(store.trees.has(clone.operations.records.tree.id)).toBe(false);
  });

  it('finds and mends the counters of a snapshot', async () => {
    const key = keys.kept.key(kept.tree.id, kept.generation);
    const row = decodeKept((await firstOf(keys.kept.range()))[1]);
    await meta.write([{ key, value: encodeKept({ ...row, usedBytes: 7 }) }], true);
    const [found] = await findings();
    expect(found?.message).toBe(
      'The counters of kept generation 0 of tree 1 say 7 bytes and 2 inodes; it shows 100000 bytes and 2 inodes',
    );
    await meta.write(found!.repair!, true);
    expect(await findings()).toEqual([]);
  });

  it('finds and mends falsified rows of the space accounting', async () => {
    const rows = await meta.page(keys.space.range(1), 10);
    const wrong = rows.map(([key, value]) => ({ key, value: encodeSpace(decodeSpace(value) + 7) }));
    const unknown = { key: keys.space.key(2, 1, 5), value: encodeSpace(9) };
    await meta.write([...wrong, unknown], true);
    const found = await findings();
    expect(found.map(({ kind, tree, message }) => ({ kind, tree, message }))).toEqual([
      {
        kind: 'usage',
        tree: 1,
        message: 'The accounting of tree 1 says 100060 bytes for its head alone; its maps say 100053',
      },
      {
        kind: 'usage',
        tree: 1,
        message:
          'The accounting of tree 1 says 100060 bytes for kept generation 0 alone; its maps say 100053',
      },
      {
        kind: 'usage',
        tree: 2,
        message: 'The accounting of tree 2 says 9 bytes for the kept generations from 1 to 5; its maps say 0',
      },
    ]);
    for (const { repair } of found) await meta.write(repair!, true);
    expect(await findings()).toEqual([]);
    await meta.write([{ key: rows[0]![0], value: null }], true);
    expect(await findings()).toHaveLength(1);
  });

  it('misses an older version that is gone, by the counters', async () => {
    const [key] = await firstOf(keys.history.range(1, keys.inode.prefix));
    await meta.write([{ key, value: null }], true);
    expect((await findings()).map(({ kind }) => kind)).toContain('usage');
  });

  it('finds versions out of order', async () => {
    const [key, value] = await firstOf(keys.history.range(1, keys.inode.prefix));
    const { rest } = keys.history.parse(key);
    const later = keys.history.key(1, keys.inode.prefix, rest, 2);
    await meta.write([{ key: later, value: (await firstOf(keys.inode.range(1)))[1] }], true);
    expect((await findings()).map(({ message }) => message).join()).toMatch(/out of order/);
    await meta.write(
      [
        { key: later, value: null },
        { key, value },
      ],
      true,
    );
    expect(await findings()).toEqual([]);
  });

  it('finds and mends a death without a note', async () => {
    const [key] = await firstOf(keys.changed.range(1, 1));
    await meta.write([{ key, value: null }], true);
    const [found] = await findings();
    expect(found?.message).toMatch(/died without a note/);
    await meta.write(found!.repair!, true);
    expect(await findings()).toEqual([]);
  });

  it('finds a clone for which nothing is kept', async () => {
    const key = keys.kept.key(kept.tree.id, kept.generation);
    const row = decodeKept((await firstOf(keys.kept.range()))[1]);
    await meta.write([{ key, value: encodeKept({ ...row, holders: row.holders.slice(0, 1) }) }], true);
    expect((await findings()).map(({ message }) => message)).toEqual([
      'Tree 2 shows generation 0 of tree 1, which is not kept for it',
    ]);
  });

  it('finds what a clone has lost, and mends no record of it', async () => {
    const [key] = await firstOf(keys.dirEntry.range(2));
    await meta.write([{ key, value: null }], true);
    const found = await findings();
    expect(found.map(({ tree, kind, repair }) => ({ tree, kind, repair }))).toEqual([
      { tree: 2, kind: 'inode', repair: null },
      { tree: 2, kind: 'orphan', repair: null },
    ]);
  });

  it('finds damaged data that only a snapshot shows', async () => {
    const [, value] = await firstOf(keys.history.range(1, keys.chunk.prefix));
    const { frame } = decodeChunk(value)[0] as FrameExtent;
    const segments = world.shared.store.parts.segments as MemorySegmentStore;
    const bytes = segments.read(frame.segment, 0, frame.at + 1000) as Buffer;
    bytes[frame.at + 500]! ^= 1;
    const found = await findings();
    expect(found.map(({ kind }) => kind)).toEqual(['damaged-data']);
    expect(found[0]!.message).toMatch(/a snapshot shows it$/);
  });
});
