// The value of a CHUNK key: the map of one window, in the envelope of versioned-value.ts.
//
//   body   := frames:u16 extents:u16 frame{frames} extent{extents} bytes*
//   frame  := segment:u64 index:u32 at:u32 payloadBytes:u32 storedBytes:u32 codec:u8 inherited:u8 keyId:u32 birth:u32
//             checksum:u32{one for each 4 KiB of the payload}
//   extent := offset:u32 length:u32 source:u16 skip:u32       ascending by offset, never overlapping
//
// `source` is the index of the extent's frame, or FFFF for inline bytes: those follow the table in the order of their
// extents, and their `skip` is 0. Frames stand in the order in which extents first name them; each is named.

import { strict as assert } from 'node:assert';
import { getU16, getU32, getU64, putU16, putU32, putU64 } from './big-endian.ts';
import type { ChunkMap } from './chunk-map.ts';
import {
  type Extent,
  FRAME_INDEX_MAX,
  type Frame,
  frameExtent,
  frameId,
  inlineExtent,
  SEGMENT_ID_MAX,
} from './extent.ts';
import { arePayloadBytes, checksumBytes } from './frame.ts';
import { BODY_AT, CRC_BYTES, DamageError } from './versioned-value.ts';

/** On disk: never renumber. */
const FORMAT = 1;
const FRAMES_AT = BODY_AT + 4;
const FRAME_BYTES = 34;
const EXTENT_BYTES = 14;
const INLINE = 0xffff;

/** The value, still to be sealed. An empty map is no record: delete the key. */
export function encodeChunk(map: ChunkMap): Buffer {
  assert(map.length > 0 && map.length < INLINE, `a chunk map of ${map.length} extents has no bytes`);
  const sources = new Map<number, number>();
  const frames: Frame[] = [];
  let framesBytes = 0;
  let inlineBytes = 0;
  for (const { frame, length } of map) {
    if (frame === null) {
      inlineBytes += length;
    } else if (!sources.has(idOf(frame))) {
      sources.set(idOf(frame), frames.length);
      frames.push(frame);
      framesBytes += FRAME_BYTES + frame.checksums.length;
    }
  }
  const extentsAt = FRAMES_AT + framesBytes;
  let inlineAt = extentsAt + map.length * EXTENT_BYTES;
  const value = Buffer.allocUnsafe(inlineAt + inlineBytes + CRC_BYTES);
  value[0] = FORMAT;
  putU16(value, BODY_AT, frames.length);
  putU16(value, BODY_AT + 2, map.length);
  let at = FRAMES_AT;
  for (const frame of frames) {
    putFrame(value, at, frame);
    at += FRAME_BYTES + frame.checksums.length;
  }
  for (const { offset, length, data, frame, skip } of map) {
    putU32(value, at, offset);
    putU32(value, at + 4, length);
    putU16(value, at + 8, frame === null ? INLINE : sources.get(idOf(frame))!);
    putU32(value, at + 10, skip);
    at += EXTENT_BYTES;
    if (data !== null) {
      value.set(data, inlineAt);
      inlineAt += length;
    }
  }
  return value;
}

/**
 * The map in a value whose checksum the caller has verified if it came from storage. Inline bytes and checksums are
 * slices of it.
 *
 * @throws DamageError when the bytes are no chunk map; never anything else.
 */
export function decodeChunk(value: Buffer): ChunkMap {
  const end = value.length - CRC_BYTES;
  if (end < FRAMES_AT || value[0] !== FORMAT) throw damaged(`no record of format ${FORMAT}`);
  const frames: Frame[] = [];
  let at = FRAMES_AT;
  for (let count = getU16(value, BODY_AT); count > 0; count--) {
    const frame = frameAt(value, at, end);
    frames.push(frame);
    at += FRAME_BYTES + frame.checksums.length;
  }
  const extentCount = getU16(value, BODY_AT + 2);
  let inlineAt = at + extentCount * EXTENT_BYTES;
  if (extentCount === 0 || inlineAt > end) throw damaged('its extents do not fit');
  const map: Extent[] = [];
  let named = 0;
  let next = 0;
  for (; map.length < extentCount; at += EXTENT_BYTES) {
    const offset = getU32(value, at);
    const length = getU32(value, at + 4);
    const source = getU16(value, at + 8);
    const skip = getU32(value, at + 10);
    if (offset < next || length === 0) throw damaged(`the extent at ${offset} is out of order`);
    next = offset + length;
    if (source === INLINE) {
      if (skip !== 0 || inlineAt + length > end) throw damaged('its inline bytes do not fit');
      map.push(inlineExtent(offset, value.subarray(inlineAt, inlineAt + length)));
      inlineAt += length;
      continue;
    }
    const frame = frames[source];
    if (frame === undefined || source > named) throw damaged(`an extent names frame ${source}`);
    if (source === named) named++;
    if (skip + length > frame.payloadBytes) throw damaged(`the extent at ${offset} leaves its frame`);
    map.push(frameExtent(offset, frame, skip, length));
  }
  if (inlineAt !== end || named !== frames.length) throw damaged('it has parts that nothing names');
  return map;
}

function putFrame(value: Buffer, at: number, frame: Frame): void {
  assert(
    frame.checksums.length === checksumBytes(frame.payloadBytes),
    'a frame has a checksum for each block',
  );
  putU64(value, at, frame.segment);
  putU32(value, at + 8, frame.index);
  putU32(value, at + 12, frame.at);
  putU32(value, at + 16, frame.payloadBytes);
  putU32(value, at + 20, frame.storedBytes);
  value[at + 24] = frame.codec;
  value[at + 25] = frame.inherited ? 1 : 0;
  putU32(value, at + 26, frame.keyId);
  putU32(value, at + 30, frame.birth);
  value.set(frame.checksums, at + FRAME_BYTES);
}

function frameAt(value: Buffer, at: number, end: number): Frame {
  const checksumsAt = at + FRAME_BYTES;
  if (checksumsAt > end) throw damaged('its frames do not fit');
  const segment = getU64(value, at);
  const index = getU32(value, at + 8);
  const payloadBytes = getU32(value, at + 16);
  const storedBytes = getU32(value, at + 20);
  if (segment > SEGMENT_ID_MAX || index > FRAME_INDEX_MAX || value[at + 25]! > 1) {
    throw damaged('the identity of a frame is out of range');
  }
  if (!arePayloadBytes(payloadBytes, storedBytes)) throw damaged('the length of a frame is out of range');
  const checksumsEnd = checksumsAt + checksumBytes(payloadBytes);
  if (checksumsEnd > end) throw damaged('its frames do not fit');
  return {
    segment,
    index,
    at: getU32(value, at + 12),
    payloadBytes,
    storedBytes,
    codec: value[at + 24]!,
    keyId: getU32(value, at + 26),
    birth: getU32(value, at + 30),
    inherited: value[at + 25] === 1,
    checksums: value.subarray(checksumsAt, checksumsEnd),
  };
}

function idOf(frame: Frame): number {
  return frameId(frame.segment, frame.index);
}

function damaged(why: string): DamageError {
  return new DamageError(`Cannot read a chunk map: ${why}`);
}
