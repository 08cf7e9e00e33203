// A volume over memory stores: the registry and the file systems of its datasets.

import type { Clock, Random } from '../../src/clock.ts';
import { DroppedTrees } from '../../src/datasets/dropped-trees.ts';
import { DatasetRegistry } from '../../src/datasets/registry.ts';
import type { OpenFileSystem } from '../../src/datasets/registry-context.ts';
import type { Caller, NodeRef } from '../../src/fs/file-system.ts';
import { inoSequenceKey, openDataset } from '../../src/fs/open-dataset.ts';
import { SegmentLog } from '../../src/fs/segment-log.ts';
import { Store } from '../../src/fs/store.ts';
import { Sweeps } from '../../src/fs/sweep.ts';
import { type Tree, treeCaches } from '../../src/fs/tree.ts';
import { WriteBack } from '../../src/fs/write-back.ts';
import { keys } from '../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import type { MetaStore } from '../../src/kv/meta-store.ts';
import type { SegmentStore } from '../../src/kv/segment-store.ts';

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

/** Memory segments on a disk that has as much room as a test says. */
class DiskOfSize extends MemorySegmentStore {
  private readonly disk: { freeBytes: number };

  constructor(disk: { freeBytes: number }) {
    super();
    this.disk = disk;
  }

  override async freeBytes(): Promise<number> {
    return this.disk.freeBytes;
  }
}

export interface TestVolume {
  readonly datasets: DatasetRegistry;
  readonly store: Store;
  readonly writeBack: WriteBack;
  readonly operations: Map<number, OpenFileSystem>;
  reopen(): Promise<TestVolume>;
  drained(): Promise<void>;
  stop(): Promise<void>;
  readonly meta: MetaStore;
  treeOf(datasetId: number): number;
}

export async function openVolume(
  options: {
    meta?: MetaStore;
    segments?: SegmentStore;
    disk?: { freeBytes: number };
    datasetsMax?: number;
  } = {},
): Promise<TestVolume> {
  const meta = options.meta ?? new MemoryMetaStore();
  const log = () => {};
  const logs = { error: log, warn: log, info: log };
  const segments = options.segments ?? new DiskOfSize(options.disk ?? { freeBytes: 1e12 });
  const store = await Store.open({
    meta,
    segments,
    hashKey: HASH_KEY,
    clock,
    random,
    log: logs,
    settings: {
      strict: true,
      relaxedSyncMs: 1000,
      caches: treeCaches({ inodes: 4096, names: 4096, chunkBytes: 2 ** 20 }),
    },
  });
  let nextSegment = 1 + Math.max(0, ...(await segments.list()).keys());
  const segmentLog = new SegmentLog({ segments, ids: { take: () => nextSegment++ } });
  const space = { dirtyBytesMax: 64 * 2 ** 20, diskReserveBytes: 0 };
  const writeBack = await WriteBack.open({ store, segmentLog, clock, log: logs, ...space });
  const shared = { store, writeBack, reclaimer: { wake() {} }, clock, random };
  const inos = new Map<string, Buffer>();
  for await (const [key, value] of meta.rows(keys.system.range())) inos.set(key.toString('hex'), value);
  const operations = new Map<number, OpenFileSystem>();
  const openFileSystem = (datasetId: number, tree: Tree, inosOfClone?: Buffer): OpenFileSystem => {
    const stored = inosOfClone ?? inos.get(inoSequenceKey(datasetId).toString('hex'));
    const open = openDataset(shared, datasetId, tree, stored);
    operations.set(datasetId, open);
    return open;
  };
  const trees = await DroppedTrees.open(store, new Sweeps(store, logs));
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
    writeBack,
    operations,
    async reopen() {
      await trees.stop();
      for (const tree of store.trees.values()) await writeBack.flushAll(tree);
      await store.idle();
      return openVolume({ ...options, meta, segments });
    },
    drained: () => trees.drained(),
    stop: () => trees.stop(),
    meta,
    treeOf: (datasetId) => operations.get(datasetId)!.operations.records.tree.id,
  };
}

/** A new file whose bytes wait in memory. */
export async function writeUnstable(
  volume: TestVolume,
  dataset: string,
  name: string,
  bytes: number,
): Promise<NodeRef> {
  const { fileSystem } = volume.datasets.get(dataset)!;
  const call = { caller: SUPERUSER };
  const how = { mode: 'guarded', changes: {} } as const;
  const { result } = await fileSystem.create(call, await fileSystem.root(), Buffer.from(name), how);
  const { node } = result;
  const written = await fileSystem.write(call, node, 0, Buffer.alloc(bytes, 0x61), false);
  if (written.result.count !== bytes) throw new Error('a short write');
  return node;
}

export async function writeFile(
  volume: TestVolume,
  dataset: string,
  name: string,
  bytes: number,
): Promise<void> {
  const { fileSystem } = volume.datasets.get(dataset)!;
  const node = await writeUnstable(volume, dataset, name, bytes);
  await fileSystem.settled((await fileSystem.commit({ caller: SUPERUSER }, node)).ticket);
}

/** Bytes of frames that some map names. */
export function liveBytes({ store }: TestVolume): number {
  let bytes = 0;
  for (const segment of store.live.segments.values()) bytes += segment.liveBytes;
  return bytes;
}

/** The keys that a tree has in the store. */
export async function treeRows(meta: MetaStore, tree: number): Promise<string[]> {
  const rows = await Promise.all(TREE_FAMILIES.map((family) => meta.page(family.range(tree), 10_000)));
  return rows.flat().map(([key]) => key.toString('hex'));
}
