// Gives back, in the background, what nobody names any more: chunks of data ids that files have given up, segments
// without a live frame, and the space that LevelDB keeps for deleted keys. Each step is bounded and resumable.

import type { Clock, Timer } from '../clock.ts';
import { drainTombstones } from './drain.ts';
import { repackSegments } from './repack.ts';
import { deleteDeadSegments, deleteUnnamedSegments } from './segment-cleanup.ts';
import type { SegmentLog } from './segment-log.ts';
import type { Log, Store } from './store.ts';

/** So many rows written or deleted are worth a compaction, once things are quiet. */
const COMPACT_ROWS = 50_000;
/** Quiet is: no wake for so long. */
const QUIET_MS = 5000;
const SOON_MS = 1000;
/** An open segment is ended for what is dead in it when that is as much. */
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
  private running: Promise<void> | null = null;
  private again = false;
  private stopped = false;
  private paused = 0;
  private timer: Timer | null = null;
  private soon: Timer | null = null;
  private compactedRows = 0;

  constructor(options: ReclaimerOptions) {
    this.options = options;
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
    if (this.stopped) return;
    this.again = true;
    if (this.paused > 0) return;
    this.running ??= this.run().finally(() => {
      this.running = null;
    });
  }

  /** Segments have lost frames; many batches do that one after the other. */
  private wakeSoon(): void {
    if (this.again || this.stopped) return;
    this.soon ??= this.options.clock.after(SOON_MS, () => {
      this.soon = null;
      this.wake();
    });
  }

  /** Resolves when nothing is left to do now. */
  async idle(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  /** Nothing is given back until {@link resume}: what is read meanwhile stays where it is. */
  async pause(): Promise<void> {
    this.paused++;
    await this.idle();
  }

  resume(): void {
    this.paused--;
    if (this.paused === 0 && this.again) this.wake();
  }

  /** Ends after the step under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    this.soon?.cancel();
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      while (this.again && !this.stopped && this.paused === 0) {
        this.again = false;
        await this.reclaim();
      }
      this.later(QUIET_MS, () => this.quiet());
    } catch (error) {
      const { store, log } = this.options;
      if (store.poisoned) return;
      log.error({ err: error }, 'Space could not be given back; it is tried again');
      this.later(RETRY_MS, () => this.wake());
    }
  }

  private async reclaim(): Promise<void> {
    const { store, segmentLog } = this.options;
    const { statistics } = this;
    const isStopped = () => this.stopped;
    // What is staged already must be in the pages that the steps read.
    await store.durable(store.ticket);
    statistics.drained += await drainTombstones(store, isStopped);
    statistics.segmentsDeleted += await deleteDeadSegments(store, segmentLog, isStopped);
    statistics.framesMoved += await repackSegments(store, segmentLog, isStopped);
    statistics.segmentsDeleted += await deleteDeadSegments(store, segmentLog, isStopped);
  }

  /** Nothing happened for a while: now is the time for what costs much. */
  private async quiet(): Promise<void> {
    if (this.stopped || this.paused > 0 || this.running !== null) return;
    const { store, segmentLog } = this.options;
    const open = segmentLog.openSegment;
    const liveBytes = open ? (store.live.segments.get(open.id)?.liveBytes ?? 0) : 0;
    if (open && liveBytes < open.bytes / 2 && open.bytes - liveBytes >= DEAD_BYTES_MIN) {
      await segmentLog.rollOver();
      this.wake();
      return;
    }
    const { rows } = store.statistics;
    if (rows - this.compactedRows < COMPACT_ROWS) return;
    this.compactedRows = rows;
    this.running = store.parts.meta
      .compact()
      .catch((error: unknown) => this.options.log.warn({ err: error }, 'The metadata could not be compacted'))
      .finally(() => {
        this.running = null;
        if (this.again) this.wake();
      });
    this.statistics.compactions++;
    await this.running;
  }

  private later(delayMs: number, task: () => unknown): void {
    this.timer?.cancel();
    if (!this.stopped) this.timer = this.options.clock.after(delayMs, () => void task());
  }
}
