// ctime strictly increases per inode: clients tell from it alone that something changed.

import type { Timestamp } from '../clock.ts';

export interface ChangeTime {
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
}

/** `now`, or one nanosecond past the last ctime when that is not earlier. */
export function nextChangeTime(now: Timestamp, last: ChangeTime): Timestamp {
  if (isLater(now, last)) return now;
  if (last.ctimeNanoseconds < 999_999_999) {
    return { seconds: last.ctimeSeconds, nanoseconds: last.ctimeNanoseconds + 1 };
  }
  return { seconds: last.ctimeSeconds + 1, nanoseconds: 0 };
}

export function isLater(time: Timestamp, last: ChangeTime): boolean {
  if (time.seconds !== last.ctimeSeconds) return time.seconds > last.ctimeSeconds;
  return time.nanoseconds > last.ctimeNanoseconds;
}
