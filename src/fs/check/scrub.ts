// Looks for damage that nobody has met yet, in the background and slowly: every block of LevelDB's tables, the checksum
// of every record, and every live byte of the segments. What it finds goes to the log; `cairn check` says more.

import type { Clock, Timer } from '../../clock.ts';
import { Deferred } from '../../deferred.ts';
import { keys } from '../../kv/keys.ts';
import { checkTables } from '../../kv/level/level-files.ts';
import { attempt } from '../attempt.ts';
import { decodeChunk } from '../chunk-codec.ts';
import { framesOf } from '../chunk-map.ts';
import { frameExtent } from '../extent.ts';
import { readExtents } from '../extent-reader.ts';
import { FsError } from '../fs-error.ts';
import type { Store } from '../store.ts';
import { DamageError, verify } from '../versioned-value.ts';
import { tableFinding } from './table-findings.ts';

/** After a start, and then after the end of each round. */
const FIRST_MS = 10 * 60_000;
const EVERY_MS = 24 * 3_600_000;
/** Work between pauses, and their length: a small share of one core and of the disk. */
const STEP_BYTES = 2 * 2 ** 20;
const PAUSE_MS = 100;
/** A row or a block counts as so many bytes. */
const ROW_BYTES = 512;
const BLOCK_BYTES = 4096;

/** Families whose values have the versioned envelope. */
const VERSIONED = [keys.inode, keys.dirEntry, keys.link, keys.history] as const;

export interface ScrubOptions {
  readonly store: Store;
  /** Of LevelDB; undefined where the metadata is elsewhere. */
  readonly metaPath: string | undefined;
  readonly clock: Clock;
}

export class Scrub {
  /** Damaged things found in all rounds. */
  found = 0;
  rounds = 0;
  private readonly options: ScrubOptions;
  private timer: Timer | null = null;
  private running: Promise<void> | null = null;
  private pause: { readonly over: Deferred; readonly timer: Timer } | null = null;
  private stopped = false;
  private work = 0;

  constructor(options: ScrubOptions) {
    this.options = options;
  }

  start(): void {
    this.later(FIRST_MS);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    this.pause?.timer.cancel();
    this.pause?.over.resolve();
    await this.running;
  }

  /** One round. */
  async run(): Promise<void> {
    try {
      await this.tables();
      await this.rows();
      await this.chunks();
      this.rounds++;
    } catch (error) {
      this.options.store.parts.log.error(
        { err: error },
        'The scrub could not go on; it is tried again tomorrow',
      );
    }
    this.later(EVERY_MS);
  }

  private later(delayMs: number): void {
    if (this.stopped) return;
    this.timer = this.options.clock.after(delayMs, () => {
      this.running = this.run();
    });
  }

  private async tables(): Promise<void> {
    const { metaPath } = this.options;
    if (metaPath === undefined) return;
    for await (const damage of checkTables(metaPath)) {
      if (damage) this.report({ hurt: tableFinding(damage).message }, 'a table of the metadata');
      if (!(await this.paced(BLOCK_BYTES))) return;
    }
  }

  private async rows(): Promise<void> {
    const { meta } = this.options.store.parts;
    for (const family of VERSIONED) {
      for await (const [key, value] of meta.rows(family.range())) {
        try {
          verify(value, 'a record');
        } catch (error) {
          this.report({ err: error, key: key.toString('hex') }, 'a record of the metadata');
        }
        if (!(await this.paced(ROW_BYTES))) return;
      }
    }
  }

  private async chunks(): Promise<void> {
    const { store } = this.options;
    for await (const [key, value] of store.parts.meta.rows(keys.chunk.range())) {
      try {
        verify(value, 'a map');
        for (const frame of framesOf(decodeChunk(value)).values()) {
          // Given up since the page was read: then its bytes may be gone as well.
          if (!store.isFrameLive(frame)) continue;
          await attempt(() => readExtents(store, [frameExtent(0, frame)]));
          if (!(await this.paced(frame.storedBytes))) return;
        }
      } catch (error) {
        if (!(error instanceof DamageError) && !(error instanceof FsError)) throw error;
        this.report({ err: error, key: key.toString('hex') }, 'the data of a file');
      }
      if (!(await this.paced(ROW_BYTES))) return;
    }
  }

  private report(details: object, what: string): void {
    this.found++;
    this.options.store.parts.log.error(details, `The scrub has found damage in ${what}; see "cairn check"`);
  }

  /** False when it is time to stop. */
  private async paced(bytes: number): Promise<boolean> {
    this.work += bytes;
    if (this.work < STEP_BYTES) return !this.stopped;
    this.work = 0;
    const over = new Deferred();
    this.pause = { over, timer: this.options.clock.after(PAUSE_MS, () => over.resolve()) };
    if (this.stopped) over.resolve();
    await over.promise;
    this.pause = null;
    return !this.stopped;
  }
}
