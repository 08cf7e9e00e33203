// Deletes snapshots and clones whose time is over. A held snapshot stays until it is released; a clone that cannot go
// now, because others are nested in it or it is the default dataset, is tried again. What came due while nothing ran
// goes at start.

import type { Clock, Timer } from '../clock.ts';
import type { DatasetEntry } from '../datasets/dataset-entry.ts';
import { DatasetError } from '../datasets/datasets.ts';
import { BackgroundLoop } from '../fs/background-loop.ts';
import type { Log } from '../fs/store.ts';
import type { SnapshotContext } from './snapshot-context.ts';
import { deleteSnapshots } from './snapshot-delete.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';

/** The wall clock may be set meanwhile: never sleep longer than this before looking at it again. */
const LOOK_MS = 60_000;

export class ExpiryWatch {
  private readonly context: SnapshotContext;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly loop: BackgroundLoop;
  private timer: Timer | null = null;

  constructor(context: SnapshotContext, log: Log) {
    this.context = context;
    this.clock = context.shared.clock;
    this.log = log;
    this.loop = new BackgroundLoop(
      () => this.deleteDue().finally(() => this.arm()),
      (error) => log.error({ err: error }, 'Cannot delete what has expired; it stays'),
    );
    this.loop.pause();
  }

  start(): void {
    this.loop.resume();
    this.wake();
  }

  stop(): Promise<void> {
    this.timer?.cancel();
    return this.loop.stop();
  }

  /** Something has an expiry now, or is no longer held. */
  wake(): void {
    this.loop.wake();
  }

  /** Resolves when all that is due now is deleted. */
  idle(): Promise<void> {
    return this.loop.idle();
  }

  private async deleteDue(): Promise<void> {
    // What comes due or is released while this deletes is seen by the next round.
    for (let due = this.dueSnapshots(); due.length > 0 && !this.loop.stopped; due = this.dueSnapshots()) {
      await deleteSnapshots(this.context, due);
    }
    for (const { name } of this.dueDatasets()) await this.deleteDataset(name);
  }

  private async deleteDataset(name: string): Promise<void> {
    try {
      await this.context.registry.delete(name, false);
    } catch (error) {
      if (!(error instanceof DatasetError)) throw error;
      this.log.warn({ dataset: name }, `The time of dataset ${name} is over, but: ${error.message}`);
    }
  }

  private arm(): void {
    this.timer?.cancel();
    if (this.loop.stopped) return;
    let next = Number.POSITIVE_INFINITY;
    for (const { record, isHeld } of this.snapshots())
      if (!isHeld) next = Math.min(next, record.expiresAt ?? next);
    for (const { record } of this.context.datasets.catalog.all())
      next = Math.min(next, record.expiresAt ?? next);
    if (next === Number.POSITIVE_INFINITY) return;
    const { seconds, nanoseconds } = this.clock.now();
    const waitMs = (next - seconds) * 1000 - nanoseconds / 1e6;
    // What is due still could not be deleted: not at once again.
    const delayMs = waitMs <= 0 ? LOOK_MS : Math.min(Math.ceil(waitMs), LOOK_MS);
    this.timer = this.clock.after(delayMs, () => this.wake());
  }

  private dueSnapshots(): SnapshotEntry[] {
    const { seconds } = this.clock.now();
    return [...this.snapshots()].filter(
      ({ record, isHeld }) => record.expiresAt !== null && record.expiresAt <= seconds && !isHeld,
    );
  }

  private dueDatasets(): DatasetEntry[] {
    const { seconds } = this.clock.now();
    const due = [...this.context.datasets.catalog.all()].filter(
      ({ record }) => record.expiresAt !== null && record.expiresAt <= seconds,
    );
    // Those nested in others first.
    return due.sort((a, b) => b.name.length - a.name.length);
  }

  private *snapshots(): Generator<SnapshotEntry> {
    for (const { entries } of this.context.lists.values()) yield* entries;
  }
}
