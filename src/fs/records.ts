// Typed reads of one tree's records, staged or committed, through its caches. A cache always holds the newest staged
// record, because `Turn` updates it in the turn of the stage; a checksum is verified when bytes come from storage.
//
// Each throws Wait when the record is not resident, DamageError as FsError `EIO` when it cannot be read.

import { keys } from '../kv/keys.ts';
import { MetaReadError } from '../kv/meta-store.ts';
import { decodeChunk } from './chunk-codec.ts';
import type { ChunkMap } from './chunk-map.ts';
import { type DirectoryBucket, decodeBucket, findEntry } from './directory-bucket.ts';
import type { Cookie } from './file-system.ts';
import { FsError } from './fs-error.ts';
import { decodeInode } from './inode-codec.ts';
import type { InodeRecord } from './inode-record.ts';
import { keyId } from './key-id.ts';
import { entryCookie, type NameCookie } from './name-cookie.ts';
import type { Store } from './store.ts';
import type { NameEntry, Tree } from './tree.ts';
import { DamageError, verify } from './versioned-value.ts';

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
  /** The bucket that was read last, good until something is staged. */
  private lastBucket: LastBucket | null = null;

  constructor(store: Store, tree: Tree, cookieOf: NameCookie) {
    this.store = store;
    this.tree = tree;
    this.cookieOf = cookieOf;
  }

  inode(ino: number): InodeRecord | undefined {
    const cached = this.tree.inodes.get(ino);
    if (cached) return cached;
    const record = this.read(keys.inode.key(this.tree.id, ino), 'inode', ino, (value) =>
      decodeInode(ino, value),
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
    const map = this.read(keys.chunk.key(this.tree.id, dataId, window), 'data', dataId, decodeChunk) ?? null;
    this.tree.chunks.set(cacheKey, map);
    return map;
  }

  private read<T>(key: Buffer, what: string, number: number, decode: (value: Buffer) => T): T | undefined {
    try {
      const value = this.store.value(key);
      if (value === undefined) return undefined;
      if (!this.store.isStaged(key)) verify(value, what);
      return decode(value);
    } catch (error) {
      if (!(error instanceof DamageError) && !(error instanceof MetaReadError)) throw error;
      const message = `Cannot read ${what} ${number} of tree ${this.tree.id}: its record is damaged`;
      this.store.parts.log.error(
        { err: error, tree: this.tree.id, [what]: number, key: key.toString('hex') },
        message,
      );
      throw new FsError('EIO', message, { cause: error });
    }
  }
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
