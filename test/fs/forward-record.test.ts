import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeForward,
  encodeForward,
  type ForwardRecord,
  forwardBlock,
  placeOf,
  withoutPlace,
  withPlace,
} from '../../src/fs/forward-record.ts';
import { DamageError } from '../../src/fs/versioned-value.ts';
import { withChecksum } from './with-checksum.ts';

const places = fc.record({
  segment: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  index: fc.integer({ min: 0, max: 2 ** 22 - 1 }),
  at: fc.integer({ min: 0, max: 0xffff_ffff }),
});
const records: fc.Arbitrary<ForwardRecord> = fc
  .array(fc.tuple(fc.nat(63), places), { minLength: 1, maxLength: 64 })
  .map((entries) => new Map(entries));
const EMPTY: ForwardRecord = new Map();
const place = { segment: 5, index: 6, at: 7 };

describe('a forward record', () => {
  it('says where each moved frame of its block is now', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 16 - 1), fc.array(fc.tuple(fc.nat(63), places)), (block, moves) => {
        const expected = new Map<number, typeof place>();
        let record = EMPTY;
        for (const [slot, to] of moves) {
          const index = block * 64 + slot;
          expect(forwardBlock(index)).toBe(block);
          expected.set(index, to);
          record = withPlace(record, index, to);
        }
        for (let index = block * 64; index < block * 64 + 64; index++) {
          expect(placeOf(record, index)).toEqual(expected.get(index));
        }
      }),
    );
  });

  it('forgets a frame whose bit is cleared, and is left alone by changes of copies', () => {
    const one = withPlace(EMPTY, 64 + 3, place);
    const two = withPlace(one, 64 + 4, place);
    expect([...withoutPlace(two, 64 + 3).keys()]).toEqual([4]);
    expect([EMPTY.size, one.size, two.size]).toEqual([0, 1, 2]);
    expect(withoutPlace(one, 64 + 3).size).toBe(0);
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(decodeForward(encodeForward(record))).toEqual(record);
      }),
    );
  });

  it('has these bytes, for ever', () => {
    const record = new Map([
      [63, { segment: 2, index: 3, at: 4 }],
      [1, place],
    ]);
    expect(encodeForward(record).toString('hex')).toBe(
      '01' +
        '0200000000000080' +
        '00000000000000050000000600000007' +
        '00000000000000020000000300000004' +
        '9d2d0526',
    );
  });

  it('is refused, and with nothing but a DamageError, when cut short or changed', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (record, spot, bits) => {
        const value = encodeForward(record);
        const at = spot % value.length;
        expect(() => decodeForward(value.subarray(0, at))).toThrow(DamageError);
        value[at]! ^= bits;
        expect(() => decodeForward(value)).toThrow(DamageError);
      }),
    );
  });

  it.each([
    ['another format', `02${'00'.repeat(8)}`, 'its format is 2, expected 1'],
    ['no place', `01${'00'.repeat(8)}`, 'it is out of range'],
    ['a bit without a place', `0101${'00'.repeat(7)}`, 'it is out of range'],
    ['a place without a bit', `0101${'00'.repeat(7 + 32)}`, 'it is out of range'],
    [
      'a segment out of range',
      `0101${'00'.repeat(7)}0000000080000000${'00'.repeat(8)}`,
      'it is out of range',
    ],
    ['an index out of range', `0101${'00'.repeat(7)}${'00'.repeat(8)}0040000000000000`, 'it is out of range'],
  ])('is refused with %s, also under a right checksum', (_, hex, why) => {
    const value = withChecksum(hex);
    expect(() => decodeForward(value)).toThrow(DamageError);
    expect(() => decodeForward(value)).toThrow(why);
  });
});
