// The one wide interface between the file system and what serves it: one method per operation, for one dataset.
//
// A method answers in the same turn when everything it needs is in memory, else with a promise. It throws (or
// rejects with) FsError and then has changed nothing. A mutation answers at its *stage*: later operations see it,
// the reply must wait until `settled(ticket)`.

import type { Timestamp } from '../clock.ts';
import type { Eventual } from '../eventual.ts';

/** RFC 1813 ftype3; on disk: never renumber. */
export const FileType = {
  file: 1,
  directory: 2,
  block: 3,
  character: 4,
  symlink: 5,
  socket: 6,
  fifo: 7,
} as const;
export type FileType = (typeof FileType)[keyof typeof FileType];

/** Who asks, after squashing by the export's rules. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** Whose the server's own changes are. */
export const ADMINISTRATOR: Caller = { uid: 0, gid: 0, groups: [] };

/** An inode by number and by the random generation that tells it from an earlier user of the number. */
export interface NodeRef {
  readonly ino: number;
  readonly generation: number;
}

/** What `stat` shows; immutable, so that a reply may hold it while later operations go on. */
export interface Attributes extends NodeRef {
  readonly type: FileType;
  /** Permission bits with setuid, setgid and sticky: 0o7777. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Logical bytes allocated, holes left out, dirty data counted. */
  readonly allocated: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  readonly atimeSeconds: number;
  readonly atimeNanoseconds: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
  /** The dataset whose root shows at this directory; 0 for an ordinary inode. */
  readonly mountedDataset: number;
}

/** Attributes to set; what is absent stays. `'now'` is the server's clock. */
export interface Changes {
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly size?: number | undefined;
  readonly atime?: Timestamp | 'now' | undefined;
  readonly mtime?: Timestamp | 'now' | undefined;
}

/** The record of a reply, written in the batch of the operation it answers (REPLY family). */
export interface Receipt {
  readonly slot: number;
  readonly value: Buffer;
}

/**
 * A mutating call. `receipt` is called once, in the turn of the stage, with the result that will be returned; what it
 * returns is committed together with the operation.
 */
export interface Mutation<R> {
  readonly caller: Caller;
  readonly receipt?: ((result: R) => Receipt | undefined) | undefined;
}

/** A staged result: hold the reply until `settled(ticket)`. */
export interface Staged<R> {
  readonly result: R;
  readonly ticket: number;
}

/** The same inode around an operation, taken in the turn of the stage. */
export interface Change {
  readonly before: Attributes;
  readonly after: Attributes;
}

export interface Created {
  readonly node: Attributes;
  readonly directory: Change;
}

export interface Removed {
  readonly directory: Change;
}

export interface Renamed {
  readonly source: Change;
  readonly target: Change;
}

export interface Linked {
  readonly node: Attributes;
  readonly directory: Change;
}

export interface Written extends Change {
  /** Bytes accepted: all of them, unless the file-size limit cut the end off. */
  readonly count: number;
  /** Whether data and metadata of this write are (after `settled`) on stable storage. */
  readonly stable: boolean;
}

export interface ReadResult {
  /** The bytes in order; holes are zeros. */
  readonly buffers: readonly Buffer[];
  readonly count: number;
  readonly eof: boolean;
  readonly attributes: Attributes;
}

/** RFC 1813 createmode3. */
export type CreateHow =
  | { readonly mode: 'unchecked'; readonly changes: Changes }
  | { readonly mode: 'guarded'; readonly changes: Changes }
  | { readonly mode: 'exclusive'; readonly verifier: Buffer };

/** A directory position: 0/0 is the start; each entry has its own, for ever; they increase along a listing. */
export interface Cookie {
  readonly high: number;
  readonly low: number;
}

export interface DirectoryEntry {
  readonly name: Buffer;
  readonly ino: number;
  readonly cookieHigh: number;
  readonly cookieLow: number;
}

export interface DirectoryPage {
  readonly entries: readonly DirectoryEntry[];
  /** No entry follows the last of `entries`. */
  readonly end: boolean;
  readonly directory: Attributes;
  /** Inode of `..`; the directory itself at a dataset's root. */
  readonly parent: number;
}

export interface FileSystemUsage {
  /** Bytes: what `df` shows. `available` is the least of quota, refquota and disk. */
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly availableBytes: number;
  readonly totalInodes: number;
  readonly freeInodes: number;
  readonly usedBytes: number;
  readonly usedInodes: number;
}

export const NAME_BYTES_MAX = 255;
export const SYMLINK_BYTES_MAX = 4095;
export const LINK_COUNT_MAX = 65_000;
export const FILE_BYTES_MAX = Number.MAX_SAFE_INTEGER;

/** Bits of RFC 1813 ACCESS. */
export const Access = { read: 1, lookup: 2, modify: 4, extend: 8, delete: 16, execute: 32 } as const;

/** Answers that show attributes of many inodes, as they were encoded; each under a key that says what was asked. */
export interface ListedPages {
  /** Undefined also when one of its inodes has changed since. */
  find(key: string): Buffer | undefined;
  /** Whether to keep the answer, which was not there. */
  wants(key: string, inodes: number): boolean;
  /** Keeps an answer that shows these inodes as they are in this turn. */
  keep(key: string, inos: readonly number[], bytes: Buffer): void;
}

export interface FileSystem {
  readonly datasetId: number;
  /** Absent where none are kept. */
  readonly listedPages?: ListedPages;
  /** The root directory. */
  root(): Eventual<Attributes>;
  /** @throws FsError `ESTALE` when the inode is gone or its generation differs. */
  attributes(node: NodeRef): Eventual<Attributes>;
  /** Attributes by inode number alone, for READDIRPLUS; undefined when it went meanwhile. */
  attributesOf(inos: readonly number[]): Eventual<readonly (Attributes | undefined)[]>;
  /** `undefined` when there is no such name. `.` and `..` are answered; `..` of the root is the root. */
  lookup(caller: Caller, directory: NodeRef, name: Buffer): Eventual<Attributes | undefined>;
  /** The subset of `wanted` that {@link Access} grants. */
  access(
    caller: Caller,
    node: NodeRef,
    wanted: number,
  ): Eventual<{ granted: number; attributes: Attributes }>;
  readlink(caller: Caller, node: NodeRef): Eventual<{ target: Buffer; attributes: Attributes }>;
  read(caller: Caller, node: NodeRef, offset: number, count: number): Eventual<ReadResult>;
  /** Entries behind `after`, at most `limit` of them; `.` and `..` are the caller's to add. */
  readdir(caller: Caller, directory: NodeRef, after: Cookie, limit: number): Eventual<DirectoryPage>;

  setattr(
    call: Mutation<Change>,
    node: NodeRef,
    changes: Changes,
    guard?: Timestamp,
  ): Eventual<Staged<Change>>;
  /** Keeps a reference to `data`: the caller must not reuse the bytes. */
  write(
    call: Mutation<Written>,
    node: NodeRef,
    offset: number,
    data: Buffer,
    stable: boolean,
  ): Eventual<Staged<Written>>;
  /** Everything written to the file before is on stable storage when the ticket settles. */
  commit(call: Mutation<Change>, node: NodeRef): Eventual<Staged<Change>>;
  create(
    call: Mutation<Created>,
    directory: NodeRef,
    name: Buffer,
    how: CreateHow,
  ): Eventual<Staged<Created>>;
  mkdir(
    call: Mutation<Created>,
    directory: NodeRef,
    name: Buffer,
    changes: Changes,
  ): Eventual<Staged<Created>>;
  symlink(
    call: Mutation<Created>,
    directory: NodeRef,
    name: Buffer,
    target: Buffer,
    changes: Changes,
  ): Eventual<Staged<Created>>;
  mknod(
    call: Mutation<Created>,
    directory: NodeRef,
    name: Buffer,
    node: SpecialNode,
  ): Eventual<Staged<Created>>;
  remove(call: Mutation<Removed>, directory: NodeRef, name: Buffer): Eventual<Staged<Removed>>;
  rmdir(call: Mutation<Removed>, directory: NodeRef, name: Buffer): Eventual<Staged<Removed>>;
  rename(
    call: Mutation<Renamed>,
    source: NodeRef,
    sourceName: Buffer,
    target: NodeRef,
    targetName: Buffer,
  ): Eventual<Staged<Renamed>>;
  link(call: Mutation<Linked>, node: NodeRef, directory: NodeRef, name: Buffer): Eventual<Staged<Linked>>;
  usage(): Eventual<FileSystemUsage>;

  /** Undefined when the ticket is on stable storage already (or, `relaxed`, may be answered); rejects when it never will be. */
  settled(ticket: number): Promise<void> | undefined;
}

export interface SpecialNode {
  readonly type:
    | typeof FileType.block
    | typeof FileType.character
    | typeof FileType.socket
    | typeof FileType.fifo;
  readonly major: number;
  readonly minor: number;
  readonly changes: Changes;
}
