// The one writer of the store. It takes everything that waits, builds one atomic batch, writes and syncs it, answers
// all, takes the next: group commit, a total order, and a crash leaves a prefix.
//
// After a failed write nothing more is acknowledged, because what a failed sync left on the medium is unknown
// (fsyncgate): the worker is poisoned until the process starts again from what is really there. Reads go on.

import type { Clock, Timer } from '../clock.ts';
import { Deferred } from '../deferred.ts';
import type { MetaStore } from '../kv/meta-store.ts';
import { Batch, RowNotResident } from './batch.ts';
import { FsError } from './fs-error.ts';
import type { QueuedItem } from './item.ts';
import { type OlderVersions, olderVersionsFor } from './key-history.ts';
import { keyId } from './key-id.ts';

/**
 * So many items make a batch that need not wait for more. Each batch costs as much as three items of its own (a trip to
 * the thread pool and back, a write to each socket): with 4 instead, 16 calls at a time are 5 to 20 % slower.
 */
const EARLY_ITEMS = 16;
/** More items than this do not wait for the delay. */
const QUEUE_MAX = 4096;

export interface CommitStatistics {
  batches: number;
  items: number;
  rows: number;
  writeMs: number;
  writeMsMax: number;
}

export interface CommitWorkerOptions {
  readonly meta: MetaStore;
  /** The longest time that an item waits for a batch which nobody has asked for; 0 is at once. */
  readonly delayMs: number;
  readonly clock: Clock;
  /** Writes an item into the batch so far. */
  readonly apply: (batch: Batch, item: QueuedItem) => void;
  /** The batch is in the store; its items' staged copies may go. */
  readonly applied: (items: readonly QueuedItem[], batch: Batch) => void;
  readonly failed: (error: unknown) => void;
}

export class CommitWorker {
  readonly statistics: CommitStatistics = { batches: 0, items: 0, rows: 0, writeMs: 0, writeMsMax: 0 };
  private readonly options: CommitWorkerOptions;
  private queue: QueuedItem[] = [];
  private running = false;
  /** Will run after this turn. */
  private scheduled = false;
  private writing = false;
  private delay: Timer | null = null;
  private durableTicket = 0;
  private flyingTicket = 0;
  private flying = new Deferred();
  private next = new Deferred();
  private failure: FsError | null = null;

  constructor(options: CommitWorkerOptions) {
    this.options = options;
  }

  /** @throws FsError `EIO` once the store is poisoned. */
  push(item: QueuedItem): void {
    if (this.failure) throw this.failure;
    this.queue.push(item);
    const { delayMs, clock } = this.options;
    if (delayMs === 0 || this.queue.length >= QUEUE_MAX) this.wake();
    else this.delay ??= clock.after(delayMs, () => this.wake());
  }

  /** @throws FsError `EIO` once the store is poisoned. */
  check(): void {
    if (this.failure) throw this.failure;
  }

  get poisoned(): boolean {
    return this.failure !== null;
  }

  /** Undefined when everything up to `ticket` is on stable storage; else when it will be. */
  durable(ticket: number): Promise<void> | undefined {
    if (ticket <= this.durableTicket) return undefined;
    if (this.failure) return Promise.reject(this.failure);
    if (this.writing && ticket <= this.flyingTicket) return this.flying.promise;
    this.wake();
    return this.next.promise;
  }

  /** Everything that waits is on stable storage. */
  async idle(): Promise<void> {
    while (this.writing || this.queue.length > 0) {
      this.wake();
      await this.turn();
    }
  }

  /** The end of the write that is under way, else of the next one. */
  private turn(): Promise<void> {
    return (this.writing ? this.flying : this.next).promise;
  }

  private wake(): void {
    this.delay?.cancel();
    this.delay = null;
    if (this.running || this.scheduled) return;
    this.scheduled = true;
    // After this turn, so that calls which arrived together share the batch.
    queueMicrotask(() => this.start());
  }

  /**
   * Begins with what waits, when that is worth a batch: the sync goes on while the calls that arrived together with
   * these are served. Only between operations, because one may stage several items for one batch.
   */
  startEarly(): void {
    if (this.scheduled && this.queue.length >= EARLY_ITEMS) this.start();
  }

  private start(): void {
    if (!this.scheduled) return;
    this.scheduled = false;
    this.running = true;
    void this.run();
  }

  private async run(): Promise<void> {
    try {
      while (this.queue.length > 0) await this.writeOne();
    } catch (error) {
      this.poison(error);
    }
    this.running = false;
  }

  private async writeOne(): Promise<void> {
    const { meta, clock, applied } = this.options;
    const items = this.queue;
    this.queue = [];
    const done = this.next;
    this.flying = done;
    this.next = new Deferred();
    const last = items[items.length - 1]!.ticket;
    this.flyingTicket = last;
    this.writing = true;
    const found = olderVersionsFor(meta, items);
    const older = found instanceof Promise ? await found : found;
    let batch = this.build(items, NONE_RESIDENT, older);
    if (batch instanceof RowNotResident) batch = await this.buildResident(items, batch, older);
    const writes = batch.close();
    const startMs = clock.elapsedMs();
    // A batch without rows stands behind those before it, and they are synced.
    if (writes.length > 0) await meta.write(writes, true);
    this.count(items.length, writes.length, clock.elapsedMs() - startMs);
    batch.install();
    this.writing = false;
    this.durableTicket = last;
    applied(items, batch);
    done.resolve();
  }

  private build(
    items: readonly QueuedItem[],
    resident: ReadonlyMap<string, Buffer | undefined>,
    older: OlderVersions,
  ): Batch | RowNotResident {
    const batch = new Batch(this.options.meta, resident, older);
    try {
      for (const item of items) this.options.apply(batch, item);
    } catch (thrown) {
      if (thrown instanceof RowNotResident) return thrown;
      throw thrown;
    }
    return batch;
  }

  /** Builds again with one more row fetched until no row is missing; this worker alone writes, so they stay true. */
  private async buildResident(
    items: readonly QueuedItem[],
    missing: RowNotResident,
    older: OlderVersions,
  ): Promise<Batch> {
    const resident = new Map<string, Buffer | undefined>();
    let result: Batch | RowNotResident = missing;
    while (result instanceof RowNotResident) {
      const [value] = await this.options.meta.fetch([result.key]);
      resident.set(keyId(result.key), value);
      result = this.build(items, resident, older);
    }
    return result;
  }

  private count(items: number, rows: number, ms: number): void {
    const { statistics } = this;
    statistics.batches++;
    statistics.items += items;
    statistics.rows += rows;
    statistics.writeMs += ms;
    statistics.writeMsMax = Math.max(statistics.writeMsMax, ms);
  }

  private poison(error: unknown): void {
    this.failure = new FsError(
      'EIO',
      'The store failed to write: nothing more is acknowledged until a restart',
      {
        cause: error,
      },
    );
    this.queue = [];
    this.options.failed(error);
    this.flying.reject(this.failure);
    this.next.reject(this.failure);
  }
}

const NONE_RESIDENT: ReadonlyMap<string, Buffer | undefined> = new Map();
