// Directories that were made in this run, and in which of their buckets there may be names. Whoever makes a name looks
// first whether it is there: for a directory that is remembered here from its first name on, mostly without the store,
// whose "no" costs as much as a tenth of a MKDIR.
//
// Only what is surely free counts. A bucket whose names have gone stays noted, and so do a name and a directory that were
// never staged: that costs a look at the store. Inode numbers are never given twice, so a note is good for ever.

import type { Cookie } from './file-system.ts';
import { type CachePool, TwoGenerationCache } from './two-generation-cache.ts';

const SLOTS_MIN = 16;
/** 32,768 names: a larger directory is looked up in the store. */
const SLOTS_MAX = 1 << 16;

export class MadeDirectories {
  private readonly pool: CachePool;
  private readonly directories: TwoGenerationCache<number, NotedBuckets>;

  /** @param pool measured in slots: 4 bytes, at most half of them taken */
  constructor(pool: CachePool) {
    this.pool = pool;
    this.directories = new TwoGenerationCache(pool, ({ slots }) => slots);
  }

  /** A new directory, before any name is made in it. */
  made(ino: number): void {
    this.directories.set(ino, new NotedBuckets());
  }

  /** Before a name is made, in that directory and that bucket. */
  note(ino: number, bucket: Cookie): void {
    const noted = this.directories.get(ino);
    if (!noted) return;
    const { slots } = noted;
    noted.add(bucket);
    if (noted.slots > SLOTS_MAX) this.directories.delete(ino);
    else if (noted.slots > slots) this.pool.added(noted.slots - slots);
  }

  /** The directory has surely no name in that bucket. */
  isFree(ino: number, bucket: Cookie): boolean {
    const noted = this.directories.get(ino);
    return noted !== undefined && !noted.mayHave(bucket);
  }

  close(): void {
    this.directories.close();
  }
}

/** 32 bits of each bucket, in an open hash table; 0 is a free slot. */
class NotedBuckets {
  private table = new Int32Array(SLOTS_MIN);
  private taken = 0;

  get slots(): number {
    return this.table.length;
  }

  add(bucket: Cookie): void {
    const wanted = bitsOf(bucket);
    const slot = this.slotOf(wanted);
    if (this.table[slot] === wanted) return;
    this.table[slot] = wanted;
    if (2 * ++this.taken > this.table.length) this.grow();
  }

  mayHave(bucket: Cookie): boolean {
    const wanted = bitsOf(bucket);
    return this.table[this.slotOf(wanted)] === wanted;
  }

  private slotOf(bits: number): number {
    const { table } = this;
    const mask = table.length - 1;
    let slot = bits & mask;
    while (table[slot] !== 0 && table[slot] !== bits) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const before = this.table;
    this.table = new Int32Array(2 * before.length);
    for (const bits of before) if (bits !== 0) this.table[this.slotOf(bits)] = bits;
  }
}

/** Never 0. The low four bits of a bucket are. */
function bitsOf({ high, low }: Cookie): number {
  return ((low >>> 4) ^ (high << 28)) | 0 || 1;
}
