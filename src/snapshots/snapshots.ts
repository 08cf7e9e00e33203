// What snapshots are to those above: nfs serves their file systems, admin manages them. The registry of snapshots
// implements this over the volume's store; every change is one atomic batch and is durable when its promise resolves.

import type { Timestamp } from '../clock.ts';
import type { DatasetInfo } from '../datasets/datasets.ts';
import type { Eventual } from '../eventual.ts';
import type { FileSystem, NodeRef } from '../fs/file-system.ts';

/** One snapshot; immutable: a change makes a new one. */
export interface Snapshot {
  /** Of its dataset, from 1 on, never given twice; part of file handles. */
  readonly id: number;
  readonly datasetId: number;
  /** What stands behind the `@`. */
  readonly name: string;
  readonly uuid: string;
  readonly createdAt: Timestamp;
  /** Read-only: what changes answers EROFS. After the snapshot's deletion everything answers ESTALE. */
  readonly fileSystem: SnapshotFileSystem;
}

export interface SnapshotFileSystem extends FileSystem {
  /** Whether the inode was there: cheaper than its attributes, where many snapshots are asked. */
  has(node: NodeRef): Eventual<boolean>;
}

export interface SnapshotInfo {
  readonly id: number;
  readonly datasetId: number;
  /** `dataset@name`. */
  readonly name: string;
  readonly uuid: string;
  /** The dataset's. */
  readonly parentUuid: string;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly generation: number;
  /** What the snapshot shows: logical bytes and inodes. */
  readonly referencedBytes: number;
  readonly referencedInodes: number;
  /** What its deletion alone would give back. */
  readonly usedBytes: number;
  /** Datasets cloned from it. */
  readonly clones: readonly string[];
  readonly holds: readonly string[];
  /** Unix seconds; null is never. */
  readonly expiresAt: number | null;
  readonly properties: Readonly<Record<string, string>>;
}

export interface SnapshotOptions {
  /** Also those nested in the dataset, at one point in time. */
  readonly recursive?: boolean;
  /** Seconds after which it is deleted, unless held. */
  readonly ttlSeconds?: number;
  /** User properties (with a colon). */
  readonly properties?: Readonly<Record<string, string>>;
}

/** A label `pr=1234` is the user property `label:pr`; without a value any is meant. */
export interface LabelSelector {
  readonly key: string;
  readonly value?: string;
}

/** `dataset@snapshot`, the range `dataset@a%b`, or a bare snapshot name that one dataset has; or all with these labels. */
export type SnapshotSelection =
  | string
  | { readonly labels: readonly LabelSelector[]; readonly dataset?: string | undefined };

export interface CloneOptions {
  /** Seconds after which it is deleted. */
  readonly ttlSeconds?: number;
  /** As for a new dataset; nothing is taken over from the origin. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface SnapshotDeletePlan {
  readonly names: readonly string[];
  readonly bytes: number;
}

export interface RollbackPlan {
  /** `dataset@snapshot`. */
  readonly target: string;
  /** The snapshot that keeps the state before; null with `discard`. */
  readonly before: string | null;
  /** What the live tree refers to now, and will refer to. */
  readonly liveBytes: number;
  readonly liveInodes: number;
  readonly targetBytes: number;
  readonly targetInodes: number;
  /** As stored: what only the live tree needs now, which `discard` gives back. */
  readonly lostBytes: number;
}

/**
 * Names are `dataset@snapshot`, or a bare snapshot name where exactly one dataset has it. Every method that fails throws
 * a DatasetError.
 */
export interface Snapshots {
  /** Of a dataset, oldest first. */
  of(datasetId: number): readonly Snapshot[];
  find(datasetId: number, name: string): Snapshot | undefined;
  byId(datasetId: number, id: number): Snapshot | undefined;
  /** Moves whenever a snapshot of the dataset is made, renamed or deleted; the dataset's creation before that. */
  changedAt(datasetId: number): Timestamp;

  info(name: string): SnapshotInfo;
  /** Of one dataset and those nested in it, or of all; oldest first in each. */
  list(dataset?: string, labels?: readonly LabelSelector[]): readonly SnapshotInfo[];
  create(dataset: string, name: string, options: SnapshotOptions): Promise<readonly SnapshotInfo[]>;
  /** What {@link delete} would take and give back. */
  planDelete(selection: SnapshotSelection): Promise<SnapshotDeletePlan>;
  delete(selection: SnapshotSelection): Promise<SnapshotDeletePlan>;
  rename(name: string, newName: string): Promise<SnapshotInfo>;
  hold(name: string, tag: string): Promise<void>;
  release(name: string, tag: string): Promise<void>;
  set(name: string, properties: Readonly<Record<string, string>>): Promise<SnapshotInfo>;
  /** Takes a user property away. */
  inherit(name: string, property: string): Promise<SnapshotInfo>;
  /** A new dataset that begins as a snapshot is, or as a dataset is now. */
  clone(source: string, name: string, options: CloneOptions): Promise<DatasetInfo>;
  /** What {@link rollback} would do. */
  planRollback(name: string, discard: boolean): RollbackPlan;
  /** The dataset is as the snapshot; newer snapshots stay. What it was before is kept as one more, unless `discard`. */
  rollback(name: string, discard: boolean): Promise<RollbackPlan>;
}
