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

export const systemClock: Clock = {
  now() {
    const ms = performance.timeOrigin + performance.now();
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
