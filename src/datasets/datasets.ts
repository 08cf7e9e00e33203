// What a dataset is to those above: nfs serves its file system, admin manages it. The registry implements this over
// the volume's store; every change is one atomic batch and is durable when its promise resolves.

import type { FileSystem } from '../fs/file-system.ts';

/** A user-visible failure of a dataset operation; `message` is a sentence for the one who asked. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';
  readonly code: DatasetErrorCode;

  constructor(code: DatasetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type DatasetErrorCode =
  | 'not-found'
  | 'exists'
  | 'busy'
  | 'invalid'
  | 'denied'
  | 'no-space'
  /** Comes with a later version. */
  | 'unimplemented';

/** Where a property's value comes from, as `zfs get` shows it: a dataset's name stands for "inherited from". */
export type PropertySource = 'local' | 'default' | { readonly inheritedFrom: string };

export interface Property {
  readonly name: string;
  /** As a person types it: `off`, `10737418240`, `none`. Sizes are plain bytes. */
  readonly value: string;
  readonly source: PropertySource | 'none';
}

/** The record of seed text 004 and ours; immutable: a change makes a new one. */
export interface DatasetInfo {
  readonly id: number;
  readonly name: string;
  readonly uuid: string;
  readonly parentId: number | null;
  readonly parentUuid: string | null;
  readonly rootInode: number;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly isReadonly: boolean;
  readonly isSnapshot: boolean;
  readonly isDefault: boolean;
  readonly generation: number;
  readonly flags: number;
  readonly kind: 'filesystem' | 'volume';
  readonly usedBytes: number;
  readonly usedInodes: number;
  /** Bytes that could still be written: the least of quota, refquota and disk. */
  readonly availableBytes: number;
  /** Of its live tree. */
  readonly referencedBytes: number;
  /** As stored: what only its live tree needs. */
  readonly liveBytes: number;
  /** As stored: what only its snapshots need. */
  readonly snapshotBytes: number;
  /** As stored: what is kept of others for its live tree alone. */
  readonly cloneBytes: number;
  /** As stored: what its live tree needs of its own, snapshots or not. */
  readonly storedBytes: number;
  /** As stored: what the background has still to free. */
  readonly pendingBytes: number;
  /** What a clone comes from, while that is there and it is not detached. */
  readonly origin: string | null;
  /** Unix seconds, when it is deleted; null is never. */
  readonly expiresAt: number | null;
  /** 0 is none. */
  readonly quota: number;
  readonly refquota: number;
  readonly reservation: number;
  readonly properties: readonly Property[];
}

/** Of `.snapshots` in every directory: `hidden` is reachable and not listed, `disabled` an ordinary name. */
export type Snapdir = 'hidden' | 'visible' | 'disabled';

export interface Dataset {
  readonly id: number;
  readonly name: string;
  /** Also true when a parent's `readonly` is inherited. */
  readonly readonly: boolean;
  readonly snapdir: Snapdir;
  /** Whether clients make and delete snapshots in `.snapshots`. */
  readonly snapdirWrite: boolean;
  readonly fileSystem: FileSystem;
}

export interface CreateOptions {
  readonly readonly?: boolean;
  /** Bits of the root directory, 0o755 unless given, and its owner, 0:0 unless given. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Native (`quota`, `readonly`…) and user properties (with a colon), as typed. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface DeletePlan {
  readonly names: readonly string[];
  readonly bytes: number;
  readonly inodes: number;
}

export interface Datasets {
  get(name: string): Dataset | undefined;
  byId(id: number): Dataset | undefined;
  /** The longest dataset name that is a prefix (by components) of `path`, and the rest of it. */
  resolve(path: string): { readonly dataset: Dataset; readonly rest: readonly string[] } | undefined;
  defaultDataset(): Dataset;
  /** All of them, `root` first, then by name. */
  list(): readonly Dataset[];
  info(name: string): DatasetInfo;

  create(name: string, options: CreateOptions): Promise<DatasetInfo>;
  /** What {@link delete} would take and give back. */
  planDelete(name: string, recursive: boolean): Promise<DeletePlan>;
  delete(name: string, recursive: boolean): Promise<DeletePlan>;
  rename(name: string, newName: string): Promise<DatasetInfo>;
  setDefault(name: string): Promise<void>;
  set(name: string, properties: Readonly<Record<string, string>>): Promise<DatasetInfo>;
  inherit(name: string, property: string): Promise<DatasetInfo>;
  /** Space of deleted datasets that the background has still to give back. */
  pending(): { readonly datasets: number; readonly bytes: number; readonly inodes: number };
}
