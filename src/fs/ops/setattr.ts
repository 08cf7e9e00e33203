// SETATTR, RFC 1813 §3.3.2: who may change what stands in ownership.ts.

import type { Timestamp } from '../../clock.ts';
import type { Eventual } from '../../eventual.ts';
import {
  type Attributes,
  type Caller,
  type Change,
  type Changes,
  FILE_BYTES_MAX,
  FileType,
  type Mutation,
  type NodeRef,
  type Staged,
} from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { InodeRecord } from '../inode-record.ts';
import { attributesOf, mutate, type OperationContext } from '../operation.ts';
import { checkChanges, modeAfterChanges } from '../ownership.ts';
import { resize } from '../truncate.ts';
import type { Turn } from '../turn.ts';

const NO_FIELDS: Partial<InodeRecord> = {};

/**
 * @param guard the ctime that the caller last saw
 * @throws FsError `ENOTSYNC` when it is another one by now; `EINVAL` for the size of anything but a regular file
 */
export function setattr(
  context: OperationContext,
  call: Mutation<Change>,
  node: NodeRef,
  changes: Changes,
  guard?: Timestamp,
): Eventual<Staged<Change>> {
  return mutate(context, call, (turn) => {
    const record = turn.edit(node);
    const begun = turn.beforeShrink(record);
    const before = begun ?? attributesOf(context, record);
    // The guard was for the beginning: the operation's own steps have moved the ctime on.
    if (guard && !begun) checkGuard(before, guard);
    const updated = applyChanges(context, turn, call.caller, record, changes);
    return () => ({ before, after: attributesOf(context, updated) });
  });
}

/**
 * The record with the changes in it, staged.
 * @throws FsError as {@link setattr} does
 */
export function applyChanges(
  context: OperationContext,
  turn: Turn,
  caller: Caller,
  record: InodeRecord,
  asked: Changes,
): InodeRecord {
  const changes = passingOver(record, asked);
  const { size } = changes;
  if (size !== undefined) checkSize(record, size);
  checkChanges(caller, record, changes);
  if (isNothing(changes)) return record;
  const atime = timeOf(changes.atime, turn.now);
  // A new size is a modification (POSIX ftruncate), also where it is the old size.
  const mtime = timeOf(changes.mtime ?? (size === undefined ? undefined : 'now'), turn.now);
  // What this sets must not be covered by the time of an earlier write that is still to be flushed.
  if (mtime) context.writeBack.forgetTimes(turn, record);
  return turn.update(record, {
    ...(size === undefined ? NO_FIELDS : resize(context, turn, record, size)),
    uid: changes.uid ?? record.uid,
    gid: changes.gid ?? record.gid,
    // Who made the file EXCLUSIVE has the reply: a repetition is somebody else's create.
    verifier: null,
    mode: modeAfterChanges(caller, record, changes),
    atimeSeconds: atime?.seconds ?? record.atimeSeconds,
    atimeNanoseconds: atime?.nanoseconds ?? record.atimeNanoseconds,
    mtimeSeconds: mtime?.seconds ?? record.mtimeSeconds,
    mtimeNanoseconds: mtime?.nanoseconds ?? record.mtimeNanoseconds,
  });
}

function checkGuard(before: Attributes, guard: Timestamp): void {
  if (before.ctimeSeconds === guard.seconds && before.ctimeNanoseconds === guard.nanoseconds) return;
  throw new FsError('ENOTSYNC', 'The inode was changed since the guard was read');
}

/** @throws FsError `EFBIG`; `EINVAL` also for a directory, because RFC 1813 has no ISDIR for SETATTR */
export function checkSize(record: InodeRecord, size: number): void {
  if (record.type !== FileType.file) throw new FsError('EINVAL', 'Only a regular file has a size to set');
  if (size > FILE_BYTES_MAX) throw new FsError('EFBIG', `A file has at most ${FILE_BYTES_MAX} bytes`);
}

/** A symbolic link's mode means nothing: who sets it is answered OK, and nothing is changed by it, as by the Linux server. */
function passingOver(record: InodeRecord, changes: Changes): Changes {
  return record.type === FileType.symlink ? { ...changes, mode: undefined } : changes;
}

function isNothing({ mode, uid, gid, size, atime, mtime }: Changes): boolean {
  const owner = mode === undefined && uid === undefined && gid === undefined;
  return owner && size === undefined && atime === undefined && mtime === undefined;
}

function timeOf(time: Timestamp | 'now' | undefined, now: Timestamp): Timestamp | undefined {
  return time === 'now' ? now : time;
}
