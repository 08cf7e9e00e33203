// Time and randomness as parameters: nothing else in src/ asks the machine for either, so that a test can replay
// a run from a seed.

import { randomBytes } from 'node:crypto';

export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time, for file times and records. */
  now(): Timestamp;
  /** Monotonic milliseconds, for ages and timeouts. */
  elapsedMs(): number;
  /** Runs `task` once after `delayMs`; a pending timer does not keep the process alive. */
  after(delayMs: number, task: () => void): Timer;
}

/** Unpredictable bytes: uuids, keys, verifiers, inode generations. */
export type Random = (bytes: number) => Buffer;

/** The system's wall clock counts whole milliseconds: what runs on between them may be this far from it. */
const APART_MS_MAX = 2;

/**
 * Wall-clock milliseconds with a fraction: the wall clock of a moment, and what has elapsed since. The wall clock is looked
 * at again each time, because it may be set, and goes on while a machine sleeps, which elapsed time does not.
 */
export function fineWallClock(wallMs: () => number, elapsedMs: () => number, startMs: number): () => number {
  let offsetMs = startMs;
  return () => {
    const elapsed = elapsedMs();
    const wall = wallMs();
    if (Math.abs(offsetMs + elapsed - wall) > APART_MS_MAX) offsetMs = wall - elapsed;
    return offsetMs + elapsed;
  };
}

const wallClockMs = fineWallClock(Date.now, () => performance.now(), performance.timeOrigin);

export const systemClock: Clock = {
  now() {
    const ms = wallClockMs();
    const seconds = Math.floor(ms / 1000);
    return { seconds, nanoseconds: Math.floor((ms - seconds * 1000) * 1e6) };
  },
  elapsedMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Bytes asked of the system at a time: each trip there costs 9 µs, and every new inode wants four. */
const POOL_BYTES = 4096;
let pool = Buffer.alloc(0);

export const systemRandom: Random = (bytes) => {
  if (bytes > POOL_BYTES / 16) return randomBytes(bytes);
  if (pool.length < bytes) pool = randomBytes(POOL_BYTES);
  const taken = pool.subarray(0, bytes);
  pool = pool.subarray(bytes);
  return taken;
};
