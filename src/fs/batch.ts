// The atomic batch that the commit worker is building: the rows written so far, over the store as the last batch
// left it. Versions are sealed (birth and checksum) once, when the batch is closed. Nothing outside the batch changes
// before `install`, so a build that meets a row which is not resident is thrown away and done again.

import { strict as assert } from 'node:assert';
import { keys } from '../kv/keys.ts';
import { type MetaStore, NOT_RESIDENT, type Write } from '../kv/meta-store.ts';
import type { Generations } from './generations.ts';
import type { VersionedKey } from './item.ts';
import {
  type DeadVersion,
  dataKey,
  KEY_HEAD_BYTES,
  type KeyHistory,
  type OlderVersions,
} from './key-history.ts';
import { keyId } from './key-id.ts';
import { LiveFrames } from './live-frames.ts';
import type { SegmentRecord } from './segment-record.ts';
import { encodeSpace, type Run, type SpaceRow, SpaceRows } from './space-rows.ts';
import { encodeStats } from './stats-record.ts';
import type { Tree, Usage } from './tree.ts';
import { birthOf, seal } from './versioned-value.ts';

interface Slot {
  readonly key: Buffer;
  readonly value: Buffer | null;
  /** -1: not a version, or one that is sealed already. */
  readonly birth: number;
}

export interface Version {
  readonly value: Buffer;
  readonly birth: number;
}

/** A row that the build needs and the store cannot tell at once. */
export class RowNotResident {
  readonly key: Buffer;

  constructor(key: Buffer) {
    this.key = key;
  }
}

export class Batch {
  /** Segments as this batch leaves them, null where it forgets one; {@link LiveFrames} owns them. */
  readonly segments = new Map<number, SegmentRecord | null>();
  /** FORWARD rows that this batch writes, by keyId; {@link LiveFrames} owns them too. */
  readonly forwards: string[] = [];
  private readonly trees = new Map<Tree, Generations>();
  private readonly usages = new Map<Tree, Usage>();
  private readonly spaces = new Map<Tree, SpaceRows>();
  private readonly slots = new Map<string, Slot>();
  private readonly meta: MetaStore;
  private readonly resident: ReadonlyMap<string, Buffer | undefined>;
  private readonly histories: ReadonlyMap<string, Map<number, DeadVersion>>;
  /** Of data ids that were asked for: when they died, undefined for those that live. */
  private readonly deaths: Map<string, number | undefined>;

  /**
   * @param resident what the worker fetched beforehand because the store could not answer at once
   * @param older what of the past the batch needs; it is not changed
   */
  constructor(meta: MetaStore, resident: ReadonlyMap<string, Buffer | undefined>, older: OlderVersions) {
    this.meta = meta;
    this.resident = resident;
    this.deaths = new Map(older.deaths);
    this.histories = new Map([...older.histories].map(([id, history]) => [id, new Map(history)]));
  }

  /** The live version of a key against the batch so far. */
  version(id: string, key: Buffer): Version | undefined {
    const slot = this.slots.get(id);
    if (slot)
      return slot.value
        ? { value: slot.value, birth: slot.birth < 0 ? birthOf(slot.value) : slot.birth }
        : undefined;
    const value = this.stored(id, key);
    return value ? { value, birth: birthOf(value) } : undefined;
  }

  row(id: string, key: Buffer): Buffer | undefined {
    const slot = this.slots.get(id);
    return slot ? (slot.value ?? undefined) : this.stored(id, key);
  }

  putVersion(id: string, key: Buffer, value: Buffer, birth: number): void {
    this.slots.set(id, { key, value, birth });
  }

  /** The generation in which a data id died that was asked for beforehand, against the batch so far. */
  deathOf(tree: Tree, dataId: number): number | undefined {
    return this.deaths.get(dataKey(tree.id, dataId));
  }

  /** The older versions of a key that was read beforehand, by death. */
  historyOf(id: string): KeyHistory {
    return this.pastOf(id);
  }

  private pastOf(id: string): Map<number, DeadVersion> {
    const history = this.histories.get(id);
    assert(history, 'the older versions of a key were not read before the batch was built');
    return history;
  }

  putHistory(tree: Tree, { kind, key, id }: VersionedKey, death: number, version: Version): void {
    const row = keys.history.key(tree.id, kind, key.subarray(KEY_HEAD_BYTES), death);
    const rowId = keyId(row);
    assert(this.row(rowId, row) === undefined, `two versions of a key die in generation ${death}`);
    this.putVersion(rowId, row, version.value, version.birth);
    this.histories.get(id)?.set(death, version);
    tree.newestDeath = Math.max(tree.newestDeath, death);
  }

  deleteHistory(tree: Tree, { kind, key, id }: VersionedKey, death: number): void {
    const row = keys.history.key(tree.id, kind, key.subarray(KEY_HEAD_BYTES), death);
    this.delete(keyId(row), row);
    this.pastOf(id).delete(death);
  }

  put(id: string, key: Buffer, value: Buffer): void {
    this.slots.set(id, { key, value, birth: -1 });
  }

  delete(id: string, key: Buffer): void {
    this.slots.set(id, { key, value: null, birth: -1 });
  }

  apply(write: Write): void {
    if (this.deaths.size > 0 && write.key[0] === keys.tombstone.prefix && write.value) {
      const { tree, dataId, death } = keys.tombstone.parse(write.key);
      const id = dataKey(tree, dataId);
      if (this.deaths.has(id)) this.deaths.set(id, death);
    }
    this.slots.set(keyId(write.key), { key: write.key, value: write.value, birth: -1 });
  }

  generations(tree: Tree): Generations {
    return this.trees.get(tree) ?? tree.generations;
  }

  setGenerations(tree: Tree, generations: Generations): void {
    this.trees.set(tree, generations);
  }

  usage(tree: Tree): Usage {
    return this.usages.get(tree) ?? tree.committed;
  }

  addUsage(tree: Tree, bytes: number, inodes: number): void {
    const { usedBytes, usedInodes } = this.usage(tree);
    this.usages.set(tree, { usedBytes: usedBytes + bytes, usedInodes: usedInodes + inodes });
  }

  /** What a run of kept generations holds, against the batch so far. */
  spaceOf(tree: Tree, run: Run): number {
    return (this.spaces.get(tree)?.get(run) ?? tree.space.get(run))?.bytes ?? 0;
  }

  /** The runs that begin or end with a generation, against the batch so far. */
  spaceTouching(tree: Tree, generation: number): SpaceRow[] {
    const changed = this.spaces.get(tree);
    const rows = [...tree.space.touching(generation)];
    if (!changed) return rows;
    const others = rows.filter((row) => changed.get(row) === undefined);
    return [...others, ...changed.touching(generation)].filter(({ bytes }) => bytes !== 0);
  }

  addSpace(tree: Tree, run: Run, bytes: number): void {
    if (bytes === 0) return;
    let changed = this.spaces.get(tree);
    if (!changed) {
      changed = new SpaceRows();
      this.spaces.set(tree, changed);
    }
    changed.set(run, this.spaceOf(tree, run) + bytes);
  }

  /** Seals the versions and gives the rows to write. */
  close(): Write[] {
    for (const [tree, rows] of this.spaces) {
      for (const { first, last, bytes } of rows.all()) {
        const key = keys.space.key(tree.id, first, last);
        if (bytes === 0) this.delete(keyId(key), key);
        else this.put(keyId(key), key, encodeSpace(bytes));
      }
    }
    for (const [tree, usage] of this.usages) {
      const key = keys.stats.key(tree.id);
      this.put(keyId(key), key, encodeStats(usage));
    }
    const writes: Write[] = LiveFrames.rows(this);
    for (const { key, value, birth } of this.slots.values()) {
      if (value && birth >= 0) seal(value, birth);
      writes.push({ key, value } as Write);
    }
    return writes;
  }

  /** The batch is in the store: what it changed in memory takes effect. */
  install(): void {
    for (const [tree, generations] of this.trees) tree.generations = generations;
    for (const [tree, usage] of this.usages) tree.committed = usage;
    for (const [tree, rows] of this.spaces) tree.space.take(rows);
  }

  private stored(id: string, key: Buffer): Buffer | undefined {
    if (this.resident.has(id)) return this.resident.get(id);
    const value = this.meta.get(key);
    if (value === NOT_RESIDENT) throw new RowNotResident(key);
    return value;
  }
}
