// The value of a JOB key: work that was begun in a batch and is finished in the background, across restarts.
//
//   value := format:u8=1 kind:u8 tree:u32 crc32:u32     kind 1: take back all that a tree holds
//
// Kinds are on disk: never renumber.

import { getU32, putU32 } from '../fs/big-endian.ts';
import { CHECKED_BODY_AT, checkedBody, checkedValue, sealChecked } from '../fs/checked-value.ts';
import { DamageError } from '../fs/versioned-value.ts';

const FORMAT = 1;
const BODY_BYTES = 5;
const DROP_TREE = 1;

export function encodeDropTree(tree: number): Buffer {
  const value = checkedValue(FORMAT, BODY_BYTES);
  value[CHECKED_BODY_AT] = DROP_TREE;
  putU32(value, CHECKED_BODY_AT + 1, tree);
  return sealChecked(value);
}

/** The tree to take back. @throws DamageError */
export function decodeDropTree(job: number, value: Buffer): number {
  const body = checkedBody(value, FORMAT, BODY_BYTES, `job ${job}`);
  if (body[0] === DROP_TREE && body.length === BODY_BYTES) return getU32(body, 1);
  throw new DamageError(`Cannot read job ${job}: it is of unknown kind ${body[0]}`);
}
