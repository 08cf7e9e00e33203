// The value of an INODE key, in the envelope of versioned-value.ts.
//
//   body   := fixed parent{parentCount} verifier? (bytes:u16 target)? tagged*
//   parent := ino:u64 cookie:u64
//   tagged := tag:u16 bytes:u32 data      fields of later formats; whoever does not know a tag keeps it byte for byte
//
//   fixed, by offset in the value:
//     5 type:u8       9 mode:u16         27 rdevMajor:u32       47 size:u64         87 atime
//     6 parts:u8     11 nlink:u32        31 rdevMinor:u32       55 allocated:u64    99 mtime
//     7 parents:u8   15 uid:u32          35 flags:u32           63 change:u64      111 ctime
//     8 window:u8    19 gid:u32          39 projectId:u32       71 entryCount:u64  123 btime
//                    23 generation:u32   43 mountedDataset:u32  79 dataId:u64      135 end
//
//   time   := seconds:i64 nanoseconds:u32
//
// `parts`: 1 = a verifier (8 bytes) follows, 2 = a symlink target follows. `window` is log2 of a data window's bytes.
// Every u64 is at most 2^53-1, every i64 a safe integer. The inode number is in the key only.

import { getI64, getU16, getU32, getU64, putI64, putU16, putU32, putU64 } from './big-endian.ts';
import { FileType } from './file-system.ts';
import {
  type InodeRecord,
  inodeRecord,
  PARENTS_MAX,
  type ParentLink,
  VERIFIER_BYTES,
} from './inode-record.ts';
import { CRC_BYTES, DamageError } from './versioned-value.ts';

/** On disk: never renumber. */
const FORMAT = 1;
const HAS_VERIFIER = 1;
const HAS_TARGET = 2;

const FIXED_END = 135;
const PARENT_BYTES = 16;
const TAG_HEAD_BYTES = 6;
const MAX = Number.MAX_SAFE_INTEGER;
const NO_PARENTS: readonly ParentLink[] = [];

/** The value, still to be sealed. */
export function encodeInode(record: InodeRecord): Buffer {
  const { parents, verifier, target, tail } = record;
  const length =
    FIXED_END +
    parents.length * PARENT_BYTES +
    (verifier === null ? 0 : VERIFIER_BYTES) +
    (target === null ? 0 : 2 + target.length) +
    (tail === null ? 0 : tail.length) +
    CRC_BYTES;
  const value = Buffer.allocUnsafe(length);
  value[0] = FORMAT;
  putFixed(value, record);
  let at = FIXED_END;
  for (const parent of parents) {
    putU64(value, at, parent.ino);
    putU32(value, at + 8, parent.cookieHigh);
    putU32(value, at + 12, parent.cookieLow);
    at += PARENT_BYTES;
  }
  if (verifier !== null) {
    value.set(verifier, at);
    at += VERIFIER_BYTES;
  }
  if (target !== null) {
    putU16(value, at, target.length);
    value.set(target, at + 2);
    at += 2 + target.length;
  }
  if (tail !== null) value.set(tail, at);
  return value;
}

/**
 * The record in a value whose checksum the caller has verified if it came from storage.
 *
 * @throws DamageError when the bytes are no inode; never anything else.
 */
export function decodeInode(ino: number, value: Buffer): InodeRecord {
  const end = value.length - CRC_BYTES;
  if (end < FIXED_END || value[0] !== FORMAT) throw damaged(ino, `no record of format ${FORMAT}`);
  const parts = value[6]!;
  const parentCount = value[7]!;
  if (parts > (HAS_VERIFIER | HAS_TARGET)) throw damaged(ino, `unknown parts ${parts}`);
  const verifierAt = FIXED_END + parentCount * PARENT_BYTES;
  const targetAt = verifierAt + (parts & HAS_VERIFIER ? VERIFIER_BYTES : 0);
  const targetBytes = parts & HAS_TARGET && targetAt + 2 <= end ? getU16(value, targetAt) : 0;
  const tailAt = targetAt + (parts & HAS_TARGET ? 2 + targetBytes : 0);
  if (parentCount > PARENTS_MAX || tailAt > end) throw damaged(ino, 'its parts do not fit');
  const record = inodeRecord({
    ino,
    generation: getU32(value, 23),
    type: value[5] as FileType,
    mode: getU16(value, 9),
    nlink: getU32(value, 11),
    uid: getU32(value, 15),
    gid: getU32(value, 19),
    size: getU64(value, 47),
    allocated: getU64(value, 55),
    rdevMajor: getU32(value, 27),
    rdevMinor: getU32(value, 31),
    atimeSeconds: getI64(value, 87),
    atimeNanoseconds: getU32(value, 95),
    mtimeSeconds: getI64(value, 99),
    mtimeNanoseconds: getU32(value, 107),
    ctimeSeconds: getI64(value, 111),
    ctimeNanoseconds: getU32(value, 119),
    mountedDataset: getU32(value, 43),
    btimeSeconds: getI64(value, 123),
    btimeNanoseconds: getU32(value, 131),
    change: getU64(value, 63),
    entryCount: getU64(value, 71),
    parents: parentCount === 0 ? NO_PARENTS : parentsIn(value, parentCount),
    dataId: getU64(value, 79),
    windowLog2: value[8]!,
    verifier: parts & HAS_VERIFIER ? value.subarray(verifierAt, targetAt) : null,
    flags: getU32(value, 35),
    projectId: getU32(value, 39),
    target: parts & HAS_TARGET ? value.subarray(targetAt + 2, tailAt) : null,
    tail: tailAt === end ? null : value.subarray(tailAt, end),
  });
  check(record);
  return record;
}

function putFixed(value: Buffer, record: InodeRecord): void {
  value[5] = record.type;
  value[6] = (record.verifier === null ? 0 : HAS_VERIFIER) | (record.target === null ? 0 : HAS_TARGET);
  value[7] = record.parents.length;
  value[8] = record.windowLog2;
  putU16(value, 9, record.mode);
  putU32(value, 11, record.nlink);
  putU32(value, 15, record.uid);
  putU32(value, 19, record.gid);
  putU32(value, 23, record.generation);
  putU32(value, 27, record.rdevMajor);
  putU32(value, 31, record.rdevMinor);
  putU32(value, 35, record.flags);
  putU32(value, 39, record.projectId);
  putU32(value, 43, record.mountedDataset);
  putU64(value, 47, record.size);
  putU64(value, 55, record.allocated);
  putU64(value, 63, record.change);
  putU64(value, 71, record.entryCount);
  putU64(value, 79, record.dataId);
  putI64(value, 87, record.atimeSeconds);
  putU32(value, 95, record.atimeNanoseconds);
  putI64(value, 99, record.mtimeSeconds);
  putU32(value, 107, record.mtimeNanoseconds);
  putI64(value, 111, record.ctimeSeconds);
  putU32(value, 119, record.ctimeNanoseconds);
  putI64(value, 123, record.btimeSeconds);
  putU32(value, 131, record.btimeNanoseconds);
}

function parentsIn(value: Buffer, count: number): ParentLink[] {
  const parents: ParentLink[] = [];
  for (let at = FIXED_END; parents.length < count; at += PARENT_BYTES) {
    parents.push({
      ino: getU64(value, at),
      cookieHigh: getU32(value, at + 8),
      cookieLow: getU32(value, at + 12),
    });
  }
  return parents;
}

/** What no encoder writes, a decoder does not let through: later code relies on it. */
function check(record: InodeRecord): void {
  const { ino, type, tail } = record;
  if (type < FileType.file || type > FileType.fifo) throw damaged(ino, `unknown type ${type}`);
  if (
    !(record.size <= MAX && record.allocated <= MAX && record.change <= MAX) ||
    !(record.entryCount <= MAX && record.dataId <= MAX) ||
    !(isSeconds(record.atimeSeconds) && isSeconds(record.mtimeSeconds)) ||
    !(isSeconds(record.ctimeSeconds) && isSeconds(record.btimeSeconds))
  ) {
    throw damaged(ino, 'a number is beyond 2^53-1');
  }
  for (const parent of record.parents) {
    if (parent.ino > MAX) throw damaged(ino, 'a parent is beyond 2^53-1');
  }
  if (tail === null) return;
  let at = 0;
  while (at + TAG_HEAD_BYTES <= tail.length) at += TAG_HEAD_BYTES + getU32(tail, at + 2);
  if (at !== tail.length) throw damaged(ino, 'its tagged fields do not fit');
}

function isSeconds(seconds: number): boolean {
  return seconds <= MAX && seconds >= -MAX;
}

function damaged(ino: number, why: string): DamageError {
  return new DamageError(`Cannot read inode ${ino}: ${why}`);
}
