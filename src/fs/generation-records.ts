// Bytes of the rows that say which generations there are.
//
//   TREE value := format:u8=1 flags:u8 parent_tree:u32 parent_generation:u32 current:u32 crc32:u32
//                 flags: 1 has a parent; 2 has no meaning any more; 4 had a parent and was detached from it; 8 has a
//                 parent and all records that it shows of it
//   KEPT value := format:u8=1 used_bytes:u64 used_inodes:u64 (holder_bytes:u8 holder)* crc32:u32
//                 the counters are those of the kept moment; flushes stamped at or before it still add to them

import { crc32 } from '@node-rs/crc32';
import { getU32, getU64, putU32, putU64 } from './big-endian.ts';
import { DamageError } from './versioned-value.ts';

const FORMAT = 1;
const TREE_BYTES = 18;
const KEPT_HEAD_BYTES = 17;
const CRC_BYTES = 4;
const HAS_PARENT = 1;
const DETACHED = 4;
const FLAT = 8;

export interface TreeRecord {
  readonly parent: { readonly tree: number; readonly generation: number } | null;
  readonly current: number;
  readonly detached: boolean;
  readonly flat: boolean;
}

export interface KeptRecord {
  readonly usedBytes: number;
  readonly usedInodes: number;
  /** Who keeps it: each 1 to 255 bytes, told apart by the layer that wrote it. */
  readonly holders: readonly Buffer[];
}

export function encodeTree(record: TreeRecord): Buffer {
  const value = Buffer.alloc(TREE_BYTES);
  value[0] = FORMAT;
  value[1] = (record.parent ? HAS_PARENT : 0) | (record.detached ? DETACHED : 0) | (record.flat ? FLAT : 0);
  putU32(value, 2, record.parent?.tree ?? 0);
  putU32(value, 6, record.parent?.generation ?? 0);
  putU32(value, 10, record.current);
  return sealed(value);
}

export function decodeTree(value: Buffer): TreeRecord {
  checkRow(value, 'the row of a tree', TREE_BYTES);
  const flags = value[1]!;
  return {
    parent: flags & HAS_PARENT ? { tree: getU32(value, 2), generation: getU32(value, 6) } : null,
    current: getU32(value, 10),
    detached: (flags & DETACHED) !== 0,
    flat: (flags & FLAT) !== 0,
  };
}

export function encodeKept(record: KeptRecord): Buffer {
  const holderBytes = record.holders.reduce((sum, holder) => sum + 1 + holder.length, 0);
  const value = Buffer.alloc(KEPT_HEAD_BYTES + holderBytes + CRC_BYTES);
  value[0] = FORMAT;
  putU64(value, 1, record.usedBytes);
  putU64(value, 9, record.usedInodes);
  let at = KEPT_HEAD_BYTES;
  for (const holder of record.holders) {
    value[at++] = holder.length;
    at += holder.copy(value, at);
  }
  return sealed(value);
}

export function decodeKept(value: Buffer): KeptRecord {
  checkRow(value, 'the row of a kept generation', KEPT_HEAD_BYTES + CRC_BYTES);
  const holders: Buffer[] = [];
  const end = value.length - CRC_BYTES;
  for (let at = KEPT_HEAD_BYTES; at < end; at += 1 + value[at]!)
    holders.push(value.subarray(at + 1, at + 1 + value[at]!));
  return { usedBytes: getU64(value, 1), usedInodes: getU64(value, 9), holders };
}

function sealed(value: Buffer): Buffer {
  const end = value.length - CRC_BYTES;
  putU32(value, end, crc32(value.subarray(0, end)));
  return value;
}

function checkRow(value: Buffer, what: string, bytesMin: number): void {
  const end = value.length - CRC_BYTES;
  if (
    value.length < bytesMin ||
    value[0] !== FORMAT ||
    crc32(value.subarray(0, end)) !== getU32(value, end)
  ) {
    throw new DamageError(
      `Cannot read ${what}: ${value.length} bytes of format ${value[0]} fail their checksum`,
    );
  }
}
