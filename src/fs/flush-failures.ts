// Files whose flush has failed: when each is tried again, and what the log says of it.
//
// Every attempt writes all that waits into a new segment. So those that nobody waits for come less and less often; who
// waits for one (a COMMIT, a snapshot) has it tried at once. The log has a line when the flushes of a volume begin to
// fail, one for each other kind of error, and one when it is over: on a full disk every file fails at every attempt.

import type { Clock } from '../clock.ts';
import type { DirtyFile } from './dirty-file.ts';
import type { Log } from './store.ts';

/** Doubled with each failure in a row, up to the greatest. */
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5000;

interface Failing {
  readonly count: number;
  retryAtMs: number;
}

export class FlushFailures {
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly failing = new Map<DirtyFile, Failing>();
  /** Of the errors that the log has since flushes began to fail. */
  private readonly logged = new Set<string>();
  private sinceMs = 0;

  constructor(clock: Clock, log: Log) {
    this.clock = clock;
    this.log = log;
  }

  get isEmpty(): boolean {
    return this.failing.size === 0;
  }

  failed(file: DirtyFile, error: unknown): void {
    const nowMs = this.clock.elapsedMs();
    if (this.failing.size === 0) this.sinceMs = nowMs;
    const count = (this.failing.get(file)?.count ?? 0) + 1;
    const intervalMs = Math.min(RETRY_MIN_MS * 2 ** (count - 1), RETRY_MAX_MS);
    this.failing.set(file, { count, retryAtMs: nowMs + intervalMs });
    const kind = kindOf(error);
    if (this.logged.has(kind)) return;
    this.logged.add(kind);
    const details = { err: error, tree: file.records.tree.id, ino: file.ino };
    this.log.error(
      details,
      'File data cannot be written to its segment: it stays in memory and is tried again',
    );
  }

  /** What cannot be written at the moment may be from now on: all that wait for their next attempt have it now. */
  succeeded(file: DirtyFile): void {
    if (!this.failing.has(file)) return;
    const nowMs = this.clock.elapsedMs();
    for (const one of this.failing.values()) one.retryAtMs = nowMs;
    this.over(file);
  }

  /** Nothing of the file waits any more, written or not. */
  over(file: DirtyFile): void {
    if (!this.failing.delete(file) || this.failing.size > 0) return;
    this.logged.clear();
    const seconds = Math.round((this.clock.elapsedMs() - this.sinceMs) / 1000);
    this.log.info({ seconds }, 'No file data waits any more that could not be written to its segment');
  }

  /** Whether a flush that nobody waits for comes later. */
  isPutOff(file: DirtyFile): boolean {
    const failing = this.failing.get(file);
    return failing !== undefined && this.clock.elapsedMs() < failing.retryAtMs;
  }
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
