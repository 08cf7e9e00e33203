// The root directory of a new dataset.

import { getU32 } from '../fs/big-endian.ts';
import { FileType } from '../fs/file-system.ts';
import { inodeRecord, WINDOW_LOG2_DEFAULT } from '../fs/inode-record.ts';
import { type OperationContext, ROOT_INO } from '../fs/operation.ts';
import { DIRECTORY_SIZE } from '../fs/ops/new-node.ts';
import { Turn } from '../fs/turn.ts';
import { DatasetError } from './datasets.ts';

const MODE_MAX = 0o7777;
const ID_MAX = 2 ** 32 - 1;

export interface RootDirectory {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** @throws DatasetError `invalid` */
export function checkRootDirectory({ mode, uid, gid }: RootDirectory): void {
  if (!isUpTo(mode, MODE_MAX))
    throw invalid(`the mode of a root directory is from 0 to 7777 (octal), not ${mode}`);
  if (!isUpTo(uid, ID_MAX))
    throw invalid(`the owner of a root directory is a uid from 0 to ${ID_MAX}, not ${uid}`);
  if (!isUpTo(gid, ID_MAX))
    throw invalid(`the group of a root directory is a gid from 0 to ${ID_MAX}, not ${gid}`);
}

export function makeRootDirectory({ records, clock, random }: OperationContext, root: RootDirectory): void {
  const turn = new Turn(records, clock.now());
  const { seconds, nanoseconds } = turn.now;
  const directory = inodeRecord({
    ...root,
    ino: ROOT_INO,
    // Not 0, so that a handle of zeros is never right.
    generation: getU32(random(4), 0) || 1,
    type: FileType.directory,
    nlink: 2,
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
    btimeSeconds: seconds,
    btimeNanoseconds: nanoseconds,
    mountedDataset: 0,
    change: 1,
    entryCount: 0,
    parents: [],
    dataId: 0,
    windowLog2: WINDOW_LOG2_DEFAULT,
    verifier: null,
    flags: 0,
    projectId: 0,
    target: null,
    tail: null,
  });
  turn.put(directory);
  turn.count(0, 1);
  turn.commit();
}

function isUpTo(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}

function invalid(message: string): DatasetError {
  return new DatasetError('invalid', message);
}
