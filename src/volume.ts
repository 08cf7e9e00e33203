// A volume: everything between the two stores and those who serve it. Put together here and taken apart in order.

import type { Clock, Random } from './clock.ts';
import { DroppedTrees } from './datasets/dropped-trees.ts';
import { DatasetRegistry } from './datasets/registry.ts';
import { mendSegments } from './fs/check/mend-segments.ts';
import { Scrub } from './fs/check/scrub.ts';
import { checkSegments } from './fs/lost-segments.ts';
import { checkNumbers, numberedByVolume } from './fs/numbers-in-use.ts';
import { inoSequenceName, openDataset } from './fs/open-dataset.ts';
import { PinnedGenerations } from './fs/pinned-generations.ts';
import { Reclaimer } from './fs/reclaimer.ts';
import { recountSpace } from './fs/recount-space.ts';
import { SegmentLog } from './fs/segment-log.ts';
import { type Log, Store, type StoreSettings } from './fs/store.ts';
import { Sweeps } from './fs/sweep.ts';
import { INODE_BYTES, NAME_BYTES, treeCaches } from './fs/tree.ts';
import { WriteBack } from './fs/write-back.ts';
import type { VolumeFormat } from './kv/format.ts';
import { keys } from './kv/keys.ts';
import type { MetaStore } from './kv/meta-store.ts';
import type { SegmentStore } from './kv/segment-store.ts';
import { DetachPolicy } from './snapshots/detach/detach-policy.ts';
import { Detaches } from './snapshots/detach/detaches.ts';
import { Diffs } from './snapshots/diff/diffs.ts';
import { BackgroundJobs } from './snapshots/jobs/background-jobs.ts';
import { Jobs } from './snapshots/jobs/jobs.ts';
import { Restores } from './snapshots/restore/restores.ts';
import { SnapshotRegistry } from './snapshots/snapshot-registry.ts';

export interface VolumeSettings {
  readonly durability: 'strict' | 'relaxed';
  readonly relaxedSyncMs: number;
  readonly dirtyBytesMax: number;
  readonly diskReserveBytes: number;
  /** Decoded records and maps kept in memory. */
  readonly cacheBytes: number;
  /** Datasets are detached without being told, where that gives back more than it copies. */
  readonly autoDetach: boolean;
}

export interface VolumeParts {
  readonly meta: MetaStore;
  readonly segments: SegmentStore;
  readonly format: VolumeFormat;
  /** Of LevelDB, for its own checksums; absent where the metadata is elsewhere. */
  readonly metaPath?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: VolumeSettings;
  /** Mends what damage has taken away, as far as that can be known, instead of refusing to open. */
  readonly repair?: boolean;
}

export interface Volume {
  readonly format: VolumeFormat;
  readonly store: Store;
  readonly datasets: DatasetRegistry;
  readonly snapshots: SnapshotRegistry;
  readonly diffs: Diffs;
  readonly restores: Restores;
  readonly detaches: Detaches;
  readonly detachPolicy: DetachPolicy;
  readonly jobs: Jobs;
  readonly trees: DroppedTrees;
  readonly sweeps: Sweeps;
  readonly writeBack: WriteBack;
  readonly segmentLog: SegmentLog;
  readonly reclaimer: Reclaimer;
  readonly scrub: Scrub;
  /** Replies that earlier runs have kept. */
  replies(): Promise<(readonly [slot: number, value: Buffer])[]>;
  /** Everything accepted is stored and the volume marked clean; the two stores are the caller's to close. */
  close(): Promise<void>;
}

/** @param background false: nothing is given back and nothing is looked for, so that a check finds what there is */
export async function openVolume(parts: VolumeParts, background = true): Promise<Volume> {
  const { meta, segments, format, clock, random, log, settings, repair = false } = parts;
  const store = await openStore(parts, repair);
  if (!format.hasSpaceAccounting) {
    await recountSpace(meta, store.trees.values());
    await format.addSpaceAccounting();
  }
  const segmentLog = new SegmentLog({ segments, ids: format.segmentIds });
  const { dirtyBytesMax, diskReserveBytes } = settings;
  const writeBack = await WriteBack.open({ store, segmentLog, clock, log, dirtyBytesMax, diskReserveBytes });
  const reclaimer = new Reclaimer({ store, segmentLog, clock, log });
  const scrub = new Scrub({ store, metaPath: parts.metaPath, clock });
  if (background) scrub.start();
  const sweeps = new Sweeps(store, log);
  const trees = await DroppedTrees.open(store, sweeps, background);
  // Behind that: what it drains of trees without a head must be accounted as theirs.
  if (background) await reclaimer.start();
  if (background) sweeps.start();
  const inos = await storedInos(meta);
  const shared = { store, writeBack, reclaimer, clock, random };
  const datasets = await DatasetRegistry.open({
    store,
    trees,
    openFileSystem: (dataset, tree, inosOfClone) =>
      openDataset(shared, dataset, tree, inosOfClone ?? inos.get(inoSequenceName(dataset))),
    diskFreeBytes: () => writeBack.freeBytes(),
    diskReserveBytes,
    repair,
  });
  const snapshots = await SnapshotRegistry.open({ shared, registry: datasets });
  await checkNumbers(store, snapshots.numberedInodes(), repair);
  if (background) snapshots.start();
  const sources = { store, datasets, snapshots, clock, pins: new PinnedGenerations(shared) };
  const newJobId = () => trees.newJobId();
  const restores = new Restores({ ...sources, shared, newJobId });
  if (background) await restores.resume();
  const detaches = new Detaches({ ...sources, segmentLog, writeBack, newJobId });
  if (background) await detaches.resume();
  const detachPolicy = new DetachPolicy({ ...sources, detaches, writeBack });
  if (background && settings.autoDetach) detachPolicy.start();
  return {
    format,
    store,
    datasets,
    snapshots,
    diffs: new Diffs(sources),
    restores,
    detaches,
    detachPolicy,
    jobs: new Jobs([
      new BackgroundJobs({ trees, sweeps, clock }),
      snapshots.dropped,
      restores.jobs,
      detaches.jobs,
    ]),
    trees,
    sweeps,
    writeBack,
    segmentLog,
    reclaimer,
    scrub,
    async replies() {
      const rows = await meta.page(keys.reply.range(), REPLIES_MAX);
      return rows.map(([key, value]) => [keys.reply.parse(key).slot, value] as const);
    },
    async close() {
      await Promise.all([detachPolicy.stop(), restores.jobs.close(), detaches.jobs.close()]);
      await Promise.all([snapshots.stop(), sweeps.stop(), trees.stop(), reclaimer.stop(), scrub.stop()]);
      writeBack.stop();
      if (store.poisoned) {
        await segmentLog.close();
        return;
      }
      for (const tree of store.trees.values()) await writeBack.flushAll(tree);
      await store.idle();
      await segmentLog.close();
      await format.markClean();
    },
  };
}

/** As far as the store itself can tell, all is there that its rows speak of. @throws VolumeError */
async function openStore(parts: VolumeParts, repair: boolean): Promise<Store> {
  const { meta, segments, format, clock, random, log, settings } = parts;
  if (repair) await mendSegments(meta, segments, log);
  const store = await Store.open({
    meta,
    segments,
    hashKey: format.hashKey,
    clock,
    random,
    log,
    settings: storeSettings(settings),
  });
  await checkNumbers(store, numberedByVolume(store), repair);
  await checkSegments(store, repair);
  return store;
}

function storeSettings({ durability, relaxedSyncMs, cacheBytes }: VolumeSettings): StoreSettings {
  return { strict: durability === 'strict', relaxedSyncMs, caches: treeCaches(cacheBounds(cacheBytes)) };
}

function cacheBounds(cacheBytes: number) {
  const share = cacheBytes / 4;
  return { inodes: (2 * share) / INODE_BYTES, names: share / NAME_BYTES, chunkBytes: share };
}

/** The whole ring. */
const REPLIES_MAX = 4096;

async function storedInos(meta: MetaStore): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for await (const [key, value] of meta.rows(keys.system.range()))
    found.set(keys.system.parse(key).name, value);
  return found;
}
