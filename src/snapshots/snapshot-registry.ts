// The snapshots of a volume: all in memory, read once at start, and changed only by one atomic batch a change, as the
// registry of datasets below.

import type { Timestamp } from '../clock.ts';
import type { DatasetInfo } from '../datasets/datasets.ts';
import { withoutLocal } from '../datasets/properties.ts';
import type { DatasetSnapshots } from '../datasets/registry-context.ts';
import type { NumberedThings } from '../fs/numbers-in-use.ts';
import { cloneDataset } from './clone.ts';
import { DatasetLocks } from './dataset-locks.ts';
import { DroppedSnapshots } from './dropped-snapshots.ts';
import { ExpiryWatch } from './expiry-watch.ts';
import { numberedInodes } from './inode-numbers.ts';
import type { JobSource } from './jobs/jobs.ts';
import { originOf } from './origin.ts';
import { planRollback, rollback } from './rollback.ts';
import { stageSnapshotProperties, stageSnapshotRename, stageTag, stageUntag } from './snapshot-changes.ts';
import { fullName, type SnapshotContext, type SnapshotParts } from './snapshot-context.ts';
import { createSnapshots } from './snapshot-create.ts';
import {
  deleteSnapshots,
  goingWith,
  planSnapshotDelete,
  releaseOf,
  stageAllGone,
} from './snapshot-delete.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import { clonesByOrigin, snapshotInfo } from './snapshot-info.ts';
import type { SnapshotList } from './snapshot-list.ts';
import { loadLists } from './snapshot-load.ts';
import { findSnapshot, findSnapshots, snapshotsBelow } from './snapshot-names.ts';
import { changedProperties, hasLabels } from './snapshot-properties.ts';
import type {
  CloneOptions,
  LabelSelector,
  RollbackPlan,
  Snapshot,
  SnapshotDeletePlan,
  SnapshotInfo,
  SnapshotOptions,
  SnapshotSelection,
  Snapshots,
} from './snapshots.ts';
import { SpaceCharges } from './space-charges.ts';

export class SnapshotRegistry implements Snapshots {
  private readonly context: SnapshotContext;

  private readonly expiry: ExpiryWatch;
  /** Told when a dataset has a new tree that shows a generation of another one. */
  onBranch: () => void = () => {};

  private constructor(context: SnapshotContext) {
    this.context = context;
    this.expiry = new ExpiryWatch(context, context.shared.store.parts.log);
  }

  /** @throws DamageError when the rows cannot be read or contradict those of the datasets */
  static async open(parts: SnapshotParts): Promise<SnapshotRegistry> {
    const { shared, registry } = parts;
    const lists = new Map<number, SnapshotList>();
    const loading = { ...parts, datasets: registry.context, lists, byUuid: new Map<string, SnapshotEntry>() };
    const left = await loadLists(loading);
    const context: SnapshotContext = {
      ...loading,
      locks: new DatasetLocks(),
      charges: new SpaceCharges(shared.store, lists),
      dropped: new DroppedSnapshots(shared.store, shared.clock, left),
    };
    registry.context.snapshots = snapshotsOfDatasets(context);
    return new SnapshotRegistry(context);
  }

  /** Of each dataset, where inodes with its numbers are. */
  numberedInodes(): Generator<NumberedThings> {
    return numberedInodes(this.context);
  }

  of(datasetId: number): readonly Snapshot[] {
    return this.context.lists.get(datasetId)?.entries ?? [];
  }

  find(datasetId: number, name: string): Snapshot | undefined {
    return this.context.lists.get(datasetId)?.find(name);
  }

  byId(datasetId: number, id: number): Snapshot | undefined {
    return this.context.lists.get(datasetId)?.findId(id);
  }

  changedAt(datasetId: number): Timestamp {
    const { lists, datasets } = this.context;
    const createdAt = { seconds: datasets.catalog.findId(datasetId)?.record.createdAt ?? 0, nanoseconds: 0 };
    return lists.get(datasetId)?.changedAt ?? createdAt;
  }

  /** @throws DatasetError */
  entry(name: string): SnapshotEntry {
    return findSnapshot(this.context, name);
  }

  info(name: string): SnapshotInfo {
    return this.infoOf(this.entry(name));
  }

  list(dataset?: string, labels: readonly LabelSelector[] = []): readonly SnapshotInfo[] {
    const clones = clonesByOrigin(this.context);
    return this.labelled(dataset, labels).map((entry) => snapshotInfo(this.context, entry, clones));
  }

  async create(dataset: string, name: string, options: SnapshotOptions): Promise<readonly SnapshotInfo[]> {
    const entries = await createSnapshots(this.context, dataset, name, options);
    if (options.ttlSeconds !== undefined) this.expiry.wake();
    return entries.map((entry) => snapshotInfo(this.context, entry, NO_CLONES));
  }

  async planDelete(selection: SnapshotSelection): Promise<SnapshotDeletePlan> {
    return planSnapshotDelete(this.context, this.select(selection));
  }

  async delete(selection: SnapshotSelection): Promise<SnapshotDeletePlan> {
    return deleteSnapshots(this.context, this.select(selection));
  }

  rename(name: string, newName: string): Promise<SnapshotInfo> {
    return this.changeOne(name, (entry) => stageSnapshotRename(this.context, entry, newName));
  }

  async hold(name: string, tag: string): Promise<void> {
    await this.changeOne(name, (entry) => stageTag(this.context, entry, tag));
  }

  async release(name: string, tag: string): Promise<void> {
    await this.changeOne(name, (entry) => stageUntag(this.context, entry, tag));
    this.expiry.wake();
  }

  set(name: string, properties: Readonly<Record<string, string>>): Promise<SnapshotInfo> {
    return this.changeOne(name, (entry) => {
      const changed = changedProperties(entry.record.properties, properties);
      return stageSnapshotProperties(this.context, entry, changed);
    });
  }

  inherit(name: string, property: string): Promise<SnapshotInfo> {
    return this.changeOne(name, (entry) => {
      const rest = withoutLocal(entry.record.properties, property);
      return stageSnapshotProperties(this.context, entry, rest);
    });
  }

  async clone(source: string, name: string, options: CloneOptions): Promise<DatasetInfo> {
    const dataset = await cloneDataset(this.context, source, name, options);
    this.expiry.wake();
    this.onBranch();
    return this.context.registry.infoOf(dataset);
  }

  planRollback(name: string, discard: boolean): RollbackPlan {
    return planRollback(this.context, name, discard);
  }

  async rollback(name: string, discard: boolean): Promise<RollbackPlan> {
    const plan = await rollback(this.context, name, discard);
    this.onBranch();
    return plan;
  }

  /** What lets go of the snapshots of deleted datasets. */
  get dropped(): JobSource {
    return this.context.dropped;
  }

  /** Deletes what expires from now on, and what has expired. */
  start(): void {
    this.expiry.start();
    this.context.dropped.start();
  }

  /** Resolves when all that has expired is deleted, and what deleted datasets have left is let go of. */
  async idle(): Promise<void> {
    await this.expiry.idle();
    await this.context.dropped.idle();
  }

  async stop(): Promise<void> {
    await Promise.all([this.expiry.stop(), this.context.dropped.stop()]);
  }

  private select(selection: SnapshotSelection): readonly SnapshotEntry[] {
    if (typeof selection === 'string') return findSnapshots(this.context, selection);
    return this.labelled(selection.dataset, selection.labels);
  }

  private labelled(dataset: string | undefined, labels: readonly LabelSelector[]): readonly SnapshotEntry[] {
    const entries = snapshotsBelow(this.context, dataset);
    return labels.length === 0
      ? entries
      : entries.filter(({ record }) => hasLabels(record.properties, labels));
  }

  private infoOf(entry: SnapshotEntry): SnapshotInfo {
    return snapshotInfo(this.context, entry, clonesByOrigin(this.context));
  }

  private async changeOne(
    name: string,
    stage: (entry: SnapshotEntry) => SnapshotEntry,
  ): Promise<SnapshotInfo> {
    return this.infoOf(await this.change(() => stage(findSnapshot(this.context, name))));
  }

  private change<T>(stage: () => T): Promise<T> {
    return this.context.registry.change(stage);
  }
}

const NO_CLONES: ReadonlyMap<string, readonly string[]> = new Map();

function snapshotsOfDatasets(context: SnapshotContext): DatasetSnapshots {
  return {
    heldBytes: (dataset) => context.charges.snapshotBytes(dataset),
    cloneBytes: (entry) => context.charges.cloneBytes(entry.tree),
    releasesOf: ({ id }) => (context.lists.get(id)?.entries ?? []).map(releaseOf(context)),
    goingWith: (entry) => goingWith(context, entry),
    stageDelete: (entry) => stageAllGone(context, entry),
    namesOf: ({ id }) => (context.lists.get(id)?.entries ?? []).map(({ name }) => name),
    originOf(entry) {
      const snapshot = originOf(context, entry);
      return snapshot && fullName(context, snapshot);
    },
  };
}
