// Which generations of a tree are kept, and the one that the commit worker writes. Immutable, so that a batch that
// must be built again starts from what it found.

export class Generations {
  /** The generation that writes get now. */
  readonly current: number;
  /** Ascending. */
  readonly kept: readonly number[];
  /** Kept no more, but what only they needed is not yet swept: see sweep.ts. */
  readonly leaving: readonly number[];

  /** Else only the kept generations are shown, and nothing is written any more. */
  readonly hasHead: boolean;

  constructor(current: number, kept: readonly number[], leaving: readonly number[] = [], hasHead = true) {
    this.current = current;
    this.kept = kept;
    this.leaving = leaving;
    this.hasHead = hasHead;
  }

  /** The newest kept generation below `generation`; -1 for none, which is older than generation 0. */
  lastKept(generation: number): number {
    for (let at = this.kept.length - 1; at >= 0; at--) {
      const kept = this.kept[at]!;
      if (kept < generation) return kept;
    }
    return -1;
  }

  /** Keeps `current` as it is; writes go on in the next one. */
  keep(): Generations {
    return new Generations(this.current + 1, [...this.kept, this.current], this.leaving, this.hasHead);
  }

  /** Nobody holds `generation` any more. */
  leave(generation: number): Generations {
    const kept = this.kept.filter((each) => each !== generation);
    return new Generations(this.current, kept, [...this.leaving, generation], this.hasHead);
  }

  /** Everything that only `generation` needed is gone. */
  swept(generation: number): Generations {
    const leaving = this.leaving.filter((each) => each !== generation);
    return new Generations(this.current, this.kept, leaving, this.hasHead);
  }

  behead(): Generations {
    return new Generations(this.current, this.kept, this.leaving, false);
  }

  /** The oldest kept generation above `generation`; undefined when there is none. */
  nextKept(generation: number): number | undefined {
    return this.kept.find((each) => each > generation);
  }
}
