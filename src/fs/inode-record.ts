// Everything that is known of an inode. inode-codec.ts has its bytes.

import type { Attributes } from './file-system.ts';

/** Parent links that fit in an inode; names beyond are not linked back from it. */
export const PARENTS_MAX = 4;
/** Data windows of 1 MiB. */
export const WINDOW_LOG2_DEFAULT = 20;
export const VERIFIER_BYTES = 8;

/** Where an inode has a name: for `..`, for diff and for the paths that a check prints. */
export interface ParentLink {
  readonly ino: number;
  readonly cookieHigh: number;
  readonly cookieLow: number;
}

/** Immutable: a change makes a new one. */
export interface InodeRecord extends Attributes {
  readonly btimeSeconds: number;
  readonly btimeNanoseconds: number;
  /** Goes up with every change of the inode. */
  readonly change: number;
  /** Names in a directory, `.` and `..` not counted. */
  readonly entryCount: number;
  /** At most {@link PARENTS_MAX}, in the order in which the names were made. */
  readonly parents: readonly ParentLink[];
  /** Names the windows of the file's data; 0 before there was any. */
  readonly dataId: number;
  readonly windowLog2: number;
  /** Of the EXCLUSIVE create that made the file. */
  readonly verifier: Buffer | null;
  readonly flags: number;
  readonly projectId: number;
  /** Of a symbolic link. */
  readonly target: Buffer | null;
  /** Tagged fields that this version does not know, byte for byte. */
  readonly tail: Buffer | null;
}

/** The one place that makes records, so that all have one hidden class and reading a field is one load. */
export function inodeRecord(fields: InodeRecord): InodeRecord {
  return {
    ino: fields.ino,
    generation: fields.generation,
    type: fields.type,
    mode: fields.mode,
    nlink: fields.nlink,
    uid: fields.uid,
    gid: fields.gid,
    size: fields.size,
    allocated: fields.allocated,
    rdevMajor: fields.rdevMajor,
    rdevMinor: fields.rdevMinor,
    atimeSeconds: fields.atimeSeconds,
    atimeNanoseconds: fields.atimeNanoseconds,
    mtimeSeconds: fields.mtimeSeconds,
    mtimeNanoseconds: fields.mtimeNanoseconds,
    ctimeSeconds: fields.ctimeSeconds,
    ctimeNanoseconds: fields.ctimeNanoseconds,
    mountedDataset: fields.mountedDataset,
    btimeSeconds: fields.btimeSeconds,
    btimeNanoseconds: fields.btimeNanoseconds,
    change: fields.change,
    entryCount: fields.entryCount,
    parents: fields.parents,
    dataId: fields.dataId,
    windowLog2: fields.windowLog2,
    verifier: fields.verifier,
    flags: fields.flags,
    projectId: fields.projectId,
    target: fields.target,
    tail: fields.tail,
  };
}

/** A copy of the record with some fields replaced. */
export function withFields(record: InodeRecord, fields: Partial<InodeRecord>): InodeRecord {
  // Into the copy: a spread of both would make a third object, of another hidden class.
  return Object.assign(inodeRecord(record), fields);
}
