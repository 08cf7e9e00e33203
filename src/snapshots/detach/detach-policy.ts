// Which datasets are detached without being told (DESIGN 3.2, Policy). One job at a time:
//
//   flatten   a dataset with more than 16 trees above it, so that reads stop at it. No data is copied.
//   detach    the clones of one generation that is kept for nobody else, when more comes back than they still inherit:
//             space is at most doubled meanwhile, and what is copied is paid for by what it frees. A dataset that was
//             rolled back is a clone too.
//
// What is decided is worked out anew at each look, so a crash loses no decision; what has begun has a row of its own.

import { setImmediate } from 'node:timers/promises';
import type { Clock, Timer } from '../../clock.ts';
import type { DatasetEntry } from '../../datasets/dataset-entry.ts';
import type { DatasetRegistry } from '../../datasets/registry.ts';
import { BackgroundLoop } from '../../fs/background-loop.ts';
import { depthOf } from '../../fs/detach/depth.ts';
import type { Store } from '../../fs/store.ts';
import type { Tree } from '../../fs/tree.ts';
import type { WriteBack } from '../../fs/write-back.ts';
import type { SnapshotRegistry } from '../snapshot-registry.ts';
import { CloneGroups } from './clone-groups.ts';
import type { Detaches, DetachKind } from './detaches.ts';

/** Trees that a read may go through. */
export const DEPTH_MAX = 16;
/** Between two looks when nothing has happened that is known to matter: writes make less of what is inherited. */
const LOOK_MS = 60_000;
/** Many generations may lose their holders one after the other. */
const SOON_MS = 1000;
/** After one that has failed. */
const RETRY_MS = 3_600_000;

export interface DetachPolicyParts {
  readonly store: Store;
  readonly datasets: DatasetRegistry;
  readonly snapshots: Pick<SnapshotRegistry, 'onBranch'>;
  readonly detaches: Detaches;
  readonly writeBack: Pick<WriteBack, 'freeBytes'>;
  readonly clock: Clock;
}

interface Due {
  readonly kind: DetachKind;
  readonly dataset: DatasetEntry;
}

export class DetachPolicy {
  private readonly parts: DetachPolicyParts;
  private readonly groups: CloneGroups;
  private readonly abort = new AbortController();
  /** Not to be begun before, in milliseconds of the clock: somebody called it off, or it failed. */
  private readonly leftAlone = new WeakMap<Tree, number>();
  private readonly loop: BackgroundLoop;
  private timer: Timer | null = null;
  private soon: Timer | null = null;

  constructor(parts: DetachPolicyParts) {
    this.parts = parts;
    this.groups = new CloneGroups(parts);
    this.loop = new BackgroundLoop(
      () => this.begin().finally(() => this.look()),
      (error) => {
        const { store } = parts;
        if (this.loop.stopped || store.poisoned) return;
        const message = 'Cannot tell which datasets should be detached; it is tried again';
        store.parts.log.warn({ err: error }, message);
      },
    );
  }

  start(): void {
    const { store, snapshots } = this.parts;
    store.onRelease(() => this.wakeSoon());
    snapshots.onBranch = () => this.wakeSoon();
    this.wake();
  }

  /** Looks now. */
  wake(): void {
    this.loop.wake();
  }

  /** Resolves when nothing is left to do now. */
  idle(): Promise<void> {
    return this.loop.idle();
  }

  /** A job under way is its list's to end. */
  stop(): Promise<void> {
    this.abort.abort();
    this.timer?.cancel();
    this.soon?.cancel();
    return this.loop.stop();
  }

  private wakeSoon(): void {
    if (this.loop.stopped) return;
    this.soon ??= this.parts.clock.after(SOON_MS, () => {
      this.soon = null;
      this.wake();
    });
  }

  /** Again, when nothing happens. */
  private look(): void {
    this.timer?.cancel();
    const { store, clock } = this.parts;
    if (!this.loop.stopped && !store.poisoned) this.timer = clock.after(LOOK_MS, () => this.wake());
  }

  /** Begins what is due, and waits for its end. */
  private async begin(): Promise<void> {
    const { detaches, store, clock } = this.parts;
    await detaches.idle();
    // Who holds what is in rows of the applied batches.
    await store.durable(store.ticket);
    const due = this.tooDeep() ?? (await this.tooMuchHidden());
    if (!due || this.abort.signal.aborted) return;
    const { tree } = due.dataset;
    // Detached by somebody meanwhile.
    if (tree.parent === null) return;
    const { state } = await detaches.run(due.dataset, due.kind);
    const untilMs = state === 'failed' ? clock.elapsedMs() + RETRY_MS : Number.POSITIVE_INFINITY;
    if (state !== 'done') this.leftAlone.set(tree, untilMs);
    this.loop.wake();
  }

  /** The one with the fewest trees above it: those below it become less deep with it. */
  private tooDeep(): Due | undefined {
    const { store } = this.parts;
    let depth = Number.POSITIVE_INFINITY;
    let found: DatasetEntry | undefined;
    for (const dataset of this.candidates()) {
      const own = depthOf(store, dataset.tree);
      if (own <= DEPTH_MAX || own >= depth) continue;
      depth = own;
      found = dataset;
    }
    return found && { kind: 'flatten', dataset: found };
  }

  private async tooMuchHidden(): Promise<Due | undefined> {
    const { writeBack } = this.parts;
    const { signal } = this.abort;
    for (const group of this.groups.of([...this.candidates()])) {
      // Others are served between two.
      await setImmediate();
      if (signal.aborted) return undefined;
      const bytes = await this.groups.inheritedWhereLess(group, signal);
      if (bytes === undefined || bytes > writeBack.freeBytes()) continue;
      const [first] = group;
      if (first) return { kind: 'detach', dataset: first };
    }
    return undefined;
  }

  private *candidates(): Generator<DatasetEntry> {
    const nowMs = this.parts.clock.elapsedMs();
    for (const dataset of this.parts.datasets.context.catalog.all()) {
      const { tree } = dataset;
      if (tree.parent !== null && (this.leftAlone.get(tree) ?? 0) <= nowMs) yield dataset;
    }
  }
}
