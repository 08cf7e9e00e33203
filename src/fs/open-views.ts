// The kept generations that have something cached: the ones looked at last. Thousands may be kept, and each that is
// looked at has caches of its own.

/** Their listings take up to 2 MB each; records and maps are in the bounds that all trees share. */
export const OPEN_VIEWS_MAX = 32;

interface View {
  /** Gives up what is cached. */
  forget(): void;
}

export class OpenViews {
  /** In the order of their last use. */
  private readonly views = new Set<View>();
  private latest: View | null = null;

  get size(): number {
    return this.views.size;
  }

  use(view: View): void {
    if (view === this.latest) return;
    this.latest = view;
    this.views.delete(view);
    this.views.add(view);
    if (this.views.size <= OPEN_VIEWS_MAX) return;
    const [oldest] = this.views;
    this.views.delete(oldest!);
    oldest!.forget();
  }

  /** What is cached may name what is there no more. */
  forgetAll(): void {
    for (const view of this.views) view.forget();
    this.views.clear();
    this.latest = null;
  }

  close(view: View): void {
    this.views.delete(view);
    if (view === this.latest) this.latest = null;
    view.forget();
  }
}
