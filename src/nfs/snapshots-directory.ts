// The `.snapshots` of every directory of a dataset, as a file system of its own. A node is the directory that holds it;
// its entries are the dataset's snapshots by name, and what each of them leads to is the same directory, by its inode
// and generation, at that snapshot. A snapshot in which the directory is not there is not listed.
//
// Nothing of it is stored. Its attributes are made here:
//
//   fileid   2^53 + 2 x the holder's inode number: no inode has it, and it is exact for the first 2^52 of them
//   mtime    when the list of snapshots last changed, ctime and atime too
//   owner    of the dataset's root directory
//   mode     0555, and with snapdir-write=on the write bits of the dataset's root directory: whoever may write there
//            makes and deletes snapshots, in any `.snapshots`
//   cookie   2^32 + the snapshot's id

import type { Clock } from '../clock.ts';
import type { Dataset } from '../datasets/datasets.ts';
import { andThen, type Eventual } from '../eventual.ts';
import {
  type Attributes,
  type Caller,
  type Cookie,
  type Created,
  type DirectoryEntry,
  type DirectoryPage,
  type FileSystem,
  type FileSystemUsage,
  FileType,
  type Mutation,
  type NodeRef,
  type Removed,
  type Staged,
} from '../fs/file-system.ts';
import { FsError } from '../fs/fs-error.ts';
import { checkName, isDot, isDotDot } from '../fs/name.ts';
import { DIRECTORY_SIZE } from '../fs/ops/new-node.ts';
import { accessBits, mayAddEntry } from '../fs/permission.ts';
import type { Snapshot, Snapshots } from '../snapshots/snapshots.ts';
import { asFsError } from './snapshot-refusal.ts';

export const SNAPSHOTS_NAME = Buffer.from('.snapshots');
const FILE_ID_BASE = 2 ** 53;
const READ_BITS = 0o555;
const WRITE_BITS = 0o222;
const COOKIE_HIGH = 1;
/** Snapshots that are asked for a directory in one turn: at most 7 us each, once they are in memory. */
const ASKED_AT_ONCE = 256;

/** What NFS asks of the snapshots' registry. */
export type ServedSnapshots = Pick<Snapshots, 'of' | 'find' | 'byId' | 'changedAt' | 'create' | 'delete'>;

export function isSnapshotsName(name: Buffer): boolean {
  return name.length === SNAPSHOTS_NAME.length && name.equals(SNAPSHOTS_NAME);
}

/** The fileid of the `.snapshots` in the directory `ino`. */
export function snapshotsFileId(ino: number): number {
  return FILE_ID_BASE + 2 * ino;
}

export class SnapshotsDirectory implements FileSystem {
  readonly datasetId: number;
  private readonly dataset: Dataset;
  private readonly snapshots: ServedSnapshots;
  private readonly clock: Clock;

  constructor(dataset: Dataset, snapshots: ServedSnapshots, clock: Clock) {
    this.datasetId = dataset.id;
    this.dataset = dataset;
    this.snapshots = snapshots;
    this.clock = clock;
  }

  root(): Eventual<Attributes> {
    return this.dataset.fileSystem.root();
  }

  attributes(node: NodeRef): Eventual<Attributes> {
    const { fileSystem } = this.dataset;
    return andThen(fileSystem.attributes(node), () =>
      andThen(fileSystem.root(), (root) => this.describe(node, root)),
    );
  }

  /** Every entry is of another file system: clients look it up. */
  attributesOf(inos: readonly number[]): readonly undefined[] {
    return inos.map(() => undefined);
  }

  lookup(_caller: Caller, node: NodeRef, name: Buffer): Eventual<Attributes | undefined> {
    checkName(name, 'lookup');
    if (isDot(name)) return this.attributes(node);
    if (isDotDot(name)) return this.dataset.fileSystem.attributes(node);
    const snapshot = this.snapshots.find(this.datasetId, name.toString('latin1'));
    if (!snapshot) return undefined;
    return attributesAt(snapshot, node);
  }

  access(caller: Caller, node: NodeRef, wanted: number) {
    return andThen(this.attributes(node), (attributes) => ({
      granted: accessBits(caller, attributes, wanted),
      attributes,
    }));
  }

  async readdir(_caller: Caller, node: NodeRef, after: Cookie, limit: number): Promise<DirectoryPage> {
    const directory = await this.attributes(node);
    const behind = after.high < COOKIE_HIGH ? 0 : after.low;
    const snapshots = this.snapshots.of(this.datasetId).filter(({ id }) => id > behind);
    const entries: DirectoryEntry[] = [];
    let asked = 0;
    while (asked < snapshots.length && entries.length <= limit) {
      if (asked > 0) await this.pause();
      entries.push(...(await entriesOf(snapshots.slice(asked, asked + ASKED_AT_ONCE), node)));
      asked += ASKED_AT_ONCE;
    }
    return { entries: entries.slice(0, limit), end: entries.length <= limit, directory, parent: node.ino };
  }

  usage(): Eventual<FileSystemUsage> {
    return this.dataset.fileSystem.usage();
  }

  /** Snapshots the dataset, whichever directory of it holds this one. The entry is that directory at the snapshot. */
  async mkdir(call: Mutation<Created>, node: NodeRef, name: Buffer): Promise<Staged<Created>> {
    checkName(name, 'create');
    const before = await this.writable(call.caller, node);
    const made = await this.changed(() =>
      this.snapshots.create(this.dataset.name, name.toString('latin1'), {}),
    );
    const entry = this.snapshots.byId(this.datasetId, made[0]!.id);
    const attributes = entry && (await attributesAt(entry, node));
    if (!attributes) throw new FsError('ESTALE');
    const after = await this.attributes(node);
    return { result: { node: attributes, directory: { before, after } }, ticket: 0 };
  }

  /** Deletes a snapshot, which is not empty. */
  async rmdir(call: Mutation<Removed>, node: NodeRef, name: Buffer): Promise<Staged<Removed>> {
    checkName(name, 'rmdir');
    const before = await this.writable(call.caller, node);
    const snapshot = this.snapshots.find(this.datasetId, name.toString('latin1'));
    if (!snapshot || !(await isIn(snapshot, node))) throw new FsError('ENOENT');
    await this.changed(() => this.snapshots.delete(`${this.dataset.name}@${snapshot.name}`));
    return { result: { directory: { before, after: await this.attributes(node) } }, ticket: 0 };
  }

  /** What changes here is durable when it is answered. */
  settled(): undefined {
    return undefined;
  }

  readlink(): never {
    throw new FsError('EINVAL');
  }

  read(): never {
    throw new FsError('EISDIR');
  }

  commit(): never {
    throw new FsError('EINVAL');
  }

  setattr(): never {
    throw readOnly();
  }

  write(): never {
    throw new FsError('EISDIR');
  }

  create(): never {
    throw readOnly();
  }

  symlink(): never {
    throw readOnly();
  }

  mknod(): never {
    throw readOnly();
  }

  remove(): never {
    throw readOnly();
  }

  rename(): never {
    throw readOnly();
  }

  link(): never {
    throw readOnly();
  }

  /** Other calls are served. */
  private pause(): Promise<void> {
    return new Promise((resolve) => this.clock.after(0, resolve));
  }

  private describe({ ino, generation }: NodeRef, root: Attributes): Attributes {
    const { seconds, nanoseconds } = this.snapshots.changedAt(this.datasetId);
    const writeBits = this.dataset.snapdirWrite ? root.mode & WRITE_BITS : 0;
    return {
      ino: snapshotsFileId(ino),
      generation,
      type: FileType.directory,
      mode: READ_BITS | writeBits,
      nlink: 2 + this.snapshots.of(this.datasetId).length,
      uid: root.uid,
      gid: root.gid,
      size: DIRECTORY_SIZE,
      allocated: 0,
      rdevMajor: 0,
      rdevMinor: 0,
      atimeSeconds: seconds,
      atimeNanoseconds: nanoseconds,
      mtimeSeconds: seconds,
      mtimeNanoseconds: nanoseconds,
      ctimeSeconds: seconds,
      ctimeNanoseconds: nanoseconds,
      mountedDataset: 0,
    };
  }

  /** @throws FsError `EACCES` */
  private async writable(caller: Caller, node: NodeRef): Promise<Attributes> {
    const attributes = await this.attributes(node);
    if (!mayAddEntry(caller, attributes)) throw new FsError('EACCES');
    return attributes;
  }

  private async changed<T>(change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } catch (error) {
      throw asFsError(error);
    }
  }
}

/** The directory at the snapshot; undefined when it is not there. */
function attributesAt(snapshot: Snapshot, node: NodeRef): Eventual<Attributes | undefined> {
  try {
    const found = snapshot.fileSystem.attributes(node);
    return found instanceof Promise ? found.catch(absent) : found;
  } catch (error) {
    return absent(error);
  }
}

function isIn({ fileSystem }: Snapshot, node: NodeRef): Eventual<boolean | undefined> {
  try {
    const found = fileSystem.has(node);
    return found instanceof Promise ? found.catch(absent) : found;
  } catch (error) {
    return absent(error);
  }
}

/** What does not have the inode, or has just been deleted. */
function absent(error: unknown): undefined {
  if (error instanceof FsError && error.code === 'ESTALE') return undefined;
  throw error;
}

async function entriesOf(snapshots: readonly Snapshot[], node: NodeRef): Promise<DirectoryEntry[]> {
  const found = await Promise.all(snapshots.map((snapshot) => isIn(snapshot, node)));
  return snapshots.flatMap(({ id, name }, at) =>
    found[at] ? [{ name: Buffer.from(name), ino: node.ino, cookieHigh: COOKIE_HIGH, cookieLow: id }] : [],
  );
}

function readOnly(): FsError {
  return new FsError('EROFS');
}
