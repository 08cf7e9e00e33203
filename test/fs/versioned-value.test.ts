import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  birthOf,
  DamageError,
  ENVELOPE_BYTES,
  isWhiteout,
  seal,
  verify,
  whiteout,
} from '../../src/fs/versioned-value.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe('a versioned value', () => {
  it('keeps the birth it was sealed with last, and its body', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 9, maxLength: 64 }), u32, u32, (bytes, first, last) => {
        const value = Buffer.from(bytes);
        seal(value, first);
        seal(value, last);
        expect(birthOf(value)).toBe(last);
        expect(value.subarray(5, -4)).toEqual(Buffer.from(bytes).subarray(5, -4));
        verify(value, 'a value');
      }),
    );
  });

  it('is refused when any one bit differs', () => {
    const value = Buffer.from('01000000000102030405060708090a00000000', 'hex');
    seal(value, 7);
    for (let bit = 0; bit < value.length * 8; bit++) {
      const damaged = Buffer.from(value);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => verify(damaged, 'a value')).toThrow(DamageError);
    }
  });

  it('says what is damaged, and which checksum it found and expected', () => {
    const value = Buffer.from('0100000000aa00000000', 'hex');
    expect(() => verify(value, 'inode 12 of tree 3')).toThrow(
      'Cannot read inode 12 of tree 3: checksum is 4c9d38f0, expected 00000000',
    );
    expect(() => verify(value, () => 'window 4')).toThrow('Cannot read window 4: checksum');
  });

  it('is refused when cut short', () => {
    for (let length = 0; length < ENVELOPE_BYTES; length++) {
      expect(() => verify(whiteout().subarray(0, length), 'a value')).toThrow(
        `Cannot read a value: it has ${length} bytes, expected at least 9`,
      );
    }
  });
});

describe('a whiteout', () => {
  it('is nine bytes and is told from a record', () => {
    const value = whiteout();
    seal(value, 0x01020304);
    expect(value.toString('hex')).toBe('0001020304515ad3cc');
    expect(isWhiteout(value)).toBe(true);
    expect(isWhiteout(Buffer.from('0101020304515ad3cc', 'hex'))).toBe(false);
  });
});
