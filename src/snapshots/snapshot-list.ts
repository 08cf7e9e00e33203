// The snapshots of one dataset: by age, by name and by id.

import type { Timestamp } from '../clock.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import type { ListRecord } from './snapshot-record.ts';

export class SnapshotList {
  readonly datasetId: number;
  private record: ListRecord;
  /** Oldest first. A change makes a new one: whoever goes through it may wait in between. */
  private byAge: readonly SnapshotEntry[] = [];
  /** Snapshots by tree. */
  private readonly counts = new Map<number, number>();
  private readonly byName = new Map<string, SnapshotEntry>();
  private readonly byId = new Map<number, SnapshotEntry>();
  /** Names of entries that are {@link reserve}d and not shown yet. */
  private readonly coming = new Set<string>();

  constructor(datasetId: number, record: ListRecord) {
    this.datasetId = datasetId;
    this.record = record;
  }

  get entries(): readonly SnapshotEntry[] {
    return this.byAge;
  }

  get changedAt(): Timestamp {
    return this.record.changedAt;
  }

  get nextId(): number {
    return this.record.nextId;
  }

  /** The trees whose generations the snapshots show: several after a rollback. */
  get trees(): ReadonlyMap<number, number> {
    return this.counts;
  }

  find(name: string): SnapshotEntry | undefined {
    return this.byName.get(name);
  }

  /** Also by one that is not shown yet. */
  isTaken(name: string): boolean {
    return this.byName.has(name) || this.coming.has(name);
  }

  findId(id: number): SnapshotEntry | undefined {
    return this.byId.get(id);
  }

  /** The list row after a change at `now`. */
  changed(now: Timestamp): ListRecord {
    this.record = { ...this.record, changedAt: laterThan(this.record.changedAt, now) };
    return this.record;
  }

  /**
   * Takes the name and the id of an entry that is to be shown later.
   * @returns the list row for then: who looks before sees the list unchanged, with its old time
   */
  reserve({ name, id }: SnapshotEntry, now: Timestamp): ListRecord {
    const nextId = id + 1;
    this.coming.add(name);
    this.record = { ...this.record, nextId };
    return { nextId, changedAt: laterThan(this.record.changedAt, now) };
  }

  /** Shows what was {@link reserve}d, at the time that was stored for it: after a restart the list has that one. */
  show(entry: SnapshotEntry, { changedAt }: ListRecord): void {
    this.changed(changedAt);
    this.coming.delete(entry.name);
    this.byAge = [...this.byAge, entry];
    this.index(entry);
    this.count(entry, 1);
  }

  /** Fills the list at start: `entries` by id. */
  load(entries: readonly SnapshotEntry[]): void {
    this.byAge = entries;
    for (const entry of entries) {
      this.index(entry);
      this.count(entry, 1);
    }
  }

  replace(before: SnapshotEntry, after: SnapshotEntry): void {
    this.byAge = this.byAge.map((entry) => (entry === before ? after : entry));
    this.byName.delete(before.name);
    this.index(after);
  }

  /** Those of `gone` that are this dataset's. */
  remove(gone: ReadonlySet<SnapshotEntry>): void {
    this.byAge = this.byAge.filter((entry) => !gone.has(entry));
    for (const entry of gone) {
      if (entry.datasetId !== this.datasetId) continue;
      this.byName.delete(entry.name);
      this.byId.delete(entry.id);
      this.count(entry, -1);
    }
  }

  private count({ record: { tree } }: SnapshotEntry, change: 1 | -1): void {
    const count = (this.counts.get(tree) ?? 0) + change;
    if (count > 0) this.counts.set(tree, count);
    else this.counts.delete(tree);
  }

  private index(entry: SnapshotEntry): void {
    this.byName.set(entry.name, entry);
    this.byId.set(entry.id, entry);
  }
}

/** Two changes never have one time, or a client that looked in between would not look again. */
function laterThan(before: Timestamp, now: Timestamp): Timestamp {
  if (now.seconds > before.seconds) return now;
  if (now.seconds === before.seconds && now.nanoseconds > before.nanoseconds) return now;
  const { seconds, nanoseconds } = before;
  return nanoseconds === 999_999_999
    ? { seconds: seconds + 1, nanoseconds: 0 }
    : { seconds, nanoseconds: nanoseconds + 1 };
}
