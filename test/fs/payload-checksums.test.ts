import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES, blockChecksums, PAYLOAD_BYTES_MAX } from '../../src/fs/frame.ts';
import { checksumsOf } from '../../src/fs/payload-checksums.ts';
import { seededRandom, upTo } from '../kv/seeded-random.ts';

describe('the checksums of a payload in several buffers', () => {
  it.each([
    ['one block', [BLOCK_BYTES]],
    ['one byte', [1]],
    ['whole blocks', [BLOCK_BYTES, 2 * BLOCK_BYTES]],
    ['a cut within a block', [BLOCK_BYTES + 1, BLOCK_BYTES - 1, 7]],
    ['many cuts within a block', [1, 1, 1, 4000, 93, 4096]],
    ['an empty buffer at a cut', [BLOCK_BYTES, 0, 5, 0]],
    ['the longest payload', [PAYLOAD_BYTES_MAX - 3, 3]],
  ])('are those of the bytes together: %s', (_, lengths) => {
    const random = seededRandom(1);
    const parts = lengths.map((length) => Buffer.from(Array.from({ length }, () => upTo(random, 255))));
    const payload = Buffer.concat(parts);
    expect(checksumsOf(parts, payload.length)).toEqual(blockChecksums(payload));
  });
});
