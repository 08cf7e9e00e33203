// Dirty data of a whole volume: how much may wait, when it is flushed, and what space is promised to it.
//
// WRITE reserves space here, so that a flush never fails for want of it. A full budget delays replies; it never grows.

import type { Clock, Timer } from '../clock.ts';
import { Deferred } from '../deferred.ts';
import { Wait } from './attempt.ts';
import {
  DirtyFile,
  FLUSH_WINDOWS,
  type Flusher,
  type FlushWindows,
  type WriteEffects,
  waitingCost,
} from './dirty-file.ts';
import type { DirtyPiece } from './dirty-ranges.ts';
import { DiskSpace } from './disk-space.ts';
import { Flush } from './flush.ts';
import { FlushFailures } from './flush-failures.ts';
import { FsError } from './fs-error.ts';
import type { InodeRecord } from './inode-record.ts';
import type { Records } from './records.ts';
import type { SegmentLog } from './segment-log.ts';
import type { Log, Store } from './store.ts';
import type { Tree } from './tree.ts';
import type { Turn } from './turn.ts';

/**
 * A file with so much waiting is flushed while its client goes on. A large flush syncs more at once, and of random writes
 * it puts more into each window: with a quarter of it, 14.6k instead of 22.5k writes of 4 KiB a second.
 */
const FLUSH_BYTES = 32 * 2 ** 20;
/** What nobody commits is flushed after this time. */
const FLUSH_AGE_MS = 5000;
const AGE_CHECK_MS = 1000;
/** Flushes in a row that may fail before those who wait for one are told. */
const FAILURES_MAX = 3;
/** A snapshot that cannot be finished is given up after {@link FAILURES_MAX}; who waits for its data finds that. */
const OLDER_FAILURES_MAX = 2 * FAILURES_MAX;
/** Between two attempts at what somebody waits for. Others come less often: see flush-failures.ts. */
const RETRY_MS = 100;
/** What an inode and its name take at most, with their copies in the log and in the tables. */
const INODE_BYTES = 4096;

export interface WriteBackOptions {
  readonly store: Store;
  readonly segmentLog: SegmentLog;
  readonly clock: Clock;
  readonly log: Log;
  /** The budget: bytes that may wait, with what keeping them costs. */
  readonly dirtyBytesMax: number;
  readonly diskReserveBytes: number;
  /** {@link FLUSH_WINDOWS} unless given. */
  readonly flushWindows?: FlushWindows;
}

export class WriteBack implements Flusher {
  readonly flushWindows: FlushWindows;
  private readonly options: WriteBackOptions;
  private readonly space: DiskSpace;
  private readonly flushes: Flush;
  /** Those with waiting bytes, the longest waiting first. */
  private readonly files = new Set<DirtyFile>();
  private waitingBytes = 0;
  private date = 0;
  private progress = new Deferred();
  /** There is one while something waits, until nothing is flushed any more. */
  private ageTimer: Timer | null = null;
  private lookAtMs = 0;
  private readonly failures: FlushFailures;

  private constructor(options: WriteBackOptions, space: DiskSpace) {
    this.options = options;
    this.failures = new FlushFailures(options.clock, options.log);
    this.flushWindows = options.flushWindows ?? FLUSH_WINDOWS;
    this.space = space;
    this.flushes = new Flush(options.store, options.segmentLog, (bytes) => space.written(bytes));
  }

  static async open(options: WriteBackOptions): Promise<WriteBack> {
    let self: WriteBack | undefined;
    const space = await DiskSpace.open({
      freeBytes: () => options.store.parts.segments.freeBytes(),
      clock: options.clock,
      reserveBytes: options.diskReserveBytes,
      pendingBytes: () => self?.waitingBytes ?? 0,
    });
    self = new WriteBack(options, space);
    return self;
  }

  /** Bytes that wait, with what keeping them costs. */
  get dirtyBytes(): number {
    return this.waitingBytes;
  }

  get statistics() {
    return this.flushes.statistics;
  }

  /** Bytes that the disk can still take, the reserve left out. */
  freeBytes(): number {
    return this.space.availableBytes();
  }

  /** @throws FsError `ENOSPC` when there is no room for another inode. */
  checkInode(): void {
    this.space.claim(INODE_BYTES);
  }

  /**
   * Lets a write of `bytes` through that fills `growth` bytes of holes.
   * @throws Wait while the budget is full; FsError `ENOSPC`, `EDQUOT`
   */
  reserve(tree: Tree, bytes: number, growth: number): void {
    this.options.store.check();
    const cost = waitingCost(bytes, 1);
    if (this.waitingBytes > 0 && this.waitingBytes + cost > this.options.dirtyBytesMax) {
      this.flushLongestWaiting();
      throw new Wait(this.progress.promise);
    }
    this.space.claim(cost);
    if (growth > 0 && growth > tree.limits.availableBytes()) {
      throw new FsError('EDQUOT', 'The quota of the dataset has no room for the write');
    }
  }

  /** The date of a write or of a COMMIT: later ones have greater dates. */
  now(): number {
    return ++this.date;
  }

  /** Dirty state for a file that has none; it counts from its first {@link accept} on. */
  newFile(records: Records, ino: number): DirtyFile {
    return new DirtyFile(ino, records, this, this.options.clock.elapsedMs());
  }

  /** Takes in what {@link reserve} let through, in the same turn. */
  accept(file: DirtyFile, piece: DirtyPiece, effects: WriteEffects): void {
    const { tree } = file.records;
    tree.dirty.set(file.ino, file);
    file.write(tree.accept, piece, effects);
    if (file.costBytes >= FLUSH_BYTES && !file.flushing) this.inBackground(file);
    if (this.waitingBytes > this.options.dirtyBytesMax / 2) this.flushLongestWaiting();
    if (!this.ageTimer) this.look(AGE_CHECK_MS);
  }

  /** Runs once everything that was written before `date` is staged. @throws FsError `EIO` when it cannot be */
  async flushUntil(records: Records, ino: number, date: number): Promise<void> {
    for (let failures = 0; ; ) {
      const file = records.tree.dirty.get(ino);
      if (!file || file.oldest >= date) return;
      await this.flush(file);
      failures = this.countFailure(file, failures);
    }
  }

  /** All dirty data of a tree that was accepted before generation `accept`; all there is, for a clean stop. */
  async flushAll(tree: Tree, accept = Number.POSITIVE_INFINITY): Promise<void> {
    for (const file of [...tree.dirty.values()]) {
      for (let failures = 0; tree.dirty.get(file.ino) === file && file.isOlderThan(accept); ) {
        await this.flush(file);
        failures = this.countFailure(file, failures);
      }
    }
  }

  /** @throws FsError `EIO` when it cannot be stored, and a generation that shows it stays kept */
  async flushOlder(file: DirtyFile, accept: number): Promise<void> {
    for (let failures = 0; file.isOlderThan(accept) && file.isShownByKept(); ) {
      await this.flush(file);
      failures = this.countFailure(file, failures, OLDER_FAILURES_MAX);
    }
  }

  /** @throws FsError `EIO` to the one who waits, when so many flushes in a row have failed; the bytes stay in memory */
  private countFailure(file: DirtyFile, failures: number, failuresMax = FAILURES_MAX): number {
    if (!file.hasFailed) return 0;
    if (failures + 1 < failuresMax) return failures + 1;
    throw new FsError('EIO', 'File data cannot be written to its segment');
  }

  /** What a SETATTR or a stable write sets must not be covered by the time of an earlier write. */
  forgetTimes(turn: Turn, record: InodeRecord): void {
    const file = turn.tree.dirty.get(record.ino);
    if (file) turn.afterwardsDo(() => file.forgetTimes());
  }

  flush(file: DirtyFile): Promise<void> {
    file.flushing ??= this.run(file).finally(() => {
      file.flushing = null;
    });
    return file.flushing;
  }

  /** Keeps the books after every change of a file's dirty state. */
  changed(file: DirtyFile): void {
    file.records.tree.listedPages.changed(file.ino);
    const cost = file.cost();
    this.waitingBytes += cost - file.costBytes;
    const shrank = cost < file.costBytes;
    file.costBytes = cost;
    if (cost > 0) this.files.add(file);
    if (file.isEmpty) this.forget(file);
    if (shrank) this.madeProgress();
  }

  /** Nothing is flushed any more. */
  stop(): void {
    this.ageTimer?.cancel();
    this.ageTimer = null;
  }

  private forget(file: DirtyFile): void {
    this.files.delete(file);
    this.failures.over(file);
    const { dirty } = file.records.tree;
    if (dirty.get(file.ino) !== file) return;
    dirty.delete(file.ino);
    file.grow(-file.growth);
  }

  private async run(file: DirtyFile): Promise<void> {
    try {
      await this.flushes.run(file);
      file.hasFailed = false;
      this.failures.succeeded(file);
    } catch (error) {
      file.hasFailed = true;
      this.options.store.check();
      this.failures.failed(file, error);
      // The segment that failed holds nothing that counts. Each attempt makes another, until the disk is full of them.
      this.options.store.live.onReclaimable();
      await new Promise<void>((resolve) => this.options.clock.after(RETRY_MS, resolve));
    } finally {
      this.changed(file);
      this.madeProgress();
      if (this.ageTimer && file.hasFailed) this.look(RETRY_MS);
    }
  }

  private madeProgress(): void {
    const { progress } = this;
    this.progress = new Deferred();
    progress.resolve();
  }

  private flushLongestWaiting(): void {
    for (const file of this.files) {
      if (file.flushing || this.failures.isPutOff(file)) continue;
      this.inBackground(file);
      return;
    }
  }

  /** Unless it is put off. Failures are in the log, and the store's own poison everything after. */
  private inBackground(file: DirtyFile): void {
    if (this.failures.isPutOff(file)) return;
    this.flushLayer(file).catch(() => {});
  }

  /** All that waits in the oldest layer now, in as many flushes as that takes. */
  private async flushLayer(file: DirtyFile): Promise<void> {
    let due = file.flushesDue;
    do await this.flush(file);
    while (--due > 0 && !file.hasFailed);
  }

  /** After so long, or before, flushes what has waited for too long and what is to be tried again. */
  private look(delayMs: number): void {
    const { clock } = this.options;
    const atMs = clock.elapsedMs() + delayMs;
    if (this.ageTimer && this.lookAtMs <= atMs) return;
    this.ageTimer?.cancel();
    this.lookAtMs = atMs;
    this.ageTimer = clock.after(delayMs, () => {
      this.ageTimer = null;
      const due = clock.elapsedMs() - FLUSH_AGE_MS;
      for (const file of this.files) {
        if (!file.flushing && (file.hasFailed || file.sinceMs <= due)) this.inBackground(file);
      }
      if (this.files.size > 0) this.look(this.failures.isEmpty ? AGE_CHECK_MS : RETRY_MS);
    });
  }
}
