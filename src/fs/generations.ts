// Which generations of a tree are kept, and the one that the commit worker writes. Immutable, so that a batch that
// must be built again starts from what it found.

/** Generations that are kept no more, between two that are. */
export interface Gap {
  /** -1 is none. */
  readonly older: number;
  readonly next: number | undefined;
  /** Ascending, at least one. */
  readonly leaving: readonly number[];
}

export class Generations {
  /** The generation that writes get now. */
  readonly current: number;
  /** Ascending. */
  readonly kept: readonly number[];
  /** Kept no more, but what only they needed is not yet swept: see sweep.ts. */
  readonly leaving: readonly number[];
  private foundGaps: readonly Gap[] | null = null;

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
    return this.kept[this.countBelow(generation) - 1] ?? -1;
  }

  /** Keeps `current` as it is; writes go on in the next one. */
  keep(): Generations {
    return new Generations(this.current + 1, [...this.kept, this.current], this.leaving, this.hasHead);
  }

  /** Nobody holds `generation` any more. */
  leave(generation: number): Generations {
    // Of thousands, one after the other: a copy of the whole is cheap, a look at each is not.
    const at = this.countBelow(generation);
    const kept = this.kept[at] === generation ? this.kept.toSpliced(at, 1) : this.kept;
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
    return this.kept[this.countBelow(generation + 1)];
  }

  /** Where generations are leaving: what one of a gap needs no more, all of it need no more. The oldest first. */
  get gaps(): readonly Gap[] {
    this.foundGaps ??= this.findGaps();
    return this.foundGaps;
  }

  private findGaps(): Gap[] {
    const gaps: { older: number; next: number | undefined; leaving: number[] }[] = [];
    for (const generation of [...this.leaving].sort((one, other) => one - other)) {
      const older = this.lastKept(generation);
      const gap = gaps.at(-1);
      if (gap?.older === older) gap.leaving.push(generation);
      else gaps.push({ older, next: this.nextKept(generation), leaving: [generation] });
    }
    return gaps;
  }

  private countBelow(generation: number): number {
    let low = 0;
    let high = this.kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.kept[middle]! < generation) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
