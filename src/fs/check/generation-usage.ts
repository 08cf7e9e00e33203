// What the versions of a tree's inodes count at each kept generation, for the counters of its KEPT rows: every version
// counts at those generations that lie in its life.

interface Usage {
  readonly usedBytes: number;
  readonly usedInodes: number;
}

export class GenerationUsage {
  /** Ascending. */
  private readonly kept: readonly number[];
  /** What begins to count at each kept generation, less what ends to. */
  private readonly bytes: number[];
  private readonly inodes: number[];

  constructor(kept: readonly number[]) {
    this.kept = kept;
    this.bytes = kept.map(() => 0);
    this.inodes = kept.map(() => 0);
  }

  /** A version from its birth up to its death, which is Infinity while it lives. */
  add({ birth, death }: { readonly birth: number; readonly death: number }, allocated: number): void {
    this.addAt(firstKeptFrom(this.kept, birth), allocated, 1);
    this.addAt(firstKeptFrom(this.kept, death), -allocated, -1);
  }

  *totals(): Generator<readonly [generation: number, usage: Usage]> {
    let usedBytes = 0;
    let usedInodes = 0;
    for (const [at, generation] of this.kept.entries()) {
      usedBytes += this.bytes[at]!;
      usedInodes += this.inodes[at]!;
      yield [generation, { usedBytes, usedInodes }];
    }
  }

  private addAt(at: number, bytes: number, inodes: number): void {
    if (at === this.kept.length) return;
    this.bytes[at]! += bytes;
    this.inodes[at]! += inodes;
  }
}

/** Index of the first of the kept generations that is not below `generation`. */
export function firstKeptFrom(kept: readonly number[], generation: number): number {
  let low = 0;
  let high = kept.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (kept[middle]! < generation) low = middle + 1;
    else high = middle;
  }
  return low;
}
