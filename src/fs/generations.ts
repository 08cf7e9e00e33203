// Which generations of a tree are kept, and the one that the commit worker writes. Immutable, so that a batch that
// must be built again starts from what it found.

export class Generations {
  /** The generation that writes get now. */
  readonly current: number;
  /** Ascending. */
  readonly kept: readonly number[];
  /** A generation was kept once, or the tree has a parent: first touches are noted for diffs. */
  readonly noted: boolean;

  constructor(current: number, kept: readonly number[], noted: boolean) {
    this.current = current;
    this.kept = kept;
    this.noted = noted;
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
    return new Generations(this.current + 1, [...this.kept, this.current], true);
  }
}
