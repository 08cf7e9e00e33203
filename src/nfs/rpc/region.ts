// Receive buffers. Bytes of the socket land in a region; small records are decoded where they lie. A call that is
// answered later pins its region: pinned bytes are never overwritten, the connection goes on behind them or, at the
// end, in another region. Regions that nobody uses any more are kept for the next connection that needs one.

/** Holds a small record and its mark twice, so that after moving an unfinished one there is always room to read. */
export const REGION_BYTES = 128 * 1024;

/** 8 MiB of free regions at most. */
const FREE_REGIONS_MAX = 64;

/** What freed bytes become when asked: no XDR item, name or handle looks like it. */
const FREED_BYTE = 0xdb;

export class Region {
  readonly bytes = Buffer.allocUnsafeSlow(REGION_BYTES);
  readonly view = new DataView(this.bytes.buffer);
  readonly #pool: RegionPool;
  #pins = 0;
  #retired = false;

  constructor(pool: RegionPool) {
    this.#pool = pool;
  }

  get pinned(): boolean {
    return this.#pins > 0;
  }

  pin(): void {
    this.#pins++;
  }

  unpin(): void {
    this.#pins--;
    if (this.#retired && this.#pins === 0) this.#pool.give(this);
  }

  /** Its connection reads into another one now. */
  retire(): void {
    this.#retired = true;
    if (this.#pins === 0) this.#pool.give(this);
  }

  renew(): void {
    this.#retired = false;
  }

  /** The first `end` bytes are free to be read over. */
  freed(end: number): void {
    if (this.#pool.overwriteFreed) this.bytes.fill(FREED_BYTE, 0, end);
  }
}

export class RegionPool {
  /** Makes a use of arguments after their call was answered visible: for tests. */
  readonly overwriteFreed: boolean;
  readonly #free: Region[] = [];

  constructor(options: { readonly overwriteFreed: boolean }) {
    this.overwriteFreed = options.overwriteFreed;
  }

  take(): Region {
    const region = this.#free.pop() ?? new Region(this);
    region.renew();
    return region;
  }

  give(region: Region): void {
    region.freed(REGION_BYTES);
    if (this.#free.length < FREE_REGIONS_MAX) this.#free.push(region);
  }
}
