// A MetaStore that crashes. Batches are applied in the order of the calls; each completes when the scheduler says so.
// A crash keeps every batch that a durable one covers, and of the others, in flight or not synced, the first few.

import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import type { MetaStore, Range, Row, Write } from '../../src/kv/meta-store.ts';
import { type SeededRandom, upTo } from './seeded-random.ts';
import type { Scheduler } from './seeded-scheduler.ts';

/** `power`: what was not synced may be lost. `process`: the system keeps what it was given. */
export type Crash = 'power' | 'process';

interface Batch {
  readonly writes: readonly Write[];
  readonly durable: boolean;
  /** Puts everything back as it was before; there once the batch is applied. */
  undo?: Write[];
  resolve(): void;
  reject(error: Error): void;
}

/** Rows that {@link CrashingMetaStore.rows} brings at once. */
const PAGE_ROWS = 10;

export class CrashingMetaStore implements MetaStore {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #live: MemoryMetaStore;
  #inFlight: Batch[] = [];
  #unsynced: Batch[] = [];
  /** The batch whose write failed: nobody knows whether it is on the disk. */
  #doubtful: Batch | undefined;
  #failNext = false;
  #crashed = false;

  constructor(scheduler: Scheduler, random: SeededRandom, live = new MemoryMetaStore()) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#live = live;
  }

  /** The next batch to complete is rejected, and all after it. */
  failNextWrite(): void {
    this.#failNext = true;
  }

  /** The store that the next start finds. Nothing that waits on this one is ever answered. */
  crash(kind: Crash): CrashingMetaStore {
    this.#crashed = true;
    const sure = kind === 'process' ? this.#unsynced.length : 0;
    const batches = [...this.#unsynced, ...(this.#doubtful ? [this.#doubtful] : []), ...this.#inFlight];
    const kept = sure + upTo(this.#random, batches.length - sure);
    for (const batch of batches.slice(kept).reverse())
      if (batch.undo) void this.#live.write(batch.undo, true);
    for (const batch of batches.slice(0, kept)) if (!batch.undo) this.#apply(batch);
    return new CrashingMetaStore(this.#scheduler, this.#random, this.#live);
  }

  get(key: Buffer): Buffer | undefined {
    return this.#live.get(key);
  }

  fetch(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    return this.#later('fetch', this.#live.fetch(keys));
  }

  page(range: Range, limit: number): Promise<Row[]> {
    return this.#later('page', this.#live.page(range, limit));
  }

  rows(range: Range): AsyncIterable<Row> {
    const rows = this.#live.rows(range);
    const pause = () => this.#later('rows', Promise.resolve());
    return {
      async *[Symbol.asyncIterator]() {
        let count = 0;
        for await (const row of rows) {
          if (count++ % PAGE_ROWS === 0) await pause();
          yield row;
        }
      },
    };
  }

  write(batch: readonly Write[], durable: boolean): Promise<void> {
    if (this.#doubtful) return Promise.reject(new Error('Cannot write: an earlier batch failed'));
    const writes = batch.map(({ key, value }) => ({
      key: Buffer.from(key),
      value: value && Buffer.from(value),
    }));
    return new Promise((resolve, reject) => {
      const waiting: Batch = { writes: writes as Write[], durable, resolve, reject };
      this.#inFlight.push(waiting);
      if (this.#inFlight.length > 1) return;
      // A batch may be seen before it completes; only the first may, as each is undone in turn.
      if (this.#random() < 0.5) this.#apply(waiting);
      this.#scheduleFirst();
    });
  }

  compact(): Promise<void> {
    return this.#later('compact', Promise.resolve());
  }

  close(): Promise<void> {
    return this.#later('close', Promise.resolve());
  }

  #scheduleFirst(): void {
    this.#scheduler.later('write', () => {
      if (this.#crashed) return;
      if (this.#failNext) this.#fail();
      else this.#completeFirst();
    });
  }

  #completeFirst(): void {
    const batch = this.#inFlight.shift()!;
    if (!batch.undo) this.#apply(batch);
    if (batch.durable) this.#unsynced = [];
    else this.#unsynced.push(batch);
    batch.resolve();
    if (this.#inFlight.length > 0) this.#scheduleFirst();
  }

  #fail(): void {
    this.#doubtful = this.#inFlight[0];
    for (const { reject } of this.#inFlight) reject(new Error('Cannot write: the disk failed'));
    this.#inFlight = [];
  }

  #apply(batch: Batch): void {
    batch.undo = batch.writes.map(({ key }) => ({ key, value: this.#live.get(key) ?? null }));
    void this.#live.write(batch.writes, batch.durable);
  }

  #later<T>(what: string, value: Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      this.#scheduler.later(what, () => {
        if (!this.#crashed) resolve(value);
      });
    });
  }
}
