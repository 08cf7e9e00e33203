// Bounded maps that forget what was not asked for lately. Two plain maps instead of a linked list: a hit in the young
// one costs one probe. When all young maps of a pool are full together, they become the old ones, and the old ones are
// dropped. So many datasets share one bound, and one that is busy may have nearly all of it.

/** The bound that caches of one kind share. */
export class CachePool {
  hits = 0;
  misses = 0;
  private readonly youngMax: number;
  private readonly caches = new Set<Generational>();
  private young = 0;

  /** Together the caches hold at most `max`, in whatever unit their values are measured. */
  constructor(max: number) {
    this.youngMax = Math.max(1, Math.floor(max / 2));
  }

  join(cache: Generational): void {
    this.caches.add(cache);
  }

  leave(cache: Generational): void {
    this.caches.delete(cache);
  }

  added(cost: number): void {
    this.young += cost;
    if (this.young <= this.youngMax) return;
    this.young = 0;
    for (const cache of this.caches) cache.age();
  }
}

interface Generational {
  age(): void;
}

export class TwoGenerationCache<K, V> implements Generational {
  private readonly pool: CachePool;
  private readonly costOf: (value: V, key: K) => number;
  private young = new Map<K, V>();
  private old = new Map<K, V>();

  constructor(pool: CachePool, costOf: (value: V, key: K) => number = () => 1) {
    this.pool = pool;
    this.costOf = costOf;
    pool.join(this);
  }

  get(key: K): V | undefined {
    const value = this.young.get(key);
    if (value !== undefined) {
      this.pool.hits++;
      return value;
    }
    const aged = this.old.get(key);
    if (aged === undefined) {
      this.pool.misses++;
      return undefined;
    }
    this.pool.hits++;
    this.old.delete(key);
    this.set(key, aged);
    return aged;
  }

  set(key: K, value: V): void {
    this.young.set(key, value);
    this.pool.added(this.costOf(value, key));
  }

  delete(key: K): void {
    this.young.delete(key);
    this.old.delete(key);
  }

  age(): void {
    this.old = this.young;
    if (this.young.size > 0) this.young = new Map();
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }

  /** Nothing more is kept here. */
  close(): void {
    this.pool.leave(this);
    this.clear();
  }
}
