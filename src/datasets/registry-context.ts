// What the registry stands on, and what its operations share.

import type { FileSystem } from '../fs/file-system.ts';
import type { OperationContext } from '../fs/operation.ts';
import type { Release } from '../fs/release-plan.ts';
import type { Store } from '../fs/store.ts';
import type { Tree } from '../fs/tree.ts';
import type { Catalog } from './catalog.ts';
import { DatasetEntry } from './dataset-entry.ts';
import type { DatasetRecord } from './dataset-record.ts';
import { DatasetError } from './datasets.ts';
import { noRoomText } from './no-room.ts';
import { availableInQuotas, promisedToOthers } from './space.ts';

/** A dataset's file system, and what the registry needs to make its root and its mount points. */
export interface OpenFileSystem {
  readonly fileSystem: FileSystem;
  readonly operations: OperationContext;
}

/**
 * What the registry of datasets has to know of their snapshots, and what of them goes with a dataset. The layer of
 * snapshots is this; what it stages here is in one batch with what the registry stages.
 */
export interface DatasetSnapshots {
  /** Bytes that only snapshots of the dataset hold. */
  heldBytes(dataset: number): number;
  /** Bytes that are kept for the dataset's live tree alone, in trees of others that it came from. */
  cloneBytes(entry: DatasetEntry): number;
  /** What the snapshots of the dataset hold. */
  releasesOf(entry: DatasetEntry): readonly Release[];
  /** Names of those that go with the dataset. @throws DatasetError `busy` when one of them is held */
  goingWith(entry: DatasetEntry): readonly string[];
  stageDelete(entry: DatasetEntry): void;
  /** What stands behind the `@`. */
  namesOf(entry: DatasetEntry): readonly string[];
  /** `dataset@snapshot`, of which the dataset is a clone. */
  originOf(entry: DatasetEntry): string | undefined;
}

/** The trees of the volume. What is staged here is in one batch with all else that is staged in the same turn. */
export interface Trees {
  /** A new, empty tree. */
  create(): Tree;
  /** Gives a tree up: its operations answer ESTALE from now on, and the background takes back what it holds. */
  drop(tree: Tree): void;
  /** For the row of a job of any kind. */
  newJobId(): number;
  /** Of the trees given up, what is still to be taken back. */
  pending(): { readonly trees: number; readonly bytes: number; readonly inodes: number };
}

/** Datasets of a volume, `root` included: records, trees and their caches are in memory. */
export const DATASETS_MAX = 10_000;

export interface RegistryParts {
  readonly store: Store;
  readonly trees: Trees;
  /** The file system of a dataset over its head tree; `inos` is the row of a clone's inode numbers. */
  readonly openFileSystem: (datasetId: number, tree: Tree, inos?: Buffer) => OpenFileSystem;
  /** Bytes that the disk still takes, its reserve left out. */
  readonly diskFreeBytes: () => number;
  /** Bytes of the disk that are kept for what must work on a full one; 0 unless given. */
  readonly diskReserveBytes?: number;
  /** {@link DATASETS_MAX} unless given. */
  readonly datasetsMax?: number;
  /** Ids go on behind those in use where the row that says from where is lost. */
  readonly repair?: boolean;
}

/** Of a registry whose snapshots are not read yet. */
export const NO_SNAPSHOTS: DatasetSnapshots = {
  heldBytes: () => 0,
  cloneBytes: () => 0,
  releasesOf: () => [],
  goingWith: () => [],
  stageDelete() {},
  namesOf: () => [],
  originOf: () => undefined,
};

export interface RegistryContext extends RegistryParts {
  /** Set once, when the snapshots are read. */
  snapshots: DatasetSnapshots;
  readonly catalog: Catalog;
  defaultId: number;
  /** Never given twice: a handle of a deleted dataset must not lead to a new one. */
  nextId: number;
}

/** A dataset over its tree, whose growth is limited from now on. */
export function openEntry(
  context: RegistryContext,
  record: DatasetRecord,
  tree: Tree,
  inos?: Buffer,
): DatasetEntry {
  const entry = new DatasetEntry(record, context.openFileSystem(record.id, tree, inos), context);
  tree.limits = {
    // Asked at every WRITE, so nothing is worked out that no dataset asks for. What the disk has left is not looked
    // at here, only what of it is promised to others: past that a WRITE answers DQUOT, on a full disk NOSPC.
    availableBytes: () =>
      context.catalog.reserving.size === 0 ? availableInQuotas(entry) : availableTo(context, entry),
  };
  return entry;
}

/** @param what cannot be done without room on the disk. @throws DatasetError `no-space` */
export function checkDisk({ diskFreeBytes, diskReserveBytes = 0 }: RegistryParts, what: string): void {
  if (diskFreeBytes() <= 0)
    throw new DatasetError('no-space', `Cannot ${what}: ${noRoomText(diskReserveBytes)}`);
}

/** Bytes of the disk that no reservation keeps from `entry`, or from a new dataset nested in none. */
export function unpromised(context: RegistryContext, entry: DatasetEntry | undefined): number {
  return Math.max(0, context.diskFreeBytes() - promisedToOthers(entry, context.catalog.reserving));
}

/** Bytes that could still be written to the dataset's own tree; a number also on a disk that does not tell its size. */
export function availableTo(context: RegistryContext, entry: DatasetEntry): number {
  return Math.min(availableInQuotas(entry), unpromised(context, entry), Number.MAX_SAFE_INTEGER);
}
