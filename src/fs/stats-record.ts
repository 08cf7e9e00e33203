// The value of a STATS key: what one tree uses, in the envelope of checked-value.ts.
//
//   body := usedBytes:u64 usedInodes:u64

import { strict as assert } from 'node:assert';
import { getU64, putU64 } from './big-endian.ts';
import { CHECKED_BODY_AT, checkedBody, checkedValue, isCount, sealChecked } from './checked-value.ts';
import { DamageError } from './versioned-value.ts';

/** On disk: never renumber. */
const FORMAT = 1;
const BODY_BYTES = 16;

export interface StatsRecord {
  /** Logical bytes allocated, so that compaction never changes them. */
  readonly usedBytes: number;
  readonly usedInodes: number;
}

export function encodeStats({ usedBytes, usedInodes }: StatsRecord): Buffer {
  assert(
    isCount(usedBytes) && isCount(usedInodes),
    `a tree cannot use ${usedBytes} bytes, ${usedInodes} inodes`,
  );
  const value = checkedValue(FORMAT, BODY_BYTES);
  putU64(value, CHECKED_BODY_AT, usedBytes);
  putU64(value, CHECKED_BODY_AT + 8, usedInodes);
  return sealChecked(value);
}

/** @throws DamageError when the bytes are not what {@link encodeStats} wrote. */
export function decodeStats(value: Buffer): StatsRecord {
  const body = checkedBody(value, FORMAT, BODY_BYTES, 'the counters of a tree');
  const usedBytes = getU64(body, 0);
  const usedInodes = getU64(body, 8);
  if (body.length !== BODY_BYTES || !isCount(usedBytes) || !isCount(usedInodes)) {
    throw new DamageError('Cannot read the counters of a tree: they are out of range');
  }
  return { usedBytes, usedInodes };
}
