import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeStats, encodeStats } from '../../src/fs/stats-record.ts';
import { DamageError } from '../../src/fs/versioned-value.ts';
import { withChecksum } from './with-checksum.ts';

const records = fc.record({ usedBytes: fc.maxSafeNat(), usedInodes: fc.maxSafeNat() });

describe('the counters of a tree', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(decodeStats(encodeStats(record))).toEqual(record);
      }),
    );
  });

  it('have these bytes, for ever', () => {
    expect(encodeStats({ usedBytes: 2 ** 40, usedInodes: 3 }).toString('hex')).toBe(
      '01' + '0000010000000000' + '0000000000000003' + '4a4f8a32',
    );
  });

  it('are refused, and with nothing but a DamageError, when cut short or changed', () => {
    fc.assert(
      fc.property(records, fc.nat(20), fc.integer({ min: 1, max: 255 }), (record, at, bits) => {
        const value = encodeStats(record);
        expect(() => decodeStats(value.subarray(0, at))).toThrow(DamageError);
        value[at]! ^= bits;
        expect(() => decodeStats(value)).toThrow(DamageError);
      }),
    );
  });

  it.each([
    ['another format', `02${'00'.repeat(16)}`, 'its format is 2, expected 1'],
    ['too many bytes', `010020000000000000${'00'.repeat(8)}`, 'they are out of range'],
    ['too many inodes', `01${'00'.repeat(8)}0020000000000000`, 'they are out of range'],
    ['a longer body', `01${'00'.repeat(17)}`, 'they are out of range'],
  ])('are refused with %s, also under a right checksum', (_, hex, why) => {
    const value = withChecksum(hex);
    expect(() => decodeStats(value)).toThrow(DamageError);
    expect(() => decodeStats(value)).toThrow(why);
  });

  it('are never negative', () => {
    expect(() => encodeStats({ usedBytes: -1, usedInodes: 0 })).toThrow(
      'a tree cannot use -1 bytes, 0 inodes',
    );
    expect(() => encodeStats({ usedBytes: 0, usedInodes: -1 })).toThrow(
      'a tree cannot use 0 bytes, -1 inodes',
    );
  });
});
