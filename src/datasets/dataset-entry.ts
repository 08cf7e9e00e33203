// A dataset in memory: its record, where it is nested, and the settings that every call asks for, worked out.

import type { FileSystem } from '../fs/file-system.ts';
import type { OperationContext } from '../fs/operation.ts';
import type { Tree } from '../fs/tree.ts';
import type { DatasetRecord } from './dataset-record.ts';
import type { Dataset, Snapdir } from './datasets.ts';
import { effectiveProperty, limitsOf, type NativePropertyName, type PropertyHolder } from './properties.ts';
import type { DatasetSnapshots, OpenFileSystem } from './registry-context.ts';
import type { SpaceHolder } from './space.ts';

export class DatasetEntry implements Dataset, PropertyHolder, SpaceHolder {
  readonly id: number;
  readonly fileSystem: FileSystem;
  readonly operations: OperationContext;
  private readonly registry: { readonly snapshots: DatasetSnapshots };
  record: DatasetRecord;
  parent: DatasetEntry | undefined;
  readonly children = new Set<DatasetEntry>();
  readonly = false;
  snapdir: Snapdir = 'hidden';
  snapdirWrite = false;
  quota = 0;
  refquota = 0;
  reservation = 0;

  constructor(
    record: DatasetRecord,
    { fileSystem, operations }: OpenFileSystem,
    registry: { readonly snapshots: DatasetSnapshots },
  ) {
    this.id = record.id;
    this.record = record;
    this.fileSystem = fileSystem;
    this.operations = operations;
    operations.nests = (dataset) => [...this.children].some(({ id }) => id === dataset);
    this.registry = registry;
  }

  /** The live tree, which a rollback replaces. */
  get tree(): Tree {
    return this.operations.records.tree;
  }

  get name(): string {
    return this.record.name;
  }

  get properties(): Readonly<Record<string, string>> {
    return this.record.properties;
  }

  referencedBytes(): number {
    return this.tree.usedBytes + this.tree.dirtyGrowth;
  }

  snapshotBytes(): number {
    return this.registry.snapshots.heldBytes(this.id);
  }

  /** Works out the settings again, here and in all nested below: after a change of properties, or of what is around. */
  refresh(): void {
    const limits = limitsOf(this.properties);
    this.quota = limits.quota;
    this.refquota = limits.refquota;
    this.reservation = limits.reservation;
    this.readonly = this.native('readonly') === 'on';
    this.snapdir = this.native('snapdir') as Snapdir;
    this.snapdirWrite = this.native('snapdir-write') === 'on';
    this.operations.reservesSnapshots = this.snapdir !== 'disabled';
    for (const child of this.children) child.refresh();
  }

  /** The dataset and all nested in it. */
  *subtree(): Generator<DatasetEntry> {
    yield this;
    for (const child of this.children) yield* child.subtree();
  }

  private native(name: NativePropertyName): string {
    return effectiveProperty(this, name)!.value;
  }
}
