import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeChunk, encodeChunk } from '../../src/fs/chunk-codec.ts';
import { type ChunkMap, cut, EMPTY_MAP, overlay } from '../../src/fs/chunk-map.ts';
import { type Frame, frameExtent, inlineExtent } from '../../src/fs/extent.ts';
import { blockChecksums } from '../../src/fs/frame.ts';
import { DamageError, seal, verify } from '../../src/fs/versioned-value.ts';

const u8 = fc.nat(255);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

const frames: fc.Arbitrary<Frame> = fc
  .record({
    segment: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    index: fc.integer({ min: 0, max: 2 ** 22 - 1 }),
    at: u32,
    payloadBytes: fc.integer({ min: 1, max: 20_000 }),
    storedBytes: fc.integer({ min: 1, max: 64 }),
    codec: u8,
    keyId: u32,
    birth: u32,
    inherited: fc.boolean(),
  })
  .map((frame) => ({ ...frame, checksums: blockChecksums(Buffer.alloc(frame.payloadBytes, frame.codec)) }));

const extents = fc.oneof(
  fc.tuple(fc.nat(2 ** 20), frames).map(([offset, frame]) => frameExtent(offset, frame)),
  fc
    .tuple(fc.nat(2 ** 20), fc.uint8Array({ minLength: 1, maxLength: 3000 }))
    .map(([offset, data]) => inlineExtent(offset, Buffer.from(data))),
);
const maps: fc.Arbitrary<ChunkMap> = fc
  .tuple(fc.array(extents, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 2 ** 21 }))
  .map(([list, end]) => cut(overlay(EMPTY_MAP, list), end))
  .filter((map) => map.length > 0);

const frame: Frame = {
  segment: 5,
  index: 9,
  at: 0x01020304,
  payloadBytes: 4097,
  storedBytes: 300,
  codec: 1,
  keyId: 2,
  birth: 3,
  inherited: true,
  checksums: Buffer.from('aaaaaaaabbbbbbbb', 'hex'),
};
const sample: ChunkMap = [
  frameExtent(0, frame, 0, 16),
  inlineExtent(16, Buffer.from('hi')),
  frameExtent(18, frame, 18, 4079),
  inlineExtent(0x5000, Buffer.from('!')),
];

describe('the bytes of a chunk map', () => {
  it('give the map back', () => {
    fc.assert(
      fc.property(maps, (map) => {
        const value = encodeChunk(map);
        seal(value, 4);
        verify(value, 'window');
        const decoded = decodeChunk(value);
        expect(decoded).toEqual(map);
        expect(encodeChunk(decoded).subarray(5, -4)).toEqual(value.subarray(5, -4));
      }),
    );
  });

  it('are these, for ever', () => {
    const value = encodeChunk(sample);
    seal(value, 6);
    expect(value.toString('hex')).toBe(
      [
        '0100000006', // format, birth
        '00010004', // frames, extents
        '0000000000000005' + '00000009' + '01020304' + '00001001' + '0000012c', // identity, place, lengths
        '01' + '01' + '00000002' + '00000003' + 'aaaaaaaabbbbbbbb', // codec, inherited, key, birth, checksums
        '00000000' + '00000010' + '0000' + '00000000',
        '00000010' + '00000002' + 'ffff' + '00000000',
        '00000012' + '00000fef' + '0000' + '00000012',
        '00005000' + '00000001' + 'ffff' + '00000000',
        '686921', // hi!
        'a7ac1a49', // crc32
      ].join(''),
    );
  });

  it('name a frame once, however many extents show it, and share its checksums', () => {
    const [first, , last] = decodeChunk(encodeChunk(sample));
    expect(first?.frame).toBe(last?.frame);
    expect(
      encodeChunk([frameExtent(0, frame, 0, 1), frameExtent(9, { ...frame }, 9, 1)]).readUInt16BE(5),
    ).toBe(1);
  });

  it('are refused, and with nothing but a DamageError, when cut short or changed', () => {
    fc.assert(
      fc.property(maps, fc.nat(), u8, (map, place, byte) => {
        const value = encodeChunk(map);
        const short = value.subarray(0, place % value.length);
        expect(() => decodeChunk(short)).toThrow(DamageError);
        expect(() => verify(short, 'window')).toThrow(DamageError);
        value[place % Math.min(value.length, 300)] = byte;
        try {
          expect(decodeChunk(value).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(DamageError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['another format', 0, '02', 'no record of format 1'],
    ['more frames than fit', 5, '0003', 'a frame is out of range'],
    ['frames without end', 5, 'ffff', 'a frame is out of range'],
    ['fewer frames than extents name', 5, '0000', 'names frame 0'],
    ['no extent', 7, '0000', 'its extents do not fit'],
    ['too many extents', 7, '4000', 'its extents do not fit'],
    ['a segment out of range', 9, '0000000080000000', 'the identity of a frame'],
    ['a frame index out of range', 17, '00400000', 'the identity of a frame'],
    ['a payload of 0 bytes', 25, '00000000', 'the length of a frame'],
    ['a payload above 128 KiB', 25, '00020001', 'the length of a frame'],
    ['more stored bytes than payload', 29, '00001042', 'the length of a frame'],
    ['an unknown flag', 34, '02', 'the identity of a frame'],
    ['an extent of 0 bytes', 55, '00000000', 'is out of order'],
    ['overlapping extents', 65, '0000000f', 'is out of order'],
    ['inline bytes with a skip', 75, '00000001', 'its inline bytes do not fit'],
    ['more inline bytes', 69, '00000006', 'its inline bytes do not fit'],
    ['fewer inline bytes', 69, '00000001', 'parts that nothing names'],
    ['an unknown frame', 87, '0001', 'names frame 1'],
    ['an extent beyond its frame', 89, '00000013', 'leaves its frame'],
  ])('are refused with %s', (_, at, bytes, why) => {
    const value = encodeChunk(sample);
    value.write(bytes, at, 'hex');
    expect(() => decodeChunk(value)).toThrow(DamageError);
    expect(() => decodeChunk(value)).toThrow(why);
  });

  it('are refused with a frame that nothing names', () => {
    const value = encodeChunk([frameExtent(0, frame, 0, 1), frameExtent(1, { ...frame, index: 10 }, 0, 1)]);
    value.write('0000', value.length - 4 - 6, 'hex');
    expect(() => decodeChunk(value)).toThrow('it has parts that nothing names');
  });

  it('are refused when frames do not stand in the order in which they are named', () => {
    const value = encodeChunk([frameExtent(0, frame, 0, 1), frameExtent(1, { ...frame, index: 10 }, 0, 1)]);
    value.write('0001', value.length - 4 - 6 - 14, 'hex');
    value.write('0000', value.length - 4 - 6, 'hex');
    expect(() => decodeChunk(value)).toThrow('an extent names frame 1');
  });

  it('do not exist for an empty map', () => {
    expect(() => encodeChunk(EMPTY_MAP)).toThrow('a chunk map of 0 extents has no bytes');
  });
});
