// Making an inode and its first name: the part that CREATE, MKDIR, SYMLINK and MKNOD share.

import type { Timestamp } from '../../clock.ts';
import { getU32 } from '../big-endian.ts';
import { type Caller, type Changes, FileType, LINK_COUNT_MAX } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import { type InodeRecord, inodeRecord, type ParentLink, WINDOW_LOG2_DEFAULT } from '../inode-record.ts';
import type { OperationContext } from '../operation.ts';
import { type Ownership, ownershipOfNew } from '../ownership.ts';
import type { Turn } from '../turn.ts';
import { checkAdd, entriesChanged } from './directory.ts';
import { parentLink } from './parent-links.ts';

/** What `stat` shows as the size of every directory. */
export const DIRECTORY_SIZE = 4096;

export interface NewNode {
  readonly type: FileType;
  readonly changes: Changes;
  /** Where `changes` has none. */
  readonly defaultMode: number;
  readonly size?: number;
  readonly rdevMajor?: number;
  readonly rdevMinor?: number;
  readonly verifier?: Buffer;
  readonly target?: Buffer;
}

/**
 * @param directory that was searched, and has no such name
 * @throws FsError `EACCES`, `EMLINK` when the directory has all the subdirectories that fit, `EDQUOT`, `ENOSPC`
 */
export function makeNode(
  context: OperationContext,
  turn: Turn,
  place: { readonly caller: Caller; readonly directory: InodeRecord; readonly name: Buffer },
  node: NewNode,
): { readonly node: InodeRecord; readonly directory: InodeRecord } {
  const { caller, directory, name } = place;
  const isDirectory = node.type === FileType.directory;
  checkAdd(caller, directory);
  if (isDirectory && directory.nlink >= LINK_COUNT_MAX) {
    throw new FsError('EMLINK', `A directory holds at most ${LINK_COUNT_MAX - 2} directories`);
  }
  context.writeBack.checkInode();
  const ino = context.inos.take();
  if (isDirectory) turn.tree.madeDirectories.made(ino);
  const entry = turn.addEntry(directory.ino, name, ino, node.type);
  const record = newRecord(turn.now, directory, node, {
    ino,
    generation: newGeneration(context),
    ownership: ownershipOfNew(caller, directory, node),
    parent: parentLink(directory.ino, entry),
  });
  turn.put(record);
  turn.count(0, 1);
  const counts = { entries: 1, directories: isDirectory ? 1 : 0 };
  return { node: record, directory: entriesChanged(turn, directory, counts, [{ at: entry, name }]) };
}

/** Not 0, so that a handle of zeros is never right. */
function newGeneration(context: OperationContext): number {
  return getU32(context.random(4), 0) || 1;
}

interface Identity {
  readonly ino: number;
  readonly generation: number;
  readonly ownership: Ownership;
  readonly parent: ParentLink;
}

/** Field by field: spreading several objects into one costs more than all the rest of a create. */
function newRecord(now: Timestamp, directory: InodeRecord, node: NewNode, identity: Identity): InodeRecord {
  const { ownership } = identity;
  const atime = given(node.changes.atime, now);
  const mtime = given(node.changes.mtime, now);
  return inodeRecord({
    ino: identity.ino,
    generation: identity.generation,
    type: node.type,
    mode: ownership.mode,
    nlink: node.type === FileType.directory ? 2 : 1,
    uid: ownership.uid,
    gid: ownership.gid,
    size: node.size ?? 0,
    allocated: 0,
    rdevMajor: node.rdevMajor ?? 0,
    rdevMinor: node.rdevMinor ?? 0,
    atimeSeconds: atime.seconds,
    atimeNanoseconds: atime.nanoseconds,
    mtimeSeconds: mtime.seconds,
    mtimeNanoseconds: mtime.nanoseconds,
    ctimeSeconds: now.seconds,
    ctimeNanoseconds: now.nanoseconds,
    mountedDataset: 0,
    btimeSeconds: now.seconds,
    btimeNanoseconds: now.nanoseconds,
    change: 1,
    entryCount: 0,
    parents: [identity.parent],
    dataId: 0,
    windowLog2: WINDOW_LOG2_DEFAULT,
    verifier: node.verifier ?? null,
    flags: 0,
    projectId: directory.projectId,
    target: node.target ?? null,
    tail: null,
  });
}

function given(time: Timestamp | 'now' | undefined, now: Timestamp): Timestamp {
  return time === undefined || time === 'now' ? now : time;
}
