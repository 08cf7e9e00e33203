// Whether a write of the journal is made in this turn of the event loop, or by the thread pool.
//
// A write that the medium takes in 100 µs takes 300 by way of the pool: two threads have to be woken. Where everybody
// waits for that write anyway, the thread may as well wait for the medium itself. It must not when others have work for
// it, and not for a medium that is slow.

import type { Clock } from '../../clock.ts';

/** A medium that takes longer is left to the thread pool, */
const SLOW_MS = 1;
/** so many times as long as it took: the thread waits for a slow one for a tenth of the time at most. */
const PAUSE_FACTOR = 10;

export class WritesInTurn {
  private readonly clock: Pick<Clock, 'elapsedMs'>;
  private readonly isThreadFree: () => boolean;
  private pausedUntilMs = 0;

  /** @param isThreadFree whoever calls waits for this write, as far as is known */
  constructor(clock: Pick<Clock, 'elapsedMs'>, isThreadFree: () => boolean) {
    this.clock = clock;
    this.isThreadFree = isThreadFree;
  }

  get allowed(): boolean {
    return this.isThreadFree() && this.clock.elapsedMs() >= this.pausedUntilMs;
  }

  run(write: () => void): void {
    const startMs = this.clock.elapsedMs();
    try {
      write();
    } finally {
      const endMs = this.clock.elapsedMs();
      if (endMs - startMs > SLOW_MS) this.pausedUntilMs = endMs + PAUSE_FACTOR * (endMs - startMs);
    }
  }
}
