// A snapshot in memory: its record, and the file system over the generation that it keeps.

import type { Timestamp } from '../clock.ts';
import type { KeptFileSystem } from '../fs/kept-file-system.ts';
import type { SnapshotRecord } from './snapshot-record.ts';
import type { Snapshot } from './snapshots.ts';

export class SnapshotEntry implements Snapshot {
  readonly datasetId: number;
  readonly id: number;
  readonly record: SnapshotRecord;
  readonly fileSystem: KeptFileSystem;

  constructor(datasetId: number, id: number, record: SnapshotRecord, fileSystem: KeptFileSystem) {
    this.datasetId = datasetId;
    this.id = id;
    this.record = record;
    this.fileSystem = fileSystem;
  }

  get name(): string {
    return this.record.name;
  }

  get uuid(): string {
    return this.record.uuid;
  }

  get createdAt(): Timestamp {
    return this.record;
  }

  get isHeld(): boolean {
    return this.record.holds.length > 0;
  }

  /** The same snapshot with another record: what was found keeps what it showed. */
  with(record: SnapshotRecord): SnapshotEntry {
    return new SnapshotEntry(this.datasetId, this.id, record, this.fileSystem);
  }
}
