// A kept generation as a file system: what a snapshot shows. Nothing in it ever changes, so everything may be cached.
//
// The operations that read are those of the live tree; they find the records of that moment through versions-at.ts. What
// is cached is in a Tree to which nothing is ever staged, made when the generation is looked at and given up when many
// others were looked at since.

import type { Eventual } from '../eventual.ts';
import { keys } from '../kv/keys.ts';
import { attempt } from './attempt.ts';
import {
  Access,
  type Attributes,
  type Caller,
  type Cookie,
  type DirectoryPage,
  type FileSystem,
  type FileSystemUsage,
  type NodeRef,
  type ReadResult,
} from './file-system.ts';
import { FsError } from './fs-error.ts';
import { decodeInode } from './inode-codec.ts';
import { type InodeRecord, withFields } from './inode-record.ts';
import { keptCounters } from './kept-counters.ts';
import { LISTING_LIMITS } from './listing-cache.ts';
import { nameCookie } from './name-cookie.ts';
import type { ReadContext } from './operation.ts';
import { access, attributes, attributesOfMany, rootAttributes } from './ops/attributes.ts';
import { lookup } from './ops/lookup.ts';
import { read } from './ops/read.ts';
import { readdir } from './ops/readdir.ts';
import { readlink } from './ops/readlink.ts';
import { Records } from './records.ts';
import type { Store } from './store.ts';
import { Tree } from './tree.ts';
import { DamageError } from './versioned-value.ts';
import { shown } from './versions.ts';
import { VersionsAt } from './versions-at.ts';

/** Entries of directories that one kept generation has in memory. */
const LISTED_ENTRIES_MAX = 10_240;
const MODIFYING = Access.modify | Access.extend | Access.delete;

/**
 * What `tree` was at a generation that is kept, from the moment on at which that is complete (take-generation.ts). What
 * would change it answers EROFS. Whoever lets the generation go has to close it first.
 */
export function openKept(
  { store }: { readonly store: Store },
  dataset: number,
  tree: Tree,
  generation: number,
): KeptFileSystem {
  return new KeptFileSystem(store, dataset, { tree, generation });
}

/** Where other datasets are nested in the live tree, a kept generation shows empty directories. */
class KeptRecords extends Records {
  override inode(ino: number): InodeRecord | undefined {
    const record = super.inode(ino);
    return record && record.mountedDataset !== 0 ? withFields(record, { mountedDataset: 0 }) : record;
  }
}

export class KeptFileSystem implements FileSystem {
  readonly datasetId: number;
  private readonly store: Store;
  private readonly kept: { readonly tree: Tree; readonly generation: number };
  private opened: ReadContext | null = null;
  private closed = false;

  constructor(store: Store, dataset: number, kept: { readonly tree: Tree; readonly generation: number }) {
    this.datasetId = dataset;
    this.store = store;
    this.kept = kept;
  }

  /** From now on everything answers ESTALE. */
  close(): void {
    this.closed = true;
    if (this.opened) this.opened.records.tree.dropped = true;
    this.store.views.close(this);
  }

  /** Gives up what is cached. */
  forget(): void {
    this.opened?.records.tree.forget();
    this.opened = null;
  }

  root(): Eventual<Attributes> {
    return rootAttributes(this.context());
  }

  attributes(node: NodeRef): Eventual<Attributes> {
    return attributes(this.context(), node);
  }

  /** Whether the inode was there. Nothing is cached, for one who asks thousands of generations. */
  has({ ino, generation }: NodeRef): Eventual<boolean> {
    return attempt(() => {
      this.check();
      const { tree, generation: at } = this.kept;
      const key = keys.inode.key(tree.id, ino);
      return undamaged(() => {
        const value = shown(new VersionsAt(this.store, tree, at), key, `inode ${ino}`);
        return value !== undefined && decodeInode(ino, value).generation === generation;
      });
    });
  }

  attributesOf(inos: readonly number[]): Eventual<readonly (Attributes | undefined)[]> {
    return attributesOfMany(this.context(), inos);
  }

  lookup(caller: Caller, directory: NodeRef, name: Buffer): Eventual<Attributes | undefined> {
    return lookup(this.context(), caller, directory, name);
  }

  access(
    caller: Caller,
    node: NodeRef,
    wanted: number,
  ): Eventual<{ granted: number; attributes: Attributes }> {
    return access(this.context(), caller, node, wanted & ~MODIFYING);
  }

  readlink(_caller: Caller, node: NodeRef): Eventual<{ target: Buffer; attributes: Attributes }> {
    return readlink(this.context(), node);
  }

  read(caller: Caller, node: NodeRef, offset: number, count: number): Eventual<ReadResult> {
    return read(this.context(), caller, node, offset, count);
  }

  readdir(caller: Caller, directory: NodeRef, after: Cookie, limit: number): Eventual<DirectoryPage> {
    return readdir(this.context(), caller, directory, after, limit);
  }

  /** What the generation shows; there is no room for more. */
  usage(): Eventual<FileSystemUsage> {
    return attempt(() => {
      this.check();
      const { usedBytes, usedInodes } = keptCounters(this.store, this.kept.tree.id, this.kept.generation);
      return {
        totalBytes: usedBytes,
        freeBytes: 0,
        availableBytes: 0,
        totalInodes: usedInodes,
        freeInodes: 0,
        usedBytes,
        usedInodes,
      };
    });
  }

  setattr(): never {
    return this.refuse();
  }

  write(): never {
    return this.refuse();
  }

  commit(): never {
    return this.refuse();
  }

  create(): never {
    return this.refuse();
  }

  mkdir(): never {
    return this.refuse();
  }

  symlink(): never {
    return this.refuse();
  }

  mknod(): never {
    return this.refuse();
  }

  remove(): never {
    return this.refuse();
  }

  rmdir(): never {
    return this.refuse();
  }

  rename(): never {
    return this.refuse();
  }

  link(): never {
    return this.refuse();
  }

  settled(): undefined {
    return undefined;
  }

  private refuse(): never {
    this.check();
    throw new FsError('EROFS', 'A snapshot cannot be changed');
  }

  private check(): void {
    if (this.closed) throw new FsError('ESTALE', 'The snapshot is not there any more');
  }

  private context(): ReadContext {
    this.check();
    this.store.views.use(this);
    this.opened ??= this.open();
    return this.opened;
  }

  private open(): ReadContext {
    const { store, datasetId } = this;
    const { tree, generation } = this.kept;
    const { caches } = store.parts.settings;
    const listings = { ...(caches.listings ?? LISTING_LIMITS), costMax: LISTED_ENTRIES_MAX };
    const row = { id: tree.id, parent: null, generations: tree.generations };
    const versions = new VersionsAt(store, tree, generation);
    const cookieOf = nameCookie(store.parts.hashKey);
    const records = new KeptRecords(store, new Tree(row, { ...caches, listings }), cookieOf, versions);
    return { datasetId, records };
  }
}

/** @throws FsError `EIO` for what cannot be read */
function undamaged<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    throw new FsError('EIO', error.message, { cause: error });
  }
}
