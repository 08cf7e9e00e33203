// The value of a JOB key: work that was begun in a batch and is finished in the background, across restarts.
//
//   value := format:u8=1 kind:u8 rest crc32:u32
//   rest  := tree:u32                                     kind 1: take back all that a tree holds
//          | dataset:u32 directory:u64 generation:u32     kind 2: a restore makes an entry of this directory; what a
//                                                         crash leaves of it goes
//          | tree:u32                                     kind 3: make a tree independent of its parent
//          | tree:u32                                     kind 4: put what a tree inherits underneath what it has
//
// Kinds are on disk: never renumber. A directory's `generation` tells it from a later user of its inode number.

import { getU32, getU64, putU32, putU64 } from '../fs/big-endian.ts';
import { CHECKED_BODY_AT, checkedBody, checkedValue, sealChecked } from '../fs/checked-value.ts';
import { DamageError } from '../fs/versioned-value.ts';

const FORMAT = 1;
const TREE_BODY_BYTES = 5;
const RESTORE_BODY_BYTES = 17;
const DROP_TREE = 1;
const RESTORE = 2;
const DETACH = 3;
const FLATTEN = 4;
const TREE_KINDS = { 'drop-tree': DROP_TREE, detach: DETACH, flatten: FLATTEN } as const;

type TreeJob = keyof typeof TREE_KINDS;

export type JobRecord =
  | { readonly kind: TreeJob; readonly tree: number }
  | {
      readonly kind: 'restore';
      readonly dataset: number;
      readonly directory: number;
      readonly generation: number;
    };

export function encodeJob(job: JobRecord): Buffer {
  if (job.kind !== 'restore') {
    const value = checkedValue(FORMAT, TREE_BODY_BYTES);
    value[CHECKED_BODY_AT] = TREE_KINDS[job.kind];
    putU32(value, CHECKED_BODY_AT + 1, job.tree);
    return sealChecked(value);
  }
  const value = checkedValue(FORMAT, RESTORE_BODY_BYTES);
  value[CHECKED_BODY_AT] = RESTORE;
  putU32(value, CHECKED_BODY_AT + 1, job.dataset);
  putU64(value, CHECKED_BODY_AT + 5, job.directory);
  putU32(value, CHECKED_BODY_AT + 13, job.generation);
  return sealChecked(value);
}

/** @throws DamageError */
export function decodeJob(id: number, value: Buffer): JobRecord {
  const body = checkedBody(value, FORMAT, TREE_BODY_BYTES, `job ${id}`);
  for (const kind of Object.keys(TREE_KINDS) as TreeJob[])
    if (body.length === TREE_BODY_BYTES && body[0] === TREE_KINDS[kind])
      return { kind, tree: getU32(body, 1) };
  if (body.length === RESTORE_BODY_BYTES && body[0] === RESTORE) {
    return {
      kind: 'restore',
      dataset: getU32(body, 1),
      directory: getU64(body, 5),
      generation: getU32(body, 13),
    };
  }
  throw new DamageError(`Cannot read job ${id}: it is of unknown kind ${body[0]}`);
}
