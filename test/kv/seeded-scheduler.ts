import { type SeededRandom, upTo } from './seeded-random.ts';

/** Who decides when the asynchronous work of a store under test completes. */
export interface Scheduler {
  later(what: string, complete: () => void): void;
}

/** Completes as the event loop comes by: for tests that are not about interleavings. */
export const promptScheduler: Scheduler = { later: (_, complete) => void setImmediate(complete) };

/** Work that goes round in circles never ends by itself. */
const PATIENCE_STEPS = 100_000;

interface Pending {
  readonly what: string;
  readonly complete: () => void;
}

/** Completes one piece of work at a time, chosen by the seed, and lets everything that follows from it run. */
export class SeededScheduler implements Scheduler {
  readonly #random: SeededRandom;
  #pending: Pending[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  later(what: string, complete: () => void): void {
    this.#pending.push({ what, complete });
  }

  /** What waits to be completed. */
  get pending(): readonly string[] {
    return this.#pending.map(({ what }) => what);
  }

  /** Whether there was anything to complete. */
  async step(): Promise<boolean> {
    await reactions();
    const [chosen] = this.#pending.splice(upTo(this.#random, this.#pending.length - 1), 1);
    if (!chosen) return false;
    chosen.complete();
    await reactions();
    return true;
  }

  /** Steps until the promise settles, and gives what it gives. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    await reactions();
    for (let steps = 0; !settled; steps++) {
      if (steps === PATIENCE_STEPS)
        throw new Error(
          `The promise has not settled after ${steps} steps; pending are ${this.pending.join(', ')}`,
        );
      if (!(await this.step()) && !settled)
        throw new Error('Nothing is pending, and the promise has not settled');
    }
    return promise;
  }

  /** Steps until nothing is pending. */
  async settle(): Promise<void> {
    while (await this.step());
  }

  /** Forgets what is pending: the process that waited for it is gone. */
  discard(): void {
    this.#pending = [];
  }
}

/** Lets every promise reaction that can run do so. */
function reactions(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
