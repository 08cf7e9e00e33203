// The envelope of every versioned value: INODE, DIR_ENTRY and CHUNK records.
//
//   value    := format:u8 birth:u32 body crc32:u32     integers big-endian; the CRC covers all before it
//   whiteout := 0:u8      birth:u32      crc32:u32     nothing here, and what a parent tree has here is hidden
//
// `birth` is the generation in which the version was made. Only the commit worker knows it, so an encoder leaves room
// and the worker seals the value in place, just before it goes into the batch.

import { crc32 } from '@node-rs/crc32';
import { getU32, putU32 } from './big-endian.ts';

/** Where a body begins. */
export const BODY_AT = 5;
export const CRC_BYTES = 4;
/** Bytes of an envelope around nothing. */
export const ENVELOPE_BYTES = BODY_AT + CRC_BYTES;
/** On disk: never renumber. Formats of records that are there count from 1. */
const WHITEOUT_FORMAT = 0;

/** Bytes of storage that cannot be what was written: said in the log, an I/O error to the client. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
}

/** Writes the birth and the checksum into an encoded value. May be done again: the last birth counts. */
export function seal(value: Buffer, birth: number): void {
  putU32(value, 1, birth);
  const end = value.length - CRC_BYTES;
  putU32(value, end, crc32(value.subarray(0, end)));
}

/** The same, where the value is made and used at once. */
export function sealed(value: Buffer, birth: number): Buffer {
  seal(value, birth);
  return value;
}

export function birthOf(value: Buffer): number {
  return getU32(value, 1);
}

/** @throws DamageError naming `what` ("inode 12 of tree 3"); a function is asked only when there is damage. */
export function verify(value: Buffer, what: string | (() => string)): void {
  if (value.length < ENVELOPE_BYTES) {
    throw new DamageError(
      `Cannot read ${nameOf(what)}: it has ${value.length} bytes, expected at least ${ENVELOPE_BYTES}`,
    );
  }
  const end = value.length - CRC_BYTES;
  const found = crc32(value.subarray(0, end));
  const expected = getU32(value, end);
  if (found !== expected) throw wrongChecksum(nameOf(what), found, expected);
}

export function isDamaged(value: Buffer): boolean {
  try {
    verify(value, 'a value');
    return false;
  } catch (error) {
    if (error instanceof DamageError) return true;
    throw error;
  }
}

export function wrongChecksum(what: string, found: number, expected: number): DamageError {
  return new DamageError(`Cannot read ${what}: checksum is ${hex(found)}, expected ${hex(expected)}`);
}

/** A new, unsealed whiteout. */
export function whiteout(): Buffer {
  const value = Buffer.alloc(ENVELOPE_BYTES);
  value[0] = WHITEOUT_FORMAT;
  return value;
}

export function isWhiteout(value: Buffer): boolean {
  return value[0] === WHITEOUT_FORMAT;
}

function nameOf(what: string | (() => string)): string {
  return typeof what === 'string' ? what : what();
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
