// One batch in the journal.
//
//   record := crc32:u32 bytes:u32 sequence:u64 rows:u32 row* zeros    to a multiple of 64 bytes
//   row    := keyBytes:u16 valueBytes:u32 key value                   valueBytes FFFFFFFF: the key is deleted
//
// Integers are big-endian. `bytes` counts from the CRC to the end of the last row; the CRC covers all behind it up to
// there. Sequences ascend by one. Records begin at multiples of 64 bytes, so that one behind a damaged one is found.

import { crc32 } from '@node-rs/crc32';
import type { Write } from '../meta-store.ts';

export const RECORD_ALIGNMENT = 64;
const HEAD_BYTES = 20;
const ROW_HEAD_BYTES = 6;
const DELETED = 0xffff_ffff;

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
  sequence: number,
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
  putU32(into, start + 16, batch.length);
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

/** The record at `start`, or undefined when there is none that is whole. */
export function recordAt(from: Buffer, start: number): RecordPlace | undefined {
  if (start + HEAD_BYTES > from.length) return undefined;
  const bytes = from.readUInt32BE(start + 4);
  if (bytes < HEAD_BYTES || start + bytes > from.length) return undefined;
  if (crc32(from.subarray(start + 4, start + bytes)) !== from.readUInt32BE(start)) return undefined;
  const sequence = sequenceAt(from, start);
  const rows = from.readUInt32BE(start + 16);
  return { sequence, rows, rowsAt: start + HEAD_BYTES, end: aligned(start + bytes) };
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
