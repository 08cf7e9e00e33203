// The snapshots of datasets that were deleted. With the dataset they are nobody's from one batch on, which writes one JOB
// row however many they are; their rows, and the generations that they hold, go in the background, a page a batch. A
// page that is gone is not found again, so a crash needs no cursor. The row of the list goes with that of the job.

import type { Clock } from '../clock.ts';
import { DatasetError } from '../datasets/datasets.ts';
import { encodeJob } from '../datasets/job-record.ts';
import { BackgroundLoop } from '../fs/background-loop.ts';
import { snapshotHolder } from '../fs/holder.ts';
import { stageRelease } from '../fs/holds.ts';
import type { Store } from '../fs/store.ts';
import { keys } from '../kv/keys.ts';
import type { JobInfo, JobSource } from './jobs/jobs.ts';
import { decodeSnapshot } from './snapshot-record.ts';
import { FIRST_ID, listRowWithout } from './snapshot-rows.ts';

/** Snapshots of one batch: what other operations may have to wait for. */
const SNAPSHOTS_A_BATCH = 128;

/** A dataset that is gone, and how many snapshots it left. */
export interface Dropped {
  readonly job: number;
  readonly dataset: number;
  readonly snapshots: number;
}

interface Job extends Dropped {
  readonly startedAt: number;
  released: number;
}

export class DroppedSnapshots implements JobSource {
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly all: Job[];
  private readonly loop: BackgroundLoop;

  /** @param left by an earlier run */
  constructor(store: Store, clock: Clock, left: readonly Dropped[]) {
    this.store = store;
    this.clock = clock;
    this.all = left.map((dropped) => this.begun(dropped));
    this.loop = new BackgroundLoop(
      () => this.releaseAll(),
      (error) => {
        if (store.poisoned) return;
        const message = 'Cannot let go of the snapshots of deleted datasets before the next start';
        store.parts.log.error({ err: error }, message);
      },
    );
    this.loop.pause();
    this.loop.wake();
  }

  start(): void {
    this.loop.resume();
  }

  /** Staged in the turn in which the dataset goes. */
  drop(dropped: Dropped): void {
    const { job, dataset } = dropped;
    const value = encodeJob({ kind: 'drop-snapshots', dataset });
    this.store.stageRows([{ key: keys.job.key(job), value }]);
    this.all.push(this.begun(dropped));
    this.loop.wake();
  }

  jobs(): readonly JobInfo[] {
    return this.all.map(({ job, dataset, snapshots, released, startedAt }) => ({
      id: String(job),
      kind: 'delete',
      subject: `the snapshots of deleted dataset ${dataset}`,
      state: 'running',
      unit: 'records',
      done: released,
      total: snapshots,
      startedAt,
      message: '',
    }));
  }

  async cancel(id: string): Promise<boolean> {
    if (!this.all.some(({ job }) => String(job) === id)) return false;
    throw new DatasetError('busy', `Job ${id} takes back what was deleted: it cannot be called off`);
  }

  /** Resolves when none is left. */
  idle(): Promise<void> {
    return this.loop.idle();
  }

  /** Ends after the batch under way; the next start goes on. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  private begun(dropped: Dropped): Job {
    return { ...dropped, startedAt: this.clock.now().seconds, released: 0 };
  }

  private async releaseAll(): Promise<void> {
    // What was staged before a dataset went must be in the pages.
    await this.store.durable(this.store.ticket);
    for (const job of [...this.all]) if (!(await this.releaseAllOf(job))) return;
  }

  /** False when it was stopped. */
  private async releaseAllOf(job: Job): Promise<boolean> {
    const { store, loop } = this;
    const range = { gte: keys.snapshot.key(job.dataset, FIRST_ID), lt: keys.snapshot.range(job.dataset).lt };
    for (;;) {
      const rows = await store.page(range, SNAPSHOTS_A_BATCH);
      if (loop.stopped) return false;
      for (const [key, value] of rows) this.release(job.dataset, key, value);
      const isLast = rows.length < SNAPSHOTS_A_BATCH;
      if (isLast) store.stageRows([listRowWithout(job.dataset), { key: keys.job.key(job.job), value: null }]);
      await store.durable(store.ticket);
      job.released += rows.length;
      if (!isLast) continue;
      this.all.splice(this.all.indexOf(job), 1);
      return true;
    }
  }

  private release(dataset: number, key: Buffer, value: Buffer): void {
    const { store } = this;
    const { snapshot: id } = keys.snapshot.parse(key);
    const { tree, generation } = decodeSnapshot(`snapshot ${id} of deleted dataset ${dataset}`, value);
    store.stageRows([{ key, value: null }]);
    stageRelease(store, store.trees.get(tree)!, generation, snapshotHolder(dataset, id));
  }
}
