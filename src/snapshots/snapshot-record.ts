// The values of SNAPSHOT keys.
//
//   snapshot  := format:u8=1 body crc32:u32                                body: a MessagePack map, fields as below
//   list      := format:u8=1 next:u32 seconds:u64 nanoseconds:u32 crc32    under snapshot id 0 of a dataset: the id of
//                                                                          its next snapshot, when its list changed
//
// Integers are big-endian, a checksum covers all before it. Field names are on disk: never rename.

import type { Timestamp } from '../clock.ts';
import { getU32, getU64, putU32, putU64 } from '../fs/big-endian.ts';
import { CHECKED_BODY_AT, checkedBody, checkedValue, isCount, sealChecked } from '../fs/checked-value.ts';
import { isTexts, packedValue, unpackedBody } from '../fs/packed-value.ts';
import { DamageError } from '../fs/versioned-value.ts';

const FORMAT = 1;
const LIST_BYTES = 16;

export interface SnapshotRecord {
  readonly name: string;
  readonly uuid: string;
  /** The kept generation that it shows. */
  readonly tree: number;
  readonly generation: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Logical bytes and inodes that it shows. */
  readonly usedBytes: number;
  readonly usedInodes: number;
  /** Tags of those who want it to stay. */
  readonly holds: readonly string[];
  /** Unix seconds; null is never. */
  readonly expiresAt: number | null;
  readonly properties: Readonly<Record<string, string>>;
}

export interface ListRecord {
  readonly nextId: number;
  readonly changedAt: Timestamp;
}

export function encodeSnapshot(record: SnapshotRecord): Buffer {
  // The order of the fields is that of the bytes: named here, so that equal records have equal values.
  return packedValue(FORMAT, {
    name: record.name,
    uuid: record.uuid,
    tree: record.tree,
    generation: record.generation,
    seconds: record.seconds,
    nanoseconds: record.nanoseconds,
    usedBytes: record.usedBytes,
    usedInodes: record.usedInodes,
    holds: record.holds,
    expiresAt: record.expiresAt,
    properties: record.properties,
  });
}

/** @throws DamageError when the bytes are those of no snapshot; never anything else. */
export function decodeSnapshot(what: string, value: Buffer): SnapshotRecord {
  const record = unpackedBody(value, FORMAT, what);
  if (!isSnapshotRecord(record)) throw new DamageError(`Cannot read ${what}: a field is missing or wrong`);
  return record;
}

export function encodeList({ nextId, changedAt }: ListRecord): Buffer {
  const value = checkedValue(FORMAT, LIST_BYTES);
  putU32(value, CHECKED_BODY_AT, nextId);
  putU64(value, CHECKED_BODY_AT + 4, changedAt.seconds);
  putU32(value, CHECKED_BODY_AT + 12, changedAt.nanoseconds);
  return sealChecked(value);
}

/** @throws DamageError */
export function decodeList(what: string, value: Buffer): ListRecord {
  const body = checkedBody(value, FORMAT, LIST_BYTES, what);
  if (body.length !== LIST_BYTES) throw new DamageError(`Cannot read ${what}: it has ${value.length} bytes`);
  return {
    nextId: getU32(body, 0),
    changedAt: { seconds: getU64(body, 4), nanoseconds: getU32(body, 12) },
  };
}

function isSnapshotRecord(value: unknown): value is SnapshotRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Record<keyof SnapshotRecord, unknown>;
  return (
    typeof record.name === 'string' &&
    typeof record.uuid === 'string' &&
    [
      record.tree,
      record.generation,
      record.seconds,
      record.nanoseconds,
      record.usedBytes,
      record.usedInodes,
    ].every(isCount) &&
    Array.isArray(record.holds) &&
    record.holds.every((tag) => typeof tag === 'string') &&
    (record.expiresAt === null || isCount(record.expiresAt)) &&
    isTexts(record.properties)
  );
}
