// Which parts of the segments the system likely has in memory: those that this run has written or read, newest first,
// up to a number of bytes. It decides only where a read is done, so it may be wrong; it must be small and fast.
//
// Two generations stand for the order of use: a region that is used joins the young ones; when they are half of what
// may be warm they become the old ones, and what was old and not used since is forgotten.

/** The unit of what is warm. A read of a cold region brings all of it in, so that the region really is. */
export const WARM_REGION_BYTES = 32 << 10;
/** Regions that a segment is taken to have at most; beyond it two may be taken for one, which costs a slow read. */
const SEGMENT_REGIONS = 1 << 20;

export class WarmRegions {
  readonly #youngMax: number;
  #young = new Set<number>();
  #old = new Set<number>();

  constructor(bytesMax: number) {
    this.#youngMax = Math.floor(bytesMax / WARM_REGION_BYTES / 2);
  }

  /** Whether all of the range is likely in memory; it counts as used when it is. */
  has(segment: number, offset: number, length: number): boolean {
    const base = segment * SEGMENT_REGIONS;
    const last = regionAt(offset + length - 1);
    let areYoung = true;
    for (let region = regionAt(offset); region <= last; region++) {
      if (this.#young.has(base + region)) continue;
      if (!this.#old.has(base + region)) return false;
      areYoung = false;
    }
    if (!areYoung) this.add(segment, offset, length);
    return true;
  }

  add(segment: number, offset: number, length: number): void {
    if (length === 0 || this.#youngMax === 0) return;
    const base = segment * SEGMENT_REGIONS;
    const last = regionAt(offset + length - 1);
    for (let region = regionAt(offset); region <= last; region++) {
      this.#young.add(base + region);
      if (this.#young.size < this.#youngMax) continue;
      this.#old = this.#young;
      this.#young = new Set();
    }
  }
}

function regionAt(offset: number): number {
  return Math.floor(offset / WARM_REGION_BYTES);
}
