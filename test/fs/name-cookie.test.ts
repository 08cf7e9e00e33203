import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, entryCookie, nameCookie } from '../../src/fs/name-cookie.ts';

const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe('the cookie of a name', () => {
  it('is the same for ever under one key', () => {
    // SipHash-2-4 of 00 under this key is 74f839c593dc67fd: the published vector, its low 4 bits cleared.
    expect(nameCookie(key)(Buffer.from([0]))).toEqual({ high: 0x74f839c5, low: 0x93dc67f0 });
    // …and 9e0082df0ba9e4b0 of 00 to 08: the top bit is cleared too.
    expect(nameCookie(key)(Buffer.from('000102030405060708', 'hex'))).toEqual({
      high: 0x1e0082df,
      low: 0x0ba9e4b0,
    });
  });

  it('has 63 bits, its low 4 zero, and is never reserved', () => {
    fc.assert(
      fc.property(u32, u32, (high, low) => {
        const cookie = nameCookie(key, () => ({ high, low }))(Buffer.from('a'));
        expect(cookie.high).toBe(high % 0x8000_0000);
        expect(cookie.low % 16).toBe(0);
        expect(cookie.high * 2 ** 32 + cookie.low).toBeGreaterThanOrEqual(16);
      }),
    );
  });

  it.each([
    [0, 0],
    [0, 15],
    [0x8000_0000, 3],
  ])('moves the reserved bucket 0 to 16 (hash %i/%i)', (high, low) => {
    expect(nameCookie(key, () => ({ high, low }))(Buffer.from('a'))).toEqual({ high: 0, low: 16 });
  });

  it('moves no other bucket', () => {
    expect(nameCookie(key, () => ({ high: 1, low: 15 }))(Buffer.from('a'))).toEqual({ high: 1, low: 0 });
  });

  it('with the index of an entry leads back to the bucket', () => {
    fc.assert(
      fc.property(u32, u32, fc.nat(15), (high, low, index) => {
        const bucket = nameCookie(key, () => ({ high, low }))(Buffer.from('a'));
        const cookie = entryCookie(bucket, index);
        expect(cookie.low % 16).toBe(index);
        expect(bucketOf(cookie)).toEqual(bucket);
      }),
    );
    expect(bucketOf({ high: 1, low: 0xffff_fff7 })).toEqual({ high: 1, low: 0xffff_fff0 });
  });
});
