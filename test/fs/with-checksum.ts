import { crc32 } from 'node:zlib';

/** Any bytes, given in hex, under a checksum that fits them: what a decoder must refuse by its other rules. */
export function withChecksum(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex');
  const value = Buffer.alloc(bytes.length + 4);
  bytes.copy(value);
  value.writeUInt32BE(crc32(bytes), bytes.length);
  return value;
}
