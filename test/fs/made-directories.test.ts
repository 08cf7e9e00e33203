import { describe, expect, it } from 'vitest';
import { MadeDirectories } from '../../src/fs/made-directories.ts';
import { CachePool } from '../../src/fs/two-generation-cache.ts';
import { type SeededRandom, seededRandom, upTo } from '../kv/seeded-random.ts';

const LARGE = 2 ** 20;
const bucketOf = (number: number) => ({ high: number % 7, low: number * 16 });

function bucket(random: SeededRandom) {
  return { high: upTo(random, 3), low: 16 * upTo(random, 1000) };
}

describe('directories that were made in this run', () => {
  it('have no free bucket that was noted, and some that are free', () => {
    const random = seededRandom(11);
    const made = new MadeDirectories(new CachePool(LARGE));
    const model = new Map<number, Set<string>>();
    let free = 0;
    for (let step = 0; step < 20_000; step++) {
      const ino = 2 + upTo(random, 20);
      const one = bucket(random);
      if (!model.has(ino)) {
        expect(made.isFree(ino, one)).toBe(false);
        made.made(ino);
        model.set(ino, new Set());
      }
      const isNoted = model.get(ino)!.has(`${one.high}/${one.low}`);
      if (isNoted) expect(made.isFree(ino, one), `step ${step}`).toBe(false);
      else if (made.isFree(ino, one)) free++;
      if (random() < 0.3) {
        made.note(ino, one);
        model.get(ino)!.add(`${one.high}/${one.low}`);
      }
    }
    expect(free).toBeGreaterThan(5000);
  });

  it('are given up with more names than are remembered', () => {
    const made = new MadeDirectories(new CachePool(LARGE));
    made.made(2);
    for (let number = 1; number <= 32_768; number++) made.note(2, bucketOf(number));
    expect(made.isFree(2, bucketOf(40_000))).toBe(true);
    for (let number = 32_769; number < 40_000; number++) made.note(2, bucketOf(number));
    expect(made.isFree(2, bucketOf(40_000))).toBe(false);
  });

  it('share a bound: those that nobody asks for go', () => {
    const made = new MadeDirectories(new CachePool(1000));
    const count = 100;
    for (let ino = 2; ino < 2 + count; ino++) {
      made.made(ino);
      expect(made.isFree(ino, bucketOf(1))).toBe(true);
    }
    const remembered = Array.from({ length: count }, (_, at) => made.isFree(2 + at, bucketOf(1)));
    expect(remembered.filter(Boolean).length).toBeLessThanOrEqual(1000 / 16 + 1);
    expect(remembered[0]).toBe(false);
  });

  it('count as they grow', () => {
    const made = new MadeDirectories(new CachePool(1000));
    made.made(2);
    made.made(3);
    for (let number = 1; number <= 2000; number++) made.note(3, bucketOf(number));
    expect(made.isFree(2, bucketOf(1))).toBe(false);
  });
});
