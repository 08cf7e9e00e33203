// A clock that goes when a test says so.

import type { Clock, Timer, Timestamp } from '../../src/clock.ts';

export class ManualClock implements Clock {
  #ms = 0;
  readonly #tasks = new Set<{ readonly dueMs: number; run(): void }>();

  now(): Timestamp {
    return { seconds: 1_700_000_000 + Math.floor(this.#ms / 1000), nanoseconds: (this.#ms % 1000) * 1e6 };
  }

  elapsedMs(): number {
    return this.#ms;
  }

  after(delayMs: number, run: () => void): Timer {
    const task = { dueMs: this.#ms + delayMs, run };
    this.#tasks.add(task);
    return { cancel: () => this.#tasks.delete(task) };
  }

  /** Lets `ms` pass and runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.#ms + ms;
    for (;;) {
      const [next] = [...this.#tasks].filter(({ dueMs }) => dueMs <= end).sort((a, b) => a.dueMs - b.dueMs);
      if (!next) break;
      this.#tasks.delete(next);
      this.#ms = next.dueMs;
      next.run();
    }
    this.#ms = end;
  }
}
