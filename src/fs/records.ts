// Typed reads of one tree's records, staged or committed, through its caches; or of a tree at a kept generation. A cache
// of the head always holds the newest staged record, because `Turn` updates it in the turn of the stage.
//
// Each throws Wait when the record is not resident, DamageError as FsError `EIO` when it cannot be read.

import { keys } from '../kv/keys.ts';
import { MetaReadError, type Range, type Row } from '../kv/meta-store.ts';
import { decodeChunk } from './chunk-codec.ts';
import { type ChunkMap, inheritedMap } from './chunk-map.ts';
import { type DirectoryBucket, decodeBucket, findEntry } from './directory-bucket.ts';
import type { Cookie } from './file-system.ts';
import { FsError } from './fs-error.ts';
import { HeadVersions } from './head-versions.ts';
import { decodeInode } from './inode-codec.ts';
import { type InodeRecord, withFields } from './inode-record.ts';
import { VersionedKind } from './item.ts';
import { keyId } from './key-id.ts';
import { keyRange } from './key-range.ts';
import { entryCookie, type NameCookie } from './name-cookie.ts';
import { shownPage } from './shown-rows.ts';
import type { Store } from './store.ts';
import type { NameEntry, Tree } from './tree.ts';
import { DamageError, isWhiteout } from './versioned-value.ts';
import type { ParentVersions, Versions } from './versions.ts';
import { forkOf } from './versions-at.ts';

const EMPTY_BUCKET: DirectoryBucket = [];

interface LastBucket extends Cookie {
  readonly directory: number;
  readonly ticket: number;
  readonly bucket: DirectoryBucket;
}

export class Records {
  readonly store: Store;
  readonly tree: Tree;
  readonly cookieOf: NameCookie;
  readonly versions: Versions;
  private readonly isHead: boolean;
  /** The bucket that was read last, good until something is staged. */
  private lastBucket: LastBucket | null = null;

  /** @param versions the head of the tree unless given */
  constructor(store: Store, tree: Tree, cookieOf: NameCookie, versions?: Versions) {
    this.store = store;
    this.tree = tree;
    this.cookieOf = cookieOf;
    this.isHead = versions === undefined;
    this.versions = versions ?? new HeadVersions(store, tree);
  }

  inode(ino: number): InodeRecord | undefined {
    const cached = this.tree.inodes.get(ino);
    if (cached) return cached;
    const record = this.read(keys.inode.key(this.tree.id, ino), 'inode', ino, (value, inherited) =>
      inherited ? inheritedInode(decodeInode(ino, value)) : decodeInode(ino, value),
    );
    if (record) this.tree.inodes.set(ino, record);
    return record;
  }

  /** The entry `name` of a directory; null when there is none. */
  entry(directory: number, name: Buffer): NameEntry | null {
    const cacheKey = nameKey(directory, name);
    const cached = this.tree.names.get(cacheKey);
    if (cached !== undefined) return cached;
    const cookie = this.cookieOf(name);
    const found = findEntry(this.bucket(directory, cookie), name);
    const entry = found ? nameEntry(cookie, found.index, found.ino, found.type) : null;
    this.tree.names.set(cacheKey, entry);
    return entry;
  }

  bucket(directory: number, { high, low }: Cookie): DirectoryBucket {
    const last = this.lastBucket;
    const { ticket } = this.store;
    // An operation that looks for a name and then adds or removes it asks twice.
    if (last?.directory === directory && last.low === low && last.high === high && last.ticket === ticket) {
      return last.bucket;
    }
    if (this.isHead && this.tree.madeDirectories.isFree(directory, { high, low })) return EMPTY_BUCKET;
    const key = keys.dirEntry.key(this.tree.id, directory, high, low);
    const bucket = this.read(key, 'directory', directory, decodeBucket) ?? EMPTY_BUCKET;
    this.lastBucket = { directory, high, low, ticket, bucket };
    return bucket;
  }

  /** The extent map of a window; null where nothing was ever written. */
  chunk(dataId: number, window: number): ChunkMap | null {
    const cacheKey = chunkKey(dataId, window);
    const cached = this.tree.chunks.get(cacheKey);
    if (cached !== undefined) return cached;
    const map =
      this.read(keys.chunk.key(this.tree.id, dataId, window), 'data', dataId, decodeShownChunk) ?? null;
    this.tree.chunks.set(cacheKey, map);
    return map;
  }

  /**
   * Applied rows of a range of the tree's keys, as the view shows them in this turn. In a tree without a parent
   * whiteouts may be among them.
   */
  page(range: Range, limit: number): Promise<Row[]> {
    const { store, versions } = this;
    return versions.isPlain ? store.page(range, limit) : shownPage(versions, keyRange(range), limit);
  }

  /** Whether a parent tree would show through if the tree had nothing under this key of it, and had never had. */
  isInherited(key: Buffer): boolean {
    try {
      // Also of a tree at which reads stop: it is a clone until it is detached.
      return this.shownBy(forkOf(this.store, this.tree), key, 'a record') !== undefined;
    } catch (error) {
      throw this.unreadable(error, key, 'record', 0);
    }
  }

  private read<T>(
    key: Buffer,
    what: string,
    number: number,
    decode: (value: Buffer, inherited: boolean) => T,
  ): T | undefined {
    const { versions } = this;
    try {
      const own = versions.own(key, what);
      if (own !== undefined) return isWhiteout(own) ? undefined : decode(own, false);
      const found = this.shownBy(versions.parent, key, what);
      return found && decode(found, true);
    } catch (error) {
      throw this.unreadable(error, key, what, number);
    }
  }

  private shownBy(parent: ParentVersions | null, key: Buffer, what: string): Buffer | undefined {
    if (parent === null) return undefined;
    // A directory that the tree has made itself has no entries in the parent. There the look at the inode is one at what
    // is remembered, and one for each name would be one at the store: untar makes directories and then names in them.
    if (key[0] === VersionedKind.entry) {
      const directory = keys.inode.key(this.tree.id, keys.dirEntry.parse(key).dir);
      if (parent.shown(directory, 'a directory') === undefined) return undefined;
    }
    return parent.shown(key, what);
  }

  /** What to throw: what is damaged is said in the log, and to the client an I/O error. */
  private unreadable(error: unknown, key: Buffer, what: string, number: number): unknown {
    if (!(error instanceof DamageError) && !(error instanceof MetaReadError)) return error;
    const message = `Cannot read ${what} ${number} of tree ${this.tree.id}: its record is damaged`;
    this.store.parts.log.error(
      { err: error, tree: this.tree.id, [what]: number, key: key.toString('hex') },
      message,
    );
    return new FsError('EIO', message, { cause: error });
  }
}

/** Datasets are nested in the dataset whose tree it was, not in that of a clone: there the directory is an ordinary one. */
function inheritedInode(record: InodeRecord): InodeRecord {
  return record.mountedDataset === 0 ? record : withFields(record, { mountedDataset: 0 });
}

function decodeShownChunk(value: Buffer, inherited: boolean): ChunkMap {
  return inherited ? inheritedMap(decodeChunk(value)) : decodeChunk(value);
}

export function nameKey(directory: number, name: Buffer): string {
  return `${directory}/${keyId(name)}`;
}

export function chunkKey(dataId: number, window: number): string {
  return `${dataId}/${window}`;
}

export function nameEntry(bucket: Cookie, index: number, ino: number, type: number): NameEntry {
  const cookie = entryCookie(bucket, index);
  return { ino, type, cookieHigh: cookie.high, cookieLow: cookie.low };
}
