import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blockChecksums,
  blocksAround,
  decodeFrameHeader,
  encodeFrameHeader,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  PAYLOAD_BYTES_MAX,
  scanFrames,
  verifyBlocks,
} from '../../src/fs/frame.ts';
import { DamageError } from '../../src/fs/versioned-value.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const headers: fc.Arbitrary<FrameHeader> = fc.record({
  segment: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  index: fc.integer({ min: 0, max: 2 ** 22 - 1 }),
  payloadBytes: fc.integer({ min: 200, max: PAYLOAD_BYTES_MAX }),
  storedBytes: fc.integer({ min: 1, max: 200 }),
  codec: fc.nat(255),
  keyId: u32,
  tree: u32,
  dataId: fc.maxSafeNat(),
  window: fc.maxSafeNat(),
});
const sample: FrameHeader = {
  segment: 5,
  index: 9,
  payloadBytes: 4096,
  storedBytes: 4096,
  codec: 0,
  keyId: 0,
  tree: 2,
  dataId: 2 ** 40,
  window: 7,
};
/** The header with other bytes and a checksum that fits them. */
function forged(at: number, bytes: string): Buffer {
  const header = encodeFrameHeader(sample);
  header.write(bytes, at, 'hex');
  header.writeUInt32BE(crc32(header.subarray(0, -4)), FRAME_HEADER_BYTES - 4);
  return header;
}

describe('the header of a frame', () => {
  it('comes back as it was, wherever it begins', () => {
    fc.assert(
      fc.property(headers, fc.nat(100), (header, at) => {
        const bytes = Buffer.concat([Buffer.alloc(at), encodeFrameHeader(header)]);
        expect(decodeFrameHeader(bytes, at)).toEqual(header);
      }),
    );
  });

  it('has these bytes, for ever', () => {
    expect(encodeFrameHeader(sample).toString('hex')).toBe(
      [
        '43465201', // CFR 1
        '000000000000000500000009', // segment, index
        '0000100000001000', // payload, stored
        '0000000000', // codec, key
        '00000002' + '0000010000000000' + '0000000000000007', // tree, data id, window
        '944af916', // crc32
      ].join(''),
    );
  });

  it('is refused, and with nothing but a DamageError, when cut short or changed', () => {
    fc.assert(
      fc.property(
        headers,
        fc.nat(FRAME_HEADER_BYTES - 1),
        fc.integer({ min: 1, max: 255 }),
        (header, at, bits) => {
          const bytes = encodeFrameHeader(header);
          expect(() => decodeFrameHeader(bytes.subarray(0, at))).toThrow(DamageError);
          bytes[at]! ^= bits;
          expect(() => decodeFrameHeader(bytes)).toThrow(DamageError);
        },
      ),
    );
  });

  it.each([
    ['another magic', 0, '43465202', 'there is no frame'],
    ['a segment out of range', 4, '0000000080000000', 'its identity is out of range'],
    ['an index out of range', 12, '00400000', 'its identity is out of range'],
    ['no payload', 16, '00000000', 'its length is out of range'],
    ['a payload above 128 KiB', 16, '00020001', 'its length is out of range'],
    ['nothing stored', 20, '00000000', 'its length is out of range'],
    ['more stored than sealing adds', 20, '00001041', 'its length is out of range'],
    ['a data id out of range', 33, '0020000000000000', 'its owner is out of range'],
    ['a window out of range', 41, '0020000000000000', 'its owner is out of range'],
  ])('is refused with %s, also under a right checksum', (_, at, bytes, why) => {
    expect(() => decodeFrameHeader(forged(at, bytes))).toThrow(why);
    expect(() => decodeFrameHeader(forged(at, bytes))).toThrow(DamageError);
  });
});

describe('a segment', () => {
  const parts = headers.chain((header) =>
    fc
      .uint8Array({ minLength: header.storedBytes, maxLength: header.storedBytes })
      .map((stored) => ({ header, stored: Buffer.from(stored) })),
  );
  const segmentOf = (frames: readonly { header: FrameHeader; stored: Buffer }[]) =>
    Buffer.concat(frames.flatMap(({ header, stored }) => [encodeFrameHeader(header), stored]));

  it('shows its frames in order, and stops at one that is not whole', () => {
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 6 }), fc.nat(), (frames, cutAt) => {
        const bytes = segmentOf(frames);
        expect([...scanFrames(bytes)].map(({ header, stored }) => ({ header, stored }))).toEqual(frames);
        const length = cutAt % (bytes.length + 1);
        const found = [...scanFrames(bytes.subarray(0, length))];
        let end = 0;
        frames.forEach((frame, i) => {
          const at = end;
          end += FRAME_HEADER_BYTES + frame.stored.length;
          expect(found[i]?.at).toBe(end <= length ? at : undefined);
        });
      }),
    );
  });

  it('can be read on from any frame', () => {
    const frames = [1, 2, 3].map((index) => ({
      header: { ...sample, index, storedBytes: 10 },
      stored: Buffer.alloc(10),
    }));
    const found = [...scanFrames(segmentOf(frames), FRAME_HEADER_BYTES + 10)];
    expect(found.map(({ at, header }) => [at, header.index])).toEqual([
      [63, 2],
      [126, 3],
    ]);
  });

  it('says where a header is damaged', () => {
    const bytes = segmentOf(
      [1, 2].map((index) => ({ header: { ...sample, index, storedBytes: 10 }, stored: Buffer.alloc(10) })),
    );
    bytes[70]! ^= 1;
    const scan = scanFrames(bytes);
    expect(scan.next().value?.header.index).toBe(1);
    expect(() => scan.next()).toThrow(
      'Cannot read the frame at byte 63: the checksum of its header is wrong',
    );
  });
});

describe('the checksums of a payload', () => {
  const payloads = fc
    .tuple(fc.integer({ min: 1, max: PAYLOAD_BYTES_MAX }), fc.nat(255))
    .map(([length, seed]) => Buffer.from(Array.from({ length }, (_, i) => (i * 31 + (i >> 8) + seed) & 255)));

  it('are one CRC32 for each 4 KiB, the last block as long as it is', () => {
    const payload = Buffer.alloc(4096 + 9);
    payload.write('123456789', 4096);
    // Of "123456789": the check value of CRC-32. Of 4 KiB of zeros: c71c0011.
    expect(blockChecksums(payload).toString('hex')).toBe('c71c0011cbf43926');
  });

  it('verify the blocks around any part of it', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), fc.nat(), (payload, a, b) => {
        const skip = a % payload.length;
        const length = 1 + (b % (payload.length - skip));
        const { from, to, firstBlock } = blocksAround(skip, length, payload.length);
        expect(from).toBeLessThanOrEqual(skip);
        expect(to).toBeGreaterThanOrEqual(skip + length);
        expect(to - from).toBeLessThan(length + 2 * 4096);
        verifyBlocks(payload.subarray(from, to), firstBlock, blockChecksums(payload), 'a file');
      }),
      { numRuns: 50 },
    );
  });

  it('find one flipped bit and say which block it hurt', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), fc.nat(7), (payload, place, bit) => {
        const checksums = blockChecksums(payload);
        const at = place % payload.length;
        payload[at]! ^= 1 << bit;
        const block = Math.floor(at / 4096);
        const { from, to, firstBlock } = blocksAround(at, 1, payload.length);
        const read = () => verifyBlocks(payload.subarray(from, to), firstBlock, checksums, 'inode 12');
        expect(read).toThrow(DamageError);
        expect(read).toThrow(`Cannot read block ${block} of inode 12: checksum is`);
      }),
      { numRuns: 50 },
    );
  });
});
