// The value of a FORWARD key: where a repack has put frames of one origin segment, for a block of 64 frame indexes.
// Always one step: a second repack of a frame changes its row. In the envelope of checked-value.ts:
//
//   body  := moved:u8{8} place*                     index i of the block is bit i%8 of byte i/8; a place for each bit set
//   place := segment:u64 index:u32 at:u32           ascending by index in the block

import { getU32, getU64, putU32, putU64 } from './big-endian.ts';
import { CHECKED_BODY_AT, checkedBody, checkedValue, sealChecked } from './checked-value.ts';
import { FRAME_INDEX_MAX, SEGMENT_ID_MAX } from './extent.ts';
import { DamageError } from './versioned-value.ts';

/** On disk: never renumber. */
const FORMAT = 1;
/** Frame indexes of one row. On disk: never change. */
const BLOCK_FRAMES = 64;
const MOVED_BYTES = BLOCK_FRAMES / 8;
const PLACE_BYTES = 16;

/** Where a frame is now. */
export interface FramePlace {
  readonly segment: number;
  readonly index: number;
  /** Where its header begins in that segment. */
  readonly at: number;
}

/** By frame index modulo the block; immutable. */
export type ForwardRecord = ReadonlyMap<number, FramePlace>;

const NO_PLACES: ForwardRecord = new Map();

/** What a row says, or that there is none. @throws as {@link decodeForward} */
export function forwardIn(row: Buffer | undefined): ForwardRecord {
  return row ? decodeForward(row) : NO_PLACES;
}

/** The block of a frame index: the last part of the key. */
export function forwardBlock(index: number): number {
  return Math.floor(index / BLOCK_FRAMES);
}

/** Where the frame with this index in the origin segment is now; undefined when it never moved. */
export function placeOf(record: ForwardRecord, index: number): FramePlace | undefined {
  return record.get(index % BLOCK_FRAMES);
}

export function withPlace(record: ForwardRecord, index: number, place: FramePlace): ForwardRecord {
  return new Map(record).set(index % BLOCK_FRAMES, place);
}

/** The record without that frame, whose live bit goes with it; an empty one is no record: delete the key. */
export function withoutPlace(record: ForwardRecord, index: number): ForwardRecord {
  const rest = new Map(record);
  rest.delete(index % BLOCK_FRAMES);
  return rest;
}

export function encodeForward(record: ForwardRecord): Buffer {
  const value = checkedValue(FORMAT, MOVED_BYTES + record.size * PLACE_BYTES);
  let at = CHECKED_BODY_AT + MOVED_BYTES;
  for (let slot = 0; slot < BLOCK_FRAMES; slot++) {
    const place = record.get(slot);
    if (place === undefined) continue;
    value[CHECKED_BODY_AT + (slot >>> 3)]! |= 1 << (slot & 7);
    putU64(value, at, place.segment);
    putU32(value, at + 8, place.index);
    putU32(value, at + 12, place.at);
    at += PLACE_BYTES;
  }
  return sealChecked(value);
}

/** @throws DamageError when the bytes are not what {@link encodeForward} wrote. */
export function decodeForward(value: Buffer): ForwardRecord {
  const body = checkedBody(value, FORMAT, MOVED_BYTES, 'a forward record');
  const record = new Map<number, FramePlace>();
  let at = MOVED_BYTES;
  for (let slot = 0; slot < BLOCK_FRAMES; slot++) {
    if ((body[slot >>> 3]! & (1 << (slot & 7))) === 0) continue;
    if (at + PLACE_BYTES > body.length) throw damaged();
    const place = { segment: getU64(body, at), index: getU32(body, at + 8), at: getU32(body, at + 12) };
    if (place.segment > SEGMENT_ID_MAX || place.index > FRAME_INDEX_MAX) throw damaged();
    record.set(slot, place);
    at += PLACE_BYTES;
  }
  if (at !== body.length || record.size === 0) throw damaged();
  return record;
}

function damaged(): DamageError {
  return new DamageError('Cannot read a forward record: it is out of range');
}
