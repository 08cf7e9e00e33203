// What the registry of snapshots stands on, and what its operations share.

import type { DatasetEntry } from '../datasets/dataset-entry.ts';
import type { DatasetRegistry } from '../datasets/registry.ts';
import type { RegistryContext } from '../datasets/registry-context.ts';
import type { SharedParts } from '../fs/open-dataset.ts';
import type { DatasetLocks } from './dataset-locks.ts';
import type { DroppedSnapshots } from './dropped-snapshots.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import { SnapshotList } from './snapshot-list.ts';
import type { SpaceCharges } from './space-charges.ts';

/** Snapshots of a volume: each has some hundred bytes in memory. */
export const SNAPSHOTS_MAX = 100_000;

export interface SnapshotParts {
  readonly shared: SharedParts;
  readonly registry: DatasetRegistry;
  /** {@link SNAPSHOTS_MAX} unless given. */
  readonly snapshotsMax?: number;
}

export interface SnapshotContext extends SnapshotParts {
  readonly datasets: RegistryContext;
  readonly locks: DatasetLocks;
  /** By dataset; one that never had a snapshot has no list. */
  readonly lists: Map<number, SnapshotList>;
  readonly byUuid: Map<string, SnapshotEntry>;
  readonly charges: SpaceCharges;
  readonly dropped: DroppedSnapshots;
}

/** The list of a dataset, which begins with its first snapshot. */
export function listOf({ lists }: SnapshotContext, { id, record }: DatasetEntry): SnapshotList {
  let list = lists.get(id);
  if (!list) {
    const changedAt = { seconds: record.createdAt, nanoseconds: 0 };
    list = new SnapshotList(id, { nextId: 1, changedAt });
    lists.set(id, list);
  }
  return list;
}

export function fullName({ datasets }: SnapshotContext, { datasetId, name }: SnapshotEntry): string {
  return `${datasets.catalog.findId(datasetId)!.name}@${name}`;
}
