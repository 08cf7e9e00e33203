// What the disk can still take. The figure of the file system is asked for seldom and aged by what was promised since;
// before anything is refused, it is asked for again.
//
// A reserve stays free for what must work on a full disk: unlinking, truncating, deleting datasets, compaction and the
// flush of what was accepted.

import type { Clock } from '../clock.ts';
import { Wait } from './attempt.ts';
import { FsError } from './fs-error.ts';

/** How long a figure is good for while there is plenty. */
const FRESH_MS = 1000;
/** How old a figure may be that something is refused by. */
const REFUSAL_FRESH_MS = 100;

export interface DiskSpaceOptions {
  readonly freeBytes: () => Promise<number>;
  readonly clock: Clock;
  readonly reserveBytes: number;
  /** Accepted bytes that are not on the disk yet. */
  readonly pendingBytes: () => number;
}

export class DiskSpace {
  private readonly options: DiskSpaceOptions;
  private measuredBytes: number;
  private measuredMs: number;
  private measuring: Promise<void> | null = null;
  /** Written since the last measurement. */
  private writtenBytes = 0;

  private constructor(options: DiskSpaceOptions, measuredBytes: number) {
    this.options = options;
    this.measuredBytes = measuredBytes;
    this.measuredMs = options.clock.elapsedMs();
  }

  static async open(options: DiskSpaceOptions): Promise<DiskSpace> {
    return new DiskSpace(options, await options.freeBytes());
  }

  /** Bytes that may still be accepted. */
  availableBytes(): number {
    if (this.options.clock.elapsedMs() - this.measuredMs > FRESH_MS) this.measure().catch(() => {});
    const { pendingBytes, reserveBytes } = this.options;
    return Math.max(0, this.measuredBytes - this.writtenBytes - pendingBytes() - reserveBytes);
  }

  /**
   * Lets through what fits.
   * @throws Wait to be told how much there really is; FsError `ENOSPC`
   */
  claim(bytes: number): void {
    if (this.availableBytes() >= bytes) return;
    if (this.options.clock.elapsedMs() - this.measuredMs > REFUSAL_FRESH_MS) throw new Wait(this.measure());
    throw new FsError('ENOSPC', `The disk has no room for ${bytes} bytes beside its reserve`);
  }

  /** Bytes went to the disk. */
  written(bytes: number): void {
    this.writtenBytes += bytes;
  }

  private measure(): Promise<void> {
    this.measuring ??= this.ask().finally(() => {
      this.measuring = null;
    });
    return this.measuring;
  }

  private async ask(): Promise<void> {
    const before = this.writtenBytes;
    this.measuredBytes = await this.options.freeBytes();
    this.measuredMs = this.options.clock.elapsedMs();
    this.writtenBytes -= before;
  }
}
