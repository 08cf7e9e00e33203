// What one mutating operation sees and changes. Reads show what the turn itself has changed so far; `commit` stages
// everything as one item. Until then nothing outside has changed, so an operation may throw at any point.

import type { Timestamp } from '../clock.ts';
import { keys } from '../kv/keys.ts';
import type { Write } from '../kv/meta-store.ts';
import { Wait } from './attempt.ts';
import { encodeChunk } from './chunk-codec.ts';
import { type ChunkMap, isEmpty } from './chunk-map.ts';
import {
  type DirectoryBucket,
  encodeBucket,
  findEntry,
  insertEntry,
  removeEntry,
} from './directory-bucket.ts';
import type { Attributes, Cookie, FileType, NodeRef, Receipt } from './file-system.ts';
import { FsError } from './fs-error.ts';
import { encodeInode } from './inode-codec.ts';
import { type InodeRecord, withFields } from './inode-record.ts';
import { type NamedFrame, VersionedKind, type VersionedWrite, WRITE } from './item.ts';
import { keyId } from './key-id.ts';
import { bucketOf } from './name-cookie.ts';
import { chunkKey, nameEntry, nameKey, type Records } from './records.ts';
import type { ShrinkUnderWay } from './shrink-under-way.ts';
import type { NameEntry, Tree } from './tree.ts';
import { ENVELOPE_BYTES, whiteout } from './versioned-value.ts';

/** On disk: never renumber. */
const LINK_FORMAT = 1;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface EditedBucket {
  readonly key: Buffer;
  bucket: DirectoryBucket;
}

interface EditedChunk {
  readonly dataId: number;
  readonly window: number;
  readonly map: ChunkMap | null;
}

export class Turn {
  readonly records: Records;
  readonly tree: Tree;
  readonly now: Timestamp;
  /** The operation's own. */
  private readonly shrink: ShrinkUnderWay | undefined;
  /** These are made when first needed: few operations change all four, and empty maps alone cost 5 % of one. */
  private inodes: Map<number, InodeRecord | null> | null = null;
  private buckets: Map<string, EditedBucket> | null = null;
  private names: Map<string, NameEntry | null> | null = null;
  private chunks: Map<string, EditedChunk> | null = null;
  private readonly links: VersionedWrite[] = [];
  private readonly rows: Write[] = [];
  private readonly named: NamedFrame[] = [];
  private readonly afterwards: (() => void)[] = [];
  private usedBytes = 0;
  private usedInodes = 0;
  private committed = false;

  constructor(records: Records, now: Timestamp, shrink?: ShrinkUnderWay) {
    this.records = records;
    this.tree = records.tree;
    this.now = now;
    this.shrink = shrink;
    if (this.tree.dropped) throw new FsError('ESTALE');
  }

  /** An inode as it is, for reading. */
  find(ino: number): InodeRecord | undefined {
    const edited = this.inodes?.get(ino);
    return edited === undefined ? this.records.inode(ino) : (edited ?? undefined);
  }

  /** @throws FsError `ESTALE` when the inode is gone or its number has a new user. */
  inode(node: NodeRef): InodeRecord {
    const record = this.find(node.ino);
    if (!record || record.generation !== node.generation) throw new FsError('ESTALE');
    return record;
  }

  /**
   * An inode that this operation will change.
   * @throws Wait while an operation of several batches holds it, or older-stamped dirty data has to be flushed first:
   *   a newer record would otherwise carry attributes into a kept generation that it must not show. It rejects with
   *   FsError `EIO` when that data cannot be stored
   */
  edit(node: NodeRef): InodeRecord {
    const record = this.inode(node);
    const held = this.tree.held.get(node.ino);
    if (held !== undefined && !this.shrink?.holds(this.tree, node)) throw new Wait(held);
    const dirty = this.tree.dirty.get(node.ino);
    if (dirty?.isOlderThan(this.tree.accept)) {
      if (dirty.isShownByKept()) throw new Wait(dirty.flushOlder(this.tree.accept));
      // A snapshot that failed has left it older. To wait for its flush would keep a full disk full.
      dirty.restamp(this.tree.accept);
    }
    return record;
  }

  /** The file before the operation's own steps to a smaller size, where there were any. */
  beforeShrink(node: NodeRef): Attributes | undefined {
    return this.shrink?.holds(this.tree, node) ? this.shrink.before : undefined;
  }

  /** Puts a new or changed record; ctime and the change counter are the caller's. */
  put(record: InodeRecord): void {
    this.setInode(record.ino, record);
  }

  /**
   * Changes fields of an inode as one event: its change counter goes up and its ctime to now, or past its last value
   * when the clock has not moved (ctime strictly increases per inode).
   */
  update(record: InodeRecord, fields: Partial<InodeRecord>): InodeRecord {
    const last = this.tree.dirty.get(record.ino)?.ctimeAfter(record) ?? record;
    const ctime = this.records.store.changeTime(this.tree, this.now, last);
    const updated: Writable<InodeRecord> = withFields(record, fields);
    updated.ctimeSeconds = ctime.seconds;
    updated.ctimeNanoseconds = ctime.nanoseconds;
    updated.change++;
    this.setInode(record.ino, updated);
    return updated;
  }

  delete(ino: number): void {
    this.setInode(ino, null);
  }

  entry(directory: number, name: Buffer): NameEntry | null {
    const edited = this.names?.get(nameKey(directory, name));
    return edited === undefined ? this.records.entry(directory, name) : edited;
  }

  /** @throws FsError `ENOSPC` when 16 names of the directory have one hash, which no file system ever sees. */
  addEntry(directory: number, name: Buffer, ino: number, type: FileType): NameEntry {
    const cookie = this.records.cookieOf(name);
    const edited = this.editBucket(directory, cookie);
    this.tree.madeDirectories.note(directory, cookie);
    const bucket = insertEntry(edited.bucket, { name, ino, type });
    if (!bucket) throw new FsError('ENOSPC', 'Too many names of this directory have the same hash');
    edited.bucket = bucket;
    const entry = nameEntry(cookie, findEntry(bucket, name)!.index, ino, type);
    this.setName(directory, name, entry);
    return entry;
  }

  removeEntry(directory: number, name: Buffer): void {
    const edited = this.editBucket(directory, this.records.cookieOf(name));
    edited.bucket = removeEntry(edited.bucket, name);
    this.setName(directory, name, null);
  }

  /** Makes an existing name lead to another inode, under the same cookie. */
  replaceEntry(directory: number, name: Buffer, ino: number, type: FileType): NameEntry {
    const cookie = this.records.cookieOf(name);
    const edited = this.editBucket(directory, cookie);
    edited.bucket = edited.bucket.map((entry) => (entry.name.equals(name) ? { ...entry, ino, type } : entry));
    const entry = nameEntry(cookie, findEntry(edited.bucket, name)!.index, ino, type);
    this.setName(directory, name, entry);
    return entry;
  }

  chunk(dataId: number, window: number): ChunkMap | null {
    const edited = this.chunks?.get(chunkKey(dataId, window));
    return edited ? edited.map : this.records.chunk(dataId, window);
  }

  putChunk(dataId: number, window: number, map: ChunkMap | null): void {
    this.chunks ??= new Map();
    this.chunks.set(chunkKey(dataId, window), { dataId, window, map: map && isEmpty(map) ? null : map });
  }

  /** A parent link beyond those in the inode's own record. */
  putLink(ino: number, parent: number, cookie: Cookie, present: boolean): void {
    const key = keys.link.key(this.tree.id, ino, parent, cookie.high, cookie.low);
    this.links.push({
      kind: VersionedKind.link,
      key,
      id: keyId(key),
      value: present ? linkValue() : this.gone(key),
    });
  }

  /** A row without versions, in the same batch. */
  putRow(row: Write): void {
    this.rows.push(row);
  }

  name(frame: NamedFrame): void {
    this.named.push(frame);
  }

  count(usedBytes: number, usedInodes: number): void {
    this.usedBytes += usedBytes;
    this.usedInodes += usedInodes;
  }

  /** Runs in the turn of the stage, once it is sure that the operation happens: what it does to dirty data. */
  afterwardsDo(task: () => void): void {
    this.afterwards.push(task);
  }

  /**
   * Stages everything; later operations see it from here on. A turn that changed nothing has the ticket of what it saw.
   * @param generation older than the tree's accept generation only for a flush of older-stamped data
   */
  commit(generation: number = this.tree.accept, landed: (() => void) | null = null): number {
    const { store } = this.records;
    const writes = this.encode();
    if (writes.length === 0 && this.rows.length === 0 && this.named.length === 0) return store.ticket;
    const { tree, rows, usedBytes, usedInodes, named } = this;
    const ticket = store.stage({
      tree,
      generation,
      action: WRITE,
      writes,
      rows,
      usedBytes,
      usedInodes,
      named,
      landed,
    });
    this.committed = true;
    this.cache();
    for (const task of this.afterwards) task();
    return ticket;
  }

  /** Adds the reply to what this turn staged: they reach the store in one batch. Returns the ticket of both. */
  attach(receipt: Receipt, ticket: number): number {
    const row = { key: keys.reply.key(receipt.slot), value: receipt.value };
    if (!this.committed) return this.records.store.stageRows([row]);
    this.rows.push(row);
    return ticket;
  }

  private setInode(ino: number, record: InodeRecord | null): void {
    this.inodes ??= new Map();
    this.inodes.set(ino, record);
  }

  private setName(directory: number, name: Buffer, entry: NameEntry | null): void {
    this.names ??= new Map();
    this.names.set(nameKey(directory, name), entry);
  }

  private editBucket(directory: number, cookie: Cookie): EditedBucket {
    const { high, low } = bucketOf(cookie);
    const key = keys.dirEntry.key(this.tree.id, directory, high, low);
    const id = keyId(key);
    this.buckets ??= new Map();
    let edited = this.buckets.get(id);
    if (!edited) {
      edited = { key, bucket: this.records.bucket(directory, { high, low }) };
      this.buckets.set(id, edited);
    }
    return edited;
  }

  private encode(): VersionedWrite[] {
    const writes: VersionedWrite[] = this.links;
    const { tree } = this;
    for (const [ino, record] of this.inodes ?? []) {
      const key = keys.inode.key(tree.id, ino);
      const value = record ? encodeInode(record) : this.gone(key);
      writes.push({ kind: VersionedKind.inode, key, id: keyId(key), value });
    }
    for (const [id, { key, bucket }] of this.buckets ?? []) {
      const value = bucket.length > 0 ? encodeBucket(bucket) : this.gone(key);
      writes.push({ kind: VersionedKind.entry, key, id, value });
    }
    for (const { dataId, window, map } of this.chunks?.values() ?? []) {
      const key = keys.chunk.key(tree.id, dataId, window);
      const value = map ? encodeChunk(map) : this.gone(key);
      writes.push({ kind: VersionedKind.chunk, key, id: keyId(key), value, map });
    }
    return writes;
  }

  /** What a deletion leaves: nothing, or a whiteout where the parent tree would show through. */
  private gone(key: Buffer): Buffer | null {
    return this.tree.parent !== null && this.records.isInherited(key) ? whiteout() : null;
  }

  private cache(): void {
    const { inodes, names, chunks, listedPages } = this.tree;
    for (const [ino, record] of this.inodes ?? []) {
      listedPages.changed(ino);
      if (record) inodes.set(ino, record);
      else inodes.delete(ino);
    }
    for (const [key, entry] of this.names ?? []) names.set(key, entry);
    for (const [key, { map }] of this.chunks ?? []) chunks.set(key, map);
  }
}

/** A link has no content: its key says all. */
function linkValue(): Buffer {
  const value = Buffer.alloc(ENVELOPE_BYTES);
  value[0] = LINK_FORMAT;
  return value;
}
