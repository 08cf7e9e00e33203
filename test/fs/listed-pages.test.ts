// What is kept of answered listings: bounded over all trees, and gone when an inode of it changes.

import { describe, expect, it } from 'vitest';
import { ListedPagePool, ListedPages } from '../../src/fs/listed-pages.ts';

const PAGE_BYTES = 1000;
/** With what a page costs, and an inode in it. */
const PAGE_COST = PAGE_BYTES + 1024 + 64;
const TREE = 7;
const page = () => Buffer.alloc(PAGE_BYTES);
const has = (pages: ListedPages, key: string) => pages.find(key) !== undefined;

describe('pages of listings', () => {
  it('are wanted while there is room, and then when they are asked for a second time', () => {
    const pages = new ListedPages(new ListedPagePool(2 ** 21), TREE);
    expect(pages.wants('a', 1)).toBe(true);
    pages.keep('large', [1], Buffer.alloc(2 ** 20));
    for (const key of ['a', 'b', 'c']) expect(pages.wants(key, 1)).toBe(false);
    expect(pages.wants('a', 1)).toBe(true);
    // However many others are asked for once, what is remembered of them stays small.
    for (let other = 0; other < 100_000; other++) pages.wants(`${other}`, 1);
    expect(pages.wants('a', 1)).toBe(false);
  });

  it('stay in part where all that is asked for again and again does not fit', () => {
    const pages = new ListedPages(new ListedPagePool(8.1 * 2 ** 20), TREE);
    const keys = Array.from({ length: 10 }, (_, number) => `${number}`);
    for (let round = 0; round < 5; round++) {
      const found = keys.filter((key) => {
        if (pages.find(key)) return true;
        if (pages.wants(key, 1)) pages.keep(key, [Number(key)], Buffer.alloc(2 ** 20));
        return false;
      });
      expect(found.length).toBe(round === 0 ? 0 : 7);
    }
  });

  it('are gone when one of their inodes changes, and only they', () => {
    const pool = new ListedPagePool();
    const pages = new ListedPages(pool, TREE);
    pages.keep('both', [1, 2], page());
    pages.keep('first', [1, 1], page());
    pages.keep('other', [3], page());
    pages.changed(4);
    expect(pages.find('both')).toBeDefined();
    pages.changed(2);
    expect(pages.find('both')).toBeUndefined();
    expect(pages.find('first')).toBeDefined();
    pages.changed(1);
    expect(pages.find('first')).toBeUndefined();
    expect(pages.find('other')).toBeDefined();
    pages.changed(3);
    expect(pool.cost).toBe(0);
  });

  it('have one bound for all trees; those that were not asked for longest go first', () => {
    const pool = new ListedPagePool(3 * PAGE_COST);
    const [one, other] = [new ListedPages(pool, 1), new ListedPages(pool, 2)];
    one.keep('a', [1], page());
    one.keep('b', [2], page());
    other.keep('a', [1], page());
    one.find('a');
    other.keep('b', [2], page());
    expect(pool.cost).toBe(3 * PAGE_COST);
    expect([has(one, 'a'), has(one, 'b'), has(other, 'a'), has(other, 'b')]).toEqual([
      true,
      false,
      true,
      true,
    ]);
    one.clear();
    expect(pool.cost).toBe(2 * PAGE_COST);
    // What is larger than all that may be kept is not.
    other.keep('large', [5], Buffer.alloc(4 * PAGE_COST));
    expect([has(other, 'large'), pool.cost]).toEqual([false, 0]);
  });

  it('hold no memory but their own', () => {
    const pages = new ListedPages(new ListedPagePool(), TREE);
    // Of a slab that others share.
    pages.keep('small', [1], Buffer.from('small'));
    const small = pages.find('small')!;
    expect(small.toString()).toBe('small');
    expect(small.buffer.byteLength).toBe(small.length);
  });

  it('cost more than their bytes, however small they are', () => {
    const pool = new ListedPagePool(2 ** 21);
    const pages = new ListedPages(pool, TREE);
    for (let number = 0; number < 10_000; number++) pages.keep(`${number}`, [1], Buffer.alloc(8));
    expect(pool.cost).toBeLessThanOrEqual(2 ** 21);
    expect(has(pages, '7000')).toBe(false);
    pages.changed(1);
    expect(pool.cost).toBe(0);
  });

  it('are replaced by what is kept under the same key', () => {
    const pool = new ListedPagePool();
    const pages = new ListedPages(pool, TREE);
    pages.keep('a', [1], page());
    pages.keep('a', [2], page());
    expect(pool.cost).toBe(PAGE_COST);
    pages.changed(1);
    expect(has(pages, 'a')).toBe(true);
  });
});
