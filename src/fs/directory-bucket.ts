// The value of a DIR_ENTRY key: every entry of one directory whose name hashes to one bucket, nearly always one. In
// the envelope of versioned-value.ts:
//
//   body  := count:u8 entry{count}                        1 to 16 entries, ascending by index
//   entry := index:u8 type:u8 ino:u64 bytes:u8 name
//
// An entry keeps its index (and so its cookie) until it is removed, whatever comes and goes beside it.

import { getU64, putU64 } from './big-endian.ts';
import { FileType } from './file-system.ts';
import { BUCKET_ENTRIES_MAX } from './name-cookie.ts';
import { BODY_AT, CRC_BYTES, DamageError } from './versioned-value.ts';

/** On disk: never renumber. */
const FORMAT = 1;
const ENTRIES_AT = BODY_AT + 1;
const ENTRY_HEAD_BYTES = 11;

export interface BucketEntry {
  readonly name: Buffer;
  readonly ino: number;
  readonly type: FileType;
  readonly index: number;
}

/** Ascending by index. */
export type DirectoryBucket = readonly BucketEntry[];

export function findEntry(bucket: DirectoryBucket, name: Buffer): BucketEntry | undefined {
  for (const entry of bucket) {
    if (entry.name.equals(name)) return entry;
  }
  return undefined;
}

/** The bucket with one more entry, at the lowest free index; undefined when all 16 are taken. */
export function insertEntry(
  bucket: DirectoryBucket,
  entry: { readonly name: Buffer; readonly ino: number; readonly type: FileType },
): DirectoryBucket | undefined {
  let index = 0;
  while (bucket[index]?.index === index) index++;
  if (index === BUCKET_ENTRIES_MAX) return undefined;
  return bucket.toSpliced(index, 0, { name: entry.name, ino: entry.ino, type: entry.type, index });
}

/** The bucket without that entry; an empty one is no record: delete the key. */
export function removeEntry(bucket: DirectoryBucket, name: Buffer): DirectoryBucket {
  return bucket.filter((entry) => !entry.name.equals(name));
}

/** The value, still to be sealed. */
export function encodeBucket(bucket: DirectoryBucket): Buffer {
  let length = ENTRIES_AT + CRC_BYTES;
  for (const entry of bucket) length += ENTRY_HEAD_BYTES + entry.name.length;
  const value = Buffer.allocUnsafe(length);
  value[0] = FORMAT;
  value[BODY_AT] = bucket.length;
  let at = ENTRIES_AT;
  for (const { name, ino, type, index } of bucket) {
    value[at] = index;
    value[at + 1] = type;
    putU64(value, at + 2, ino);
    value[at + 10] = name.length;
    value.set(name, at + ENTRY_HEAD_BYTES);
    at += ENTRY_HEAD_BYTES + name.length;
  }
  return value;
}

/**
 * The entries in a value whose checksum the caller has verified if it came from storage. Names are slices of it.
 *
 * @throws DamageError when the bytes are no bucket; never anything else.
 */
export function decodeBucket(value: Buffer): DirectoryBucket {
  const end = value.length - CRC_BYTES;
  if (end <= ENTRIES_AT || value[0] !== FORMAT) throw damaged(`no record of format ${FORMAT}`);
  const bucket: BucketEntry[] = [];
  let at = ENTRIES_AT;
  let next = 0;
  for (let count = value[BODY_AT]!; count > 0; count--) {
    const nameAt = at + ENTRY_HEAD_BYTES;
    const nameEnd = nameAt + value[at + 10]!;
    if (nameAt >= end || nameEnd > end) throw damaged('its entries do not fit');
    const index = value[at]!;
    const type = value[at + 1]! as FileType;
    const ino = getU64(value, at + 2);
    if (index < next || index >= BUCKET_ENTRIES_MAX) throw damaged(`index ${index} is out of order`);
    if (type < FileType.file || type > FileType.fifo) throw damaged(`unknown type ${type}`);
    if (ino > Number.MAX_SAFE_INTEGER) throw damaged('an inode number is beyond 2^53-1');
    bucket.push({ name: value.subarray(nameAt, nameEnd), ino, type, index });
    next = index + 1;
    at = nameEnd;
  }
  if (at !== end || bucket.length === 0) throw damaged('its entries do not fit');
  return bucket;
}

function damaged(why: string): DamageError {
  return new DamageError(`Cannot read a directory entry: ${why}`);
}
