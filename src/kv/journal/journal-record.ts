// One batch in the journal.
//
//   record := crc32:u32 bytes:u32 sequence:u64 use:u64 rows:u32 row* zeros    to a multiple of 64 bytes
//   row    := keyBytes:u16 valueBytes:u32 key value                           valueBytes FFFFFFFF: the key is deleted
//
// Integers are big-endian. `bytes` counts from the CRC to the end of the last row; the CRC covers all behind it up to
// there. Sequences ascend by one. Records begin at multiples of 64 bytes, so that one behind a damaged one is found.
//
// Values have bytes of clients in them, which may look like a record: a small file that is a piece of a journal, or one
// that somebody forged. So a record says which use of its file it belongs to, by a number that no client can know. In
// the first version of the journal it does not, and `use` is missing.

import { crc32 } from '@node-rs/crc32';
import type { Write } from '../meta-store.ts';

export const RECORD_ALIGNMENT = 64;
const HEAD_BYTES = 28;
const USE_AT = 16;
const USE_BYTES = 8;
const ROW_HEAD_BYTES = 6;
const DELETED = 0xffff_ffff;

/** Of one use of a file: unpredictable, 8 bytes. Undefined for one of the first version. */
export type JournalUse = Buffer | undefined;

/** The room that a batch takes. */
export function recordBytes(batch: readonly Write[]): number {
  let bytes = HEAD_BYTES;
  for (const { key, value } of batch)
    bytes += ROW_HEAD_BYTES + key.length + (value === null ? 0 : value.length);
  return aligned(bytes);
}

/** Writes the record at `start`; `placed` is told where each row begins. Returns its end, aligned. */
export function putRecord(
  into: Buffer,
  start: number,
  { sequence, use }: { readonly sequence: number; readonly use: Buffer },
  batch: readonly Write[],
  placed: (key: Buffer, rowAt: number) => void,
): number {
  let at = start + HEAD_BYTES;
  for (const { key, value } of batch) {
    placed(key, at);
    into[at] = key.length >>> 8;
    into[at + 1] = key.length;
    putU32(into, at + 2, value === null ? DELETED : value.length);
    at += ROW_HEAD_BYTES;
    into.set(key, at);
    at += key.length;
    if (value === null) continue;
    into.set(value, at);
    at += value.length;
  }
  putU32(into, start + 4, at - start);
  putU32(into, start + 8, Math.floor(sequence / 0x1_0000_0000));
  putU32(into, start + 12, sequence >>> 0);
  into.set(use, start + USE_AT);
  putU32(into, start + USE_AT + USE_BYTES, batch.length);
  putU32(into, start, crc32(into.subarray(start + 4, at)));
  const end = aligned(at);
  into.fill(0, at, end);
  return end;
}

export interface RecordPlace {
  readonly sequence: number;
  readonly rows: number;
  readonly rowsAt: number;
  readonly end: number;
}

/** What stands where the sequence of a record at `start` would: quick to look at, before {@link recordAt}. */
export function sequenceAt(from: Buffer, start: number): number {
  return from.readUInt32BE(start + 8) * 0x1_0000_0000 + from.readUInt32BE(start + 12);
}

/** The use that the bytes at `start` would belong to, were they a record. */
export function useAt(from: Buffer, start: number): Buffer {
  return from.subarray(start + USE_AT, start + USE_AT + USE_BYTES);
}

/** The record at `start`, or undefined when there is none of that use that is whole. */
export function recordAt(from: Buffer, start: number, use: JournalUse): RecordPlace | undefined {
  const headBytes = use ? HEAD_BYTES : HEAD_BYTES - USE_BYTES;
  if (start + headBytes > from.length) return undefined;
  if (use && !use.equals(useAt(from, start))) return undefined;
  const bytes = from.readUInt32BE(start + 4);
  if (bytes < headBytes || start + bytes > from.length) return undefined;
  if (crc32(from.subarray(start + 4, start + bytes)) !== from.readUInt32BE(start)) return undefined;
  const sequence = sequenceAt(from, start);
  const rowsAt = start + headBytes;
  return { sequence, rows: from.readUInt32BE(rowsAt - 4), rowsAt, end: aligned(start + bytes) };
}

/** The row at `at`: views of the journal's bytes. */
export function rowAt(from: Buffer, at: number): { readonly write: Write; readonly end: number } {
  const keyAt = at + ROW_HEAD_BYTES;
  const start = keyAt + keyBytesAt(from, at);
  const key = from.subarray(keyAt, start);
  const bytes = from.readUInt32BE(at + 2);
  if (bytes === DELETED) return { write: { key, value: null }, end: start };
  const end = start + bytes;
  return { write: { key, value: from.subarray(start, end) }, end };
}

/** Whether the row at `at` is one of `key`. */
export function keyIs(from: Buffer, at: number, key: Uint8Array): boolean {
  const { length } = key;
  if (keyBytesAt(from, at) !== length) return false;
  const keyAt = at + ROW_HEAD_BYTES;
  for (let byte = 0; byte < length; byte++) if (from[keyAt + byte] !== key[byte]) return false;
  return true;
}

/** The key of the row at `at`, a character a byte. */
export function keyTextAt(from: Buffer, at: number): string {
  const keyAt = at + ROW_HEAD_BYTES;
  return from.toString('latin1', keyAt, keyAt + keyBytesAt(from, at));
}

/** A copy of the value of the row at `at`; null when it deletes the key. */
export function valueAt(from: Buffer, at: number): Buffer | null {
  const bytes = from.readUInt32BE(at + 2);
  if (bytes === DELETED) return null;
  const start = at + ROW_HEAD_BYTES + keyBytesAt(from, at);
  return Buffer.from(from.subarray(start, start + bytes));
}

function keyBytesAt(from: Buffer, at: number): number {
  return (from[at]! << 8) | from[at + 1]!;
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
}

function putU32(into: Buffer, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}
