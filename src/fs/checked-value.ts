// The envelope of values that have no versions:
//
//   value := format:u8 body crc32:u32        integers big-endian; the CRC covers all before it

import { crc32 } from '@node-rs/crc32';
import { getU32, putU32 } from './big-endian.ts';
import { CRC_BYTES, DamageError, wrongChecksum } from './versioned-value.ts';

/** Where a body begins. */
export const CHECKED_BODY_AT = 1;

/** Room for a body of `bodyBytes`, the format written, the rest zero. */
export function checkedValue(format: number, bodyBytes: number): Buffer {
  const value = Buffer.alloc(CHECKED_BODY_AT + bodyBytes + CRC_BYTES);
  value[0] = format;
  return value;
}

/** The same where every byte of the body is going to be written: a fifth of the time. */
export function unfilledValue(format: number, bodyBytes: number): Buffer {
  const value = Buffer.allocUnsafe(CHECKED_BODY_AT + bodyBytes + CRC_BYTES);
  value[0] = format;
  return value;
}

/** Writes the checksum into a value whose body is complete. */
export function sealChecked(value: Buffer): Buffer {
  const end = value.length - CRC_BYTES;
  putU32(value, end, crc32(value.subarray(0, end)));
  return value;
}

/**
 * The body of a value that came from storage, which has at least `bodyBytes`.
 *
 * @throws DamageError naming `what` when its checksum, format or length is wrong
 */
export function checkedBody(value: Buffer, format: number, bodyBytes: number, what: string): Buffer {
  const end = value.length - CRC_BYTES;
  if (end < CHECKED_BODY_AT + bodyBytes)
    throw new DamageError(`Cannot read ${what}: it has ${value.length} bytes`);
  const found = crc32(value.subarray(0, end));
  const expected = getU32(value, end);
  if (found !== expected) throw wrongChecksum(what, found, expected);
  if (value[0] !== format)
    throw new DamageError(`Cannot read ${what}: its format is ${value[0]}, expected ${format}`);
  return value.subarray(CHECKED_BODY_AT, end);
}

/** Whether a field can be a number of things. */
export function isCount(field: unknown): boolean {
  return Number.isSafeInteger(field) && (field as number) >= 0;
}
