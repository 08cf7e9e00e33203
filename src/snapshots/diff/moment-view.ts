// What a moment shows of inodes, names and data, for one who goes through many of them once.

import { attempt } from '../../fs/attempt.ts';
import type { ChunkMap } from '../../fs/chunk-map.ts';
import type { DirectoryBucket } from '../../fs/directory-bucket.ts';
import { FileType } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import type { InodeRecord, ParentLink } from '../../fs/inode-record.ts';
import { VersionedKind } from '../../fs/item.ts';
import { keyRange } from '../../fs/key-range.ts';
import { bucketOf, nameCookie } from '../../fs/name-cookie.ts';
import { ROOT_INO } from '../../fs/operation.ts';
import { Records } from '../../fs/records.ts';
import { shownRows } from '../../fs/shown-rows.ts';
import type { Store } from '../../fs/store.ts';
import { Tree } from '../../fs/tree.ts';
import { VersionsAt } from '../../fs/versions-at.ts';
import { keys, versioned } from '../../kv/keys.ts';
import type { Moment } from './moment.ts';

/** Deeper than any path that a client can name. */
const DEPTH_MAX = 4096;
/** Paths of directories that are remembered. */
const PATHS_MAX = 10_000;
const INDEX_BITS = 15;
const SLASH = Buffer.from('/');
const NOTHING = Buffer.alloc(0);

/** A name of an inode. */
export interface Name {
  readonly directory: number;
  /** Of the directory, whose number another one may have in a clone; 0 of the root. */
  readonly generation: number;
  readonly name: Buffer;
}

export class MomentView {
  readonly store: Store;
  private readonly records: Records;
  private readonly paths = new Map<number, Buffer>();

  constructor(store: Store, { tree, generation }: Moment) {
    this.store = store;
    const row = { id: tree.id, parent: null, generations: tree.generations };
    const cached = new Tree(row, store.parts.settings.caches);
    const cookieOf = nameCookie(store.parts.hashKey);
    this.records = new Records(store, cached, cookieOf, new VersionsAt(store, tree, generation));
  }

  /** Gives up what is cached. */
  close(): void {
    this.records.tree.forget();
  }

  async inode(ino: number): Promise<InodeRecord | undefined> {
    return attempt(() => this.records.inode(ino));
  }

  /** @param rest of the bucket's key, behind the tree */
  async bucket(rest: Buffer): Promise<DirectoryBucket> {
    const key = versioned.key(0, VersionedKind.entry, rest);
    const { dir, cookieHigh, cookieLow } = keys.dirEntry.parse(key);
    return attempt(() => this.records.bucket(dir, { high: cookieHigh, low: cookieLow }));
  }

  async chunk(dataId: number, window: number): Promise<ChunkMap | null> {
    return attempt(() => this.records.chunk(dataId, window));
  }

  /** The windows of a file's data that have anything, ascending. */
  async *windows(dataId: number): AsyncGenerator<number> {
    const { tree, versions } = this.records;
    for await (const [key] of shownRows(versions, keyRange(keys.chunk.range(tree.id, dataId))))
      yield keys.chunk.parse(key).window;
  }

  /** All names of an inode; none of the root. */
  async names({ ino, type, nlink, parents }: InodeRecord): Promise<Name[]> {
    const links = [...parents];
    if (type !== FileType.directory && nlink > parents.length) links.push(...(await this.furtherLinks(ino)));
    return Promise.all(links.map((link) => this.nameAt(ino, link)));
  }

  /** From the root of the dataset on, with a slash before each name. */
  async path({ directory, name }: Name): Promise<Buffer> {
    return Buffer.concat([await this.directoryPath(directory), SLASH, name]);
  }

  /** Empty for the root. */
  private async directoryPath(ino: number): Promise<Buffer> {
    const names: Buffer[] = [];
    let at = ino;
    while (at !== ROOT_INO && !this.paths.has(at)) {
      const link = (await this.inode(at))?.parents[0];
      if (!link || names.length === DEPTH_MAX) throw unreadable(at);
      const { directory, name } = await this.nameAt(at, link);
      names.unshift(name);
      at = directory;
    }
    const top = this.paths.get(at) ?? NOTHING;
    const path = Buffer.concat([top, ...names.flatMap((name) => [SLASH, name])]);
    if (this.paths.size === PATHS_MAX) this.paths.clear();
    this.paths.set(ino, path);
    return path;
  }

  private async nameAt(ino: number, { ino: directory, cookieHigh, cookieLow }: ParentLink): Promise<Name> {
    const cookie = bucketOf({ high: cookieHigh, low: cookieLow });
    const bucket = await attempt(() => this.records.bucket(directory, cookie));
    const entry = bucket.find(({ index }) => index === (cookieLow & INDEX_BITS));
    if (entry?.ino !== ino) throw unreadable(ino);
    const generation = directory === ROOT_INO ? 0 : ((await this.inode(directory))?.generation ?? 0);
    return { directory, generation, name: entry.name };
  }

  private async furtherLinks(ino: number): Promise<ParentLink[]> {
    const { tree, versions } = this.records;
    const links: ParentLink[] = [];
    for await (const [key] of shownRows(versions, keyRange(keys.link.range(tree.id, ino)))) {
      const { parent, cookieHigh, cookieLow } = keys.link.parse(key);
      links.push({ ino: parent, cookieHigh, cookieLow });
    }
    return links;
  }
}

function unreadable(ino: number): FsError {
  return new FsError('EIO', `Cannot tell the path of inode ${ino}: no directory has it where it says`);
}
