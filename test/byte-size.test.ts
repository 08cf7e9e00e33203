import { describe, expect, it } from 'vitest';
import { ByteSizeError, formatByteSize, parseByteSize } from '../src/byte-size.ts';

describe('a size as typed', () => {
  it.each([
    ['0', 0],
    ['512', 512],
    ['512B', 512],
    ['1KiB', 1024],
    ['1KB', 1000],
    ['1K', 1024],
    ['10MiB', 10 * 2 ** 20],
    ['10MB', 10_000_000],
    ['10M', 10 * 2 ** 20],
    ['3GiB', 3 * 2 ** 30],
    ['3GB', 3_000_000_000],
    ['3g', 3 * 2 ** 30],
    ['2TiB', 2 * 2 ** 40],
    ['2TB', 2_000_000_000_000],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['0.1KB', 100],
    [' 10 gib ', 10 * 2 ** 30],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each(['', 'none', '-1', '1e9', '1XiB', 'GiB', '0x10', '1,5GiB', '1 2', '.5G', '1.G', 'Infinity'])(
    '%j is refused',
    (text) => {
      expect(() => parseByteSize(text)).toThrow(ByteSizeError);
    },
  );

  it('is at most 2^53-1 bytes', () => {
    expect(() => parseByteSize('8PiB')).toThrow('too large');
    expect(() => parseByteSize('9'.repeat(400))).toThrow('too large');
  });
});

describe('a size for people', () => {
  it.each([
    [0, '0B'],
    [1023, '1023B'],
    [1024, '1KiB'],
    [1536, '1.5KiB'],
    [10 * 2 ** 30, '10GiB'],
    [1_000_000_000, '954MiB'],
    [1_234_567, '1.18MiB'],
    [12_345_678, '11.8MiB'],
    [1024 ** 2 - 1, '1MiB'],
    [Number.MAX_SAFE_INTEGER, '8PiB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatByteSize(bytes)).toBe(text);
  });

  it('is read back within the three digits that it has', () => {
    for (let bytes = 1; bytes < 2 ** 52; bytes = Math.ceil(bytes * 1.7)) {
      const back = parseByteSize(formatByteSize(bytes));
      expect(Math.abs(back - bytes) / bytes).toBeLessThan(0.006);
    }
  });
});
