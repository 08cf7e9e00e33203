// A volume over memory stores: the registry, and of each dataset's file system what these tests ask of it. Data is
// counted, not stored.

import type { Clock, Random } from '../../src/clock.ts';
import { DroppedTrees } from '../../src/datasets/dropped-trees.ts';
import { DatasetRegistry } from '../../src/datasets/registry.ts';
import type { OpenFileSystem } from '../../src/datasets/registry-context.ts';
import type { Caller, FileSystem } from '../../src/fs/file-system.ts';
import { FsError } from '../../src/fs/fs-error.ts';
import { IdSequence } from '../../src/fs/ids.ts';
import { nameCookie } from '../../src/fs/name-cookie.ts';
import { ROOT_INO } from '../../src/fs/operation.ts';
import { attributes, attributesOfMany, rootAttributes } from '../../src/fs/ops/attributes.ts';
import { create } from '../../src/fs/ops/create.ts';
import { lookup } from '../../src/fs/ops/lookup.ts';
import { readdir } from '../../src/fs/ops/readdir.ts';
import { rmdir } from '../../src/fs/ops/remove.ts';
import { rename } from '../../src/fs/ops/rename.ts';
import { Records } from '../../src/fs/records.ts';
import { Store } from '../../src/fs/store.ts';
import type { Tree } from '../../src/fs/tree.ts';
import { Turn } from '../../src/fs/turn.ts';
import { keys } from '../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import type { MetaStore } from '../../src/kv/meta-store.ts';

const TREE_FAMILIES = [
  keys.inode,
  keys.dirEntry,
  keys.stats,
  keys.tombstone,
  keys.tree,
  keys.link,
  keys.chunk,
] as const;
const HASH_KEY = Buffer.alloc(16, 7);
const CACHES = { inodesCached: 4096, namesCached: 4096, chunksCached: 256 };
export const SUPERUSER: Caller = { uid: 0, gid: 0, groups: [] };

let ms = 1_700_000_000_000;
const clock: Clock = {
  now: () => {
    ms++;
    return { seconds: Math.floor(ms / 1000), nanoseconds: (ms % 1000) * 1e6 };
  },
  elapsedMs: () => ms,
  after: () => ({ cancel() {} }),
};
let n = 0;
const random: Random = (bytes) => {
  const b = Buffer.alloc(bytes);
  b.writeUInt32BE(++n, bytes - 4);
  return b;
};

export interface TestVolume {
  readonly datasets: DatasetRegistry;
  readonly store: Store;
  readonly operations: Map<number, OpenFileSystem>;
  reopen(): Promise<TestVolume>;
  drained(): Promise<void>;
  stop(): Promise<void>;
  readonly meta: MetaStore;
  treeOf(datasetId: number): number;
}

export async function openVolume(
  options: { meta?: MetaStore; disk?: { freeBytes: number }; datasetsMax?: number } = {},
): Promise<TestVolume> {
  const meta = options.meta ?? new MemoryMetaStore();
  const log = () => {};
  const store = await Store.open({
    meta,
    segments: new MemorySegmentStore(),
    hashKey: HASH_KEY,
    clock,
    random,
    log: { error: log, warn: log, info: log },
    settings: { strict: true, relaxedSyncMs: 1000, caches: CACHES },
  });
  const operations = new Map<number, OpenFileSystem>();
  const openFileSystem = (datasetId: number, tree: Tree): OpenFileSystem => {
    const records = new Records(store, tree, nameCookie(HASH_KEY));
    const context = {
      datasetId,
      records,
      clock,
      random,
      inos: new IdSequence(`next/ino/${datasetId}`, ROOT_INO + 1, undefined),
      writeBack: { checkInode() {}, freeBytes: () => 1e12, forgetTimes() {} },
    };
    const fileSystem = {
      root: () => rootAttributes(context),
      attributes: (node) => attributes(context, node),
      attributesOf: (inos) => attributesOfMany(context, inos),
      lookup: (caller, directory, name) => lookup(context, caller, directory, name),
      readdir: (caller, directory, after, limit) => readdir(context, caller, directory, after, limit),
      rmdir: (call, directory, name) => rmdir(context, call, directory, name),
      rename: (call, ...rest) => rename(context, call, ...rest),
    } as Partial<FileSystem> as FileSystem;
    const open = { fileSystem, operations: context };
    operations.set(datasetId, open);
    return open;
  };
  const trees = await DroppedTrees.open(store);
  const datasets = await DatasetRegistry.open({
    store,
    openFileSystem,
    diskFreeBytes: () => options.disk?.freeBytes ?? 1e12,
    ...(options.datasetsMax && { datasetsMax: options.datasetsMax }),
    trees,
  });
  return {
    datasets,
    store,
    operations,
    async reopen() {
      await trees.stop();
      await store.idle();
      return openVolume({ ...options, meta });
    },
    drained: () => trees.drained(),
    stop: () => trees.stop(),
    meta,
    treeOf: (datasetId) => operations.get(datasetId)!.operations.records.tree.id,
  };
}

export async function writeFile(
  volume: TestVolume,
  dataset: string,
  name: string,
  bytes: number,
): Promise<void> {
  const { id, tree } = volume.datasets.get(dataset)! as unknown as { id: number; tree: Tree };
  const { operations: context } = volume.operations.get(id)!;
  if (tree.limits.availableBytes() < bytes) throw new FsError('EDQUOT');
  const { ticket } = await create(
    context,
    { caller: SUPERUSER },
    await volume.operations.get(id)!.fileSystem.root(),
    Buffer.from(name),
    {
      mode: 'guarded',
      changes: {},
    },
  );
  const turn = new Turn(context.records, clock.now());
  turn.count(bytes, 0);
  turn.putRow({ key: Buffer.from([0x1f]), value: Buffer.alloc(1) });
  await volume.store.durable(Math.max(ticket, turn.commit()));
}

/** The keys that a tree has in the store. */
export async function treeRows(meta: MetaStore, tree: number): Promise<string[]> {
  const rows = await Promise.all(TREE_FAMILIES.map((family) => meta.page(family.range(tree), 10_000)));
  return rows.flat().map(([key]) => key.toString('hex'));
}
