// What was answered of directories with the attributes of their entries, encoded as it was sent. Whoever lists a
// directory again, and that is every client that looks whether something has changed, gets the same bytes: encoding an
// entry costs 2 µs, and where the inodes are more than are kept decoded 14.
//
// An answer is kept with the inodes that it shows, and forgotten in the turn in which one of them changes: every change
// of an inode goes through Turn.cache or WriteBack.changed, and both tell. Once there is no more room, it takes the place of
// one that was not asked for lately, and only when it was asked for before itself: a walk through a large tree, which asks
// once, leaves the others where they are, and of a directory that does not fit a part stays.

import { unpooledCopy } from '../unpooled-copy.ts';
import type { ListedPages as ListedPagesOf } from './file-system.ts';

/** Answers of all trees together, with what they cost: about 110,000 entries with names of ten bytes. */
const COST_MAX = 24 * 2 ** 20;
/** Of a page: its key, and what it is found by. */
const PAGE_COST = 1024;
/** Of an entry: its number in the page, and the way from the number to the page. */
const INODE_COST = 64;
/** Of 1 MiB of the shortest entries. */
const LARGEST_COST = 1.5 * 2 ** 20;
/** Keys, about 100 bytes each, that were asked for once. */
const ASKED_MAX = 4096;

interface Page {
  readonly owner: ListedPages;
  readonly key: string;
  readonly inos: readonly number[];
  readonly bytes: Buffer;
  /** As the pool counts it. */
  askedAt: number;
}

/** The bound that the pages of all trees share. */
export class ListedPagePool {
  private readonly costMax: number;
  /** The one that was not asked for longest first. */
  private readonly recency = new Set<Page>();
  private kept = 0;
  /** Inodes in the pages; and in all that was asked for, whether it was there or not. */
  private shown = 0;
  private asked = 0;
  private readonly askedOnce = new Set<string>();

  constructor(costMax: number = COST_MAX) {
    this.costMax = costMax;
  }

  get cost(): number {
    return this.kept;
  }

  /** @param name of the answer among those of all trees, which was not there */
  wants(name: string, inodes: number): boolean {
    this.asked += inodes;
    const [oldest] = this.recency;
    if (oldest === undefined || this.kept + LARGEST_COST <= this.costMax) return true;
    if (this.askedOnce.has(name)) {
      // Not asked for while twice as much was as is kept.
      if (this.asked - oldest.askedAt <= 2 * this.shown) return false;
      this.askedOnce.delete(name);
      return true;
    }
    if (this.askedOnce.size >= ASKED_MAX) this.askedOnce.clear();
    this.askedOnce.add(name);
    return false;
  }

  used(page: Page): void {
    this.asked += page.inos.length;
    page.askedAt = this.asked;
    this.recency.delete(page);
    this.recency.add(page);
  }

  add(page: Page): void {
    page.askedAt = this.asked;
    this.shown += page.inos.length;
    this.recency.add(page);
    this.kept += costOf(page);
    for (const oldest of this.recency) {
      if (this.kept <= this.costMax) return;
      oldest.owner.forget(oldest);
    }
  }

  remove(page: Page): void {
    if (!this.recency.delete(page)) return;
    this.kept -= costOf(page);
    this.shown -= page.inos.length;
  }
}

/** Those of one tree. */
export class ListedPages implements ListedPagesOf {
  private readonly pool: ListedPagePool;
  private readonly pages = new Map<string, Page>();
  /** By the inodes that they show; one that several show has a set. */
  private readonly showing = new Map<number, Page | Set<Page>>();
  private readonly tree: number;

  constructor(pool: ListedPagePool, tree: number) {
    this.pool = pool;
    this.tree = tree;
  }

  find(key: string): Buffer | undefined {
    const page = this.pages.get(key);
    if (!page) return undefined;
    this.pool.used(page);
    return page.bytes;
  }

  wants(key: string, inodes: number): boolean {
    return this.pool.wants(`${this.tree} ${key}`, inodes);
  }

  keep(key: string, inos: readonly number[], encoded: Buffer): void {
    const before = this.pages.get(key);
    if (before) this.forget(before);
    const isPooled = encoded.buffer.byteLength > encoded.length;
    const bytes = isPooled ? unpooledCopy(encoded) : encoded;
    const page: Page = { owner: this, key, inos, bytes, askedAt: 0 };
    this.pages.set(key, page);
    for (const ino of inos) this.show(ino, page);
    this.pool.add(page);
  }

  /** Something of the inode is no longer what it was. */
  changed(ino: number): void {
    const showing = this.showing.get(ino);
    if (showing === undefined) return;
    if (!(showing instanceof Set)) this.forget(showing);
    else for (const page of [...showing]) this.forget(page);
  }

  forget(page: Page): void {
    this.pages.delete(page.key);
    this.pool.remove(page);
    for (const ino of page.inos) this.hide(ino, page);
  }

  clear(): void {
    for (const page of [...this.pages.values()]) this.forget(page);
  }

  private show(ino: number, page: Page): void {
    const showing = this.showing.get(ino);
    if (showing === undefined || showing === page) this.showing.set(ino, page);
    else if (showing instanceof Set) showing.add(page);
    else this.showing.set(ino, new Set([showing, page]));
  }

  private hide(ino: number, page: Page): void {
    const showing = this.showing.get(ino);
    if (showing === page) this.showing.delete(ino);
    else if (showing instanceof Set && showing.delete(page) && showing.size === 0) this.showing.delete(ino);
  }
}

function costOf({ bytes, inos }: Page): number {
  return PAGE_COST + bytes.length + inos.length * INODE_COST;
}
