// A frame: what a flush appends to a segment for one run of file data in one window. A segment is nothing but frames.
//
//   frame   := magic:u32 segment:u64 index:u32 payloadBytes:u32 storedBytes:u32 codec:u8 keyId:u32
//              tree:u32 dataId:u64 window:u64 crc32:u32 stored{storedBytes}
//
// The CRC is of the header before it. `segment` and `index` are the frame's identity and stay when a repack copies it
// elsewhere; tree, data id and window say whose bytes it held first, for a check that has lost the maps. `stored` is
// the payload, compressed and sealed as codec and key id say. The payload's own checksums, one CRC32 for each block of
// 4 KiB, are not here but in the chunk maps that show it: a read of 4 KiB verifies 4 KiB, against what the map says.

import { crc32 } from '@node-rs/crc32';
import { getU32, getU64, putU32, putU64 } from './big-endian.ts';
import { FRAME_INDEX_MAX, SEGMENT_ID_MAX } from './extent.ts';
import { DamageError, wrongChecksum } from './versioned-value.ts';

/** "CFR" and the format. On disk: never renumber. */
const MAGIC = 0x43465201;
export const FRAME_HEADER_BYTES = 53;
const CRC_AT = FRAME_HEADER_BYTES - 4;

/** File data in one frame. */
export const PAYLOAD_BYTES_MAX = 128 * 1024;
/** What sealing may add; a payload that does not shrink is stored as it is. */
const SEAL_BYTES_MAX = 64;
/** What one checksum covers. On disk: never change. */
export const BLOCK_BYTES = 4096;
const CHECKSUM_BYTES = 4;

export interface FrameHeader {
  readonly segment: number;
  readonly index: number;
  readonly payloadBytes: number;
  readonly storedBytes: number;
  readonly codec: number;
  readonly keyId: number;
  readonly tree: number;
  readonly dataId: number;
  readonly window: number;
}

/** A whole frame found in a segment. */
export interface FoundFrame {
  /** Where its header begins. */
  readonly at: number;
  readonly header: FrameHeader;
  readonly stored: Buffer;
}

export function encodeFrameHeader(header: FrameHeader): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  putU32(bytes, 0, MAGIC);
  putU64(bytes, 4, header.segment);
  putU32(bytes, 12, header.index);
  putU32(bytes, 16, header.payloadBytes);
  putU32(bytes, 20, header.storedBytes);
  bytes[24] = header.codec;
  putU32(bytes, 25, header.keyId);
  putU32(bytes, 29, header.tree);
  putU64(bytes, 33, header.dataId);
  putU64(bytes, 41, header.window);
  putU32(bytes, CRC_AT, crc32(bytes.subarray(0, CRC_AT)));
  return bytes;
}

/** @throws DamageError when there is no frame header at `at`. */
export function decodeFrameHeader(bytes: Buffer, at = 0): FrameHeader {
  if (at + FRAME_HEADER_BYTES > bytes.length) throw damaged(at, 'it ends within its header');
  if (getU32(bytes, at) !== MAGIC) throw damaged(at, 'there is no frame');
  if (getU32(bytes, at + CRC_AT) !== crc32(bytes.subarray(at, at + CRC_AT))) {
    throw damaged(at, 'the checksum of its header is wrong');
  }
  const header: FrameHeader = {
    segment: getU64(bytes, at + 4),
    index: getU32(bytes, at + 12),
    payloadBytes: getU32(bytes, at + 16),
    storedBytes: getU32(bytes, at + 20),
    codec: bytes[at + 24]!,
    keyId: getU32(bytes, at + 25),
    tree: getU32(bytes, at + 29),
    dataId: getU64(bytes, at + 33),
    window: getU64(bytes, at + 41),
  };
  const { segment, index, payloadBytes, storedBytes, dataId, window } = header;
  if (segment > SEGMENT_ID_MAX || index > FRAME_INDEX_MAX) throw damaged(at, 'its identity is out of range');
  if (!arePayloadBytes(payloadBytes, storedBytes)) throw damaged(at, 'its length is out of range');
  if (dataId > Number.MAX_SAFE_INTEGER || window > Number.MAX_SAFE_INTEGER) {
    throw damaged(at, 'its owner is out of range');
  }
  return header;
}

/**
 * The whole frames that begin at `at` and follow each other in `bytes`. Ends at the first that is not whole, which is
 * the end of what was read or a torn tail; the next one would begin where the last one ends.
 *
 * @throws DamageError where a header should be and none is
 */
export function* scanFrames(bytes: Buffer, at = 0): Generator<FoundFrame, void> {
  for (let next = at; next + FRAME_HEADER_BYTES <= bytes.length; ) {
    const header = decodeFrameHeader(bytes, next);
    const begin = next + FRAME_HEADER_BYTES;
    const end = begin + header.storedBytes;
    if (end > bytes.length) return;
    yield { at: next, header, stored: bytes.subarray(begin, end) };
    next = end;
  }
}

/** Whether a frame may hold and take this many bytes. */
export function arePayloadBytes(payloadBytes: number, storedBytes: number): boolean {
  return (
    payloadBytes > 0 &&
    payloadBytes <= PAYLOAD_BYTES_MAX &&
    storedBytes > 0 &&
    storedBytes <= payloadBytes + SEAL_BYTES_MAX
  );
}

/** Bytes of the checksums of a payload. */
export function checksumBytes(payloadBytes: number): number {
  return Math.ceil(payloadBytes / BLOCK_BYTES) * CHECKSUM_BYTES;
}

/** The checksums of a payload's blocks; the last block may be short. */
export function blockChecksums(payload: Buffer): Buffer {
  const checksums = Buffer.allocUnsafe(checksumBytes(payload.length));
  for (let at = 0, to = 0; at < payload.length; at += BLOCK_BYTES, to += CHECKSUM_BYTES) {
    putU32(checksums, to, crc32(payload.subarray(at, at + BLOCK_BYTES)));
  }
  return checksums;
}

/** The whole blocks of a payload that `length` bytes at `skip` lie in: what to read in order to verify them. */
export function blocksAround(
  skip: number,
  length: number,
  payloadBytes: number,
): { readonly from: number; readonly to: number; readonly firstBlock: number } {
  const firstBlock = Math.floor(skip / BLOCK_BYTES);
  const to = Math.min(payloadBytes, Math.ceil((skip + length) / BLOCK_BYTES) * BLOCK_BYTES);
  return { from: firstBlock * BLOCK_BYTES, to, firstBlock };
}

/**
 * Verifies whole blocks of a payload, from block `firstBlock` on.
 *
 * @throws DamageError naming `what`; a function is asked only when there is damage
 */
export function verifyBlocks(
  blocks: Buffer,
  firstBlock: number,
  checksums: Buffer,
  what: string | (() => string),
): void {
  let block = firstBlock;
  for (let at = 0; at < blocks.length; at += BLOCK_BYTES, block++) {
    const found = crc32(blocks.subarray(at, at + BLOCK_BYTES));
    const expected = getU32(checksums, block * CHECKSUM_BYTES);
    if (found === expected) continue;
    const name = typeof what === 'string' ? what : what();
    throw wrongChecksum(`block ${block} of ${name}`, found, expected);
  }
}

function damaged(at: number, why: string): DamageError {
  return new DamageError(`Cannot read the frame at byte ${at}: ${why}`);
}
