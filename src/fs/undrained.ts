// Which data ids of a tree were given up and wait to be drained. A clone keeps the tombstones of those that are drained,
// so the rows alone would have to be read again at each look.

/** More than that in one go, and all rows are looked at once instead. */
const DATA_IDS_MAX = 10_000;

export class Undrained {
  /** Those of an earlier run are not known yet. */
  private isUnknown = true;
  private dataIds = new Set<number>();

  add(dataId: number): void {
    if (this.isUnknown) return;
    this.dataIds.add(dataId);
    if (this.dataIds.size > DATA_IDS_MAX) this.forget();
  }

  /** Of these nothing is told any more; null: any may have to be drained. */
  take(): ReadonlySet<number> | null {
    const { isUnknown, dataIds } = this;
    this.isUnknown = false;
    this.dataIds = new Set();
    return isUnknown ? null : dataIds;
  }

  /** What was taken is not all drained. */
  forget(): void {
    this.isUnknown = true;
    this.dataIds = new Set();
  }
}
