// The checksums of a payload that comes in several buffers, as frame.ts has them: one CRC32 for each block of 4 KiB.

import { crc32 } from '@node-rs/crc32';
import { putU32 } from './big-endian.ts';
import { BLOCK_BYTES, checksumBytes } from './frame.ts';

/** `payloadBytes` is what the parts have together. */
export function checksumsOf(parts: readonly Buffer[], payloadBytes: number): Buffer {
  const checksums = Buffer.allocUnsafe(checksumBytes(payloadBytes));
  let to = 0;
  let room = BLOCK_BYTES;
  let crc = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const end = Math.min(part.length, at + room);
      crc = crc32(part.subarray(at, end), crc);
      room -= end - at;
      at = end;
      if (room > 0) continue;
      putU32(checksums, to, crc);
      to += 4;
      room = BLOCK_BYTES;
      crc = 0;
    }
  }
  if (room < BLOCK_BYTES) putU32(checksums, to, crc);
  return checksums;
}
