// Gives back, in the background, what nobody names any more: chunks of data ids that files have given up, segments
// without a live frame, and the space that LevelDB keeps for deleted keys. Each step is bounded and resumable.

import type { Clock, Timer } from '../clock.ts';
import { BackgroundLoop } from './background-loop.ts';
import { drainTombstones } from './drain.ts';
import { repackDeadest, repackSegments } from './repack.ts';
import { deleteDeadSegments, deleteUnnamedSegments } from './segment-cleanup.ts';
import type { SegmentLog } from './segment-log.ts';
import type { Log, Store } from './store.ts';

/** So many rows written or deleted are worth a compaction, once things are quiet. */
const COMPACT_ROWS = 50_000;
/** Quiet is: no wake for so long. */
const QUIET_MS = 5000;
/** More batches than these in that time are somebody's work, which copies would be in the way of. */
const QUIET_BATCHES = 50;
const SOON_MS = 1000;
/** An open segment is ended for what is dead in it when that is as much, and half of it or too much in all. */
const DEAD_BYTES_MIN = 4 * 2 ** 20;
/** Retry after an error that was no poison. */
const RETRY_MS = 5000;

export interface ReclaimerOptions {
  readonly store: Store;
  readonly segmentLog: SegmentLog;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ReclaimerStatistics {
  drained: number;
  segmentsDeleted: number;
  framesMoved: number;
  compactions: number;
}

export class Reclaimer {
  readonly statistics: ReclaimerStatistics = {
    drained: 0,
    segmentsDeleted: 0,
    framesMoved: 0,
    compactions: 0,
  };
  private readonly options: ReclaimerOptions;
  private readonly loop: BackgroundLoop;
  private timer: Timer | null = null;
  private soon: Timer | null = null;
  /** The next round is one for what costs much. */
  private quiet = false;
  private compactedRows = 0;
  /** At the last look whether it is quiet. */
  private batches = 0;

  constructor(options: ReclaimerOptions) {
    this.options = options;
    this.loop = new BackgroundLoop(
      () => (this.quiet ? this.tidyUp() : this.reclaim()),
      (error) => this.retry(error),
    );
  }

  /** Deletes the files that no batch came to name before the last run ended; then goes on with what it left. */
  async start(): Promise<void> {
    const { store, segmentLog } = this.options;
    await deleteUnnamedSegments(store, segmentLog);
    store.live.onReclaimable = () => this.wakeSoon();
    this.wake();
  }

  /** There is something to do. */
  wake(): void {
    this.quiet = false;
    this.loop.wake();
  }

  /** Resolves when nothing is left to do now. */
  idle(): Promise<void> {
    return this.loop.idle();
  }

  /** Nothing is given back until {@link resume}: what is read meanwhile stays where it is. */
  pause(): Promise<void> {
    this.loop.pause();
    return this.loop.idle();
  }

  resume(): void {
    this.loop.resume();
  }

  /** Ends after the step under way. */
  stop(): Promise<void> {
    this.timer?.cancel();
    this.soon?.cancel();
    return this.loop.stop();
  }

  /** Segments have lost frames; many batches do that one after the other. */
  private wakeSoon(): void {
    if (this.loop.stopped) return;
    this.soon ??= this.options.clock.after(SOON_MS, () => {
      this.soon = null;
      this.wake();
    });
  }

  private async reclaim(): Promise<void> {
    this.timer?.cancel();
    const { store, segmentLog } = this.options;
    const { statistics } = this;
    const isStopped = () => this.loop.stopped;
    // What is staged already must be in the pages that the steps read.
    await store.durable(store.ticket);
    statistics.drained += await drainTombstones(store, isStopped);
    statistics.segmentsDeleted += await deleteDeadSegments(store, segmentLog, isStopped);
    statistics.framesMoved += await repackSegments(store, segmentLog, isStopped);
    statistics.segmentsDeleted += await deleteDeadSegments(store, segmentLog, isStopped);
    this.tidyUpLater();
  }

  private tidyUpLater(): void {
    this.batches = this.options.store.statistics.batches;
    this.later(QUIET_MS, () => {
      this.quiet = true;
      this.loop.wake();
    });
  }

  private async tidyUp(): Promise<void> {
    this.quiet = false;
    const { store, segmentLog, log } = this.options;
    const open = segmentLog.openSegment;
    const liveBytes = open ? (store.live.segments.get(open.id)?.liveBytes ?? 0) : 0;
    const isDeadEnough = open && (liveBytes < open.bytes / 2 || store.live.hasTooMuchDead);
    if (open && isDeadEnough && open.bytes - liveBytes >= DEAD_BYTES_MIN) {
      await segmentLog.rollOver();
      this.wake();
      return;
    }
    if (store.live.hasTooMuchDead) {
      if (store.statistics.batches - this.batches > QUIET_BATCHES) {
        this.tidyUpLater();
        return;
      }
      const moved = await repackDeadest(store, segmentLog, () => this.loop.stopped);
      this.statistics.framesMoved += moved;
      if (moved > 0) {
        this.wake();
        return;
      }
    }
    const { rows } = store.statistics;
    if (rows - this.compactedRows < COMPACT_ROWS) return;
    this.compactedRows = rows;
    this.statistics.compactions++;
    const compacted = store.parts.meta.compact();
    await compacted.catch((error: unknown) =>
      log.warn({ err: error }, 'The metadata could not be compacted'),
    );
  }

  private retry(error: unknown): void {
    const { store, log } = this.options;
    if (store.poisoned) return;
    log.error({ err: error }, 'Space could not be given back; it is tried again');
    this.later(RETRY_MS, () => this.wake());
  }

  private later(delayMs: number, task: () => void): void {
    this.timer?.cancel();
    if (!this.loop.stopped) this.timer = this.options.clock.after(delayMs, task);
  }
}
