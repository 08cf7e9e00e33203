// LevelDB's log: the batches that are in no table yet. Its manifest, which lists the tables, has the same format.
//
//   log    := block*                       of 32 KiB; fewer than 7 bytes at the end of one are zeros
//   record := crc32c:u32 length:u16 type:u8 data{length}      little-endian; the masked CRC covers type and data
//             type: 1 whole, 2 first, 3 middle, 4 last part of a batch
//
// LevelDB passes over a record that fails its checksum, and over the rest of its block, and goes on behind it: it would
// lose a batch that was synced and keep later ones. So the log is looked through before LevelDB opens it. What a power
// cut leaves is no damage: a record that ends early, or has sectors of zeros that were never written, and nothing
// whole behind it but the rest of the same batch.

import { crc32c, maskedCrc32c } from './crc32c.ts';

const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;
const TYPE_MAX = 4;
const SECTOR_BYTES = 512;

export interface LogState {
  /** Where the last whole batch ends. */
  readonly goodBytes: number;
  /** Undefined when the log is whole up to a torn tail. */
  readonly damage: { readonly at: number; readonly lostBytes: number } | undefined;
}

export function readLog(log: Buffer): LogState {
  let goodBytes = 0;
  for (const { at, room, part } of partsOf(log)) {
    if (!part) return { goodBytes, damage: damageAt(log, at, room) };
    // A batch in several parts counts when its last one is there.
    if (endsBatch(part)) goodBytes = part.end;
  }
  return { goodBytes, damage: undefined };
}

/** The batches, up to where something is bad. */
export function* recordsOf(log: Buffer): Generator<Buffer> {
  let parts: Buffer[] = [];
  for (const { at, part } of partsOf(log)) {
    if (!part) return;
    // A batch that was begun anew: the one before it was never ended.
    if (part.type <= 2) parts = [];
    parts.push(log.subarray(at + HEADER_BYTES, part.end));
    if (endsBatch(part)) yield Buffer.concat(parts);
  }
}

interface Part {
  readonly type: number;
  readonly end: number;
}

/** One behind the other; undefined, and the last, where there is no whole one. `room` is what the block has left. */
function* partsOf(log: Buffer): Generator<{ at: number; room: number; part: Part | undefined }> {
  for (let at = 0; at < log.length; ) {
    const room = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (room < HEADER_BYTES) {
      at += room;
      continue;
    }
    const part = recordAt(log, at, room);
    yield { at, room, part };
    if (!part) return;
    at = part.end;
  }
}

function endsBatch({ type }: Part): boolean {
  return type === 1 || type === TYPE_MAX;
}

function recordAt(log: Buffer, at: number, room: number): Part | undefined {
  if (at + HEADER_BYTES > log.length) return undefined;
  const length = log.readUInt16LE(at + 4);
  const type = log[at + 6]!;
  const end = at + HEADER_BYTES + length;
  if (type < 1 || type > TYPE_MAX || HEADER_BYTES + length > room || end > log.length) return undefined;
  if (maskedCrc32c(crc32c(log.subarray(at + 6, end))) !== log.readUInt32LE(at)) return undefined;
  return { type, end };
}

function damageAt(log: Buffer, at: number, room: number): LogState['damage'] {
  const damage = { at, lostBytes: log.length - at };
  // Records begin anew in every block: a whole one behind the bad one was written after it.
  const behind = partsBehind(log, at + room);
  if (behind === 'batch') return damage;
  // In the same block too; where is not known when the length of the bad one is wrong.
  for (let next = at + 1; next < at + room && next < log.length; next++) {
    if (recordAt(log, next, at + room - next)) return damage;
  }
  // Of a batch of many blocks that was being written some may be there and an earlier one not. LevelDB passes over parts
  // whose first one is missing.
  if (behind === 'rest') return hasUnwrittenSector(log, at, at + room) ? undefined : damage;
  if (hasUnwrittenSector(log, at, log.length)) return undefined;
  const end = at + HEADER_BYTES <= log.length ? at + HEADER_BYTES + log.readUInt16LE(at + 4) : log.length + 1;
  // It ends early, unless its length is what is wrong: then the checksum is right for all that is there.
  return end > log.length && !isLastRecord(log, at, room) ? undefined : damage;
}

/** What is whole from a block on: where a batch begins, the rest of one at most, or nothing. */
function partsBehind(log: Buffer, firstBlock: number): 'batch' | 'rest' | undefined {
  let found: 'rest' | undefined;
  for (let block = firstBlock; block < log.length; block += BLOCK_BYTES) {
    for (let at = block; at < log.length; ) {
      const record = recordAt(log, at, block + BLOCK_BYTES - at);
      if (!record) break;
      if (record.type <= 2) return 'batch';
      found = 'rest';
      at = record.end;
    }
  }
  return found;
}

/** Whether a whole sector from `at` up to `end` was never written. */
function hasUnwrittenSector(log: Buffer, at: number, end: number): boolean {
  const upTo = Math.min(end, log.length);
  for (let sector = at - (at % SECTOR_BYTES); sector < upTo; sector += SECTOR_BYTES) {
    const from = Math.max(sector, at);
    const to = Math.min(sector + SECTOR_BYTES, upTo);
    if (isZero(log, from, to)) return true;
  }
  return false;
}

function isLastRecord(log: Buffer, at: number, room: number): boolean {
  if (at + HEADER_BYTES > log.length || log.length - at > room) return false;
  return maskedCrc32c(crc32c(log.subarray(at + 6))) === log.readUInt32LE(at);
}

function isZero(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}
