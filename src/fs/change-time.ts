// ctime strictly increases per inode: clients tell from it alone that something changed. A rollback gives an inode its
// earlier ctime back; none that it had since is given a second time, or a client would take its old copy for the new one.

import type { Timestamp } from '../clock.ts';

export interface ChangeTime {
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
}

/** `now`, or one nanosecond past the last ctime when that is not earlier. */
function nextChangeTime(now: Timestamp, last: ChangeTime): Timestamp {
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

export const NEVER: ChangeTime = { ctimeSeconds: 0, ctimeNanoseconds: 0 };

/** The later one. */
export function laterOf(one: ChangeTime, other: ChangeTime): ChangeTime {
  const { ctimeSeconds: seconds, ctimeNanoseconds: nanoseconds } = one;
  return isLater({ seconds, nanoseconds }, other) ? one : other;
}

/** Gives the ctimes of a tree, and is the latest of them. */
export class ChangeTimes implements ChangeTime {
  ctimeSeconds: number;
  ctimeNanoseconds: number;
  private readonly floor: ChangeTime;

  /** All are later than the given one: the latest of the tree whose place this one takes. */
  constructor({ ctimeSeconds, ctimeNanoseconds }: ChangeTime = NEVER) {
    this.floor = { ctimeSeconds, ctimeNanoseconds };
    this.ctimeSeconds = ctimeSeconds;
    this.ctimeNanoseconds = ctimeNanoseconds;
  }

  /** For a change now to an inode whose last was at `last`. */
  next(now: Timestamp, last: ChangeTime): Timestamp {
    const time = nextChangeTime(nextChangeTime(now, this.floor), last);
    if (isLater(time, this)) {
      this.ctimeSeconds = time.seconds;
      this.ctimeNanoseconds = time.nanoseconds;
    }
    return time;
  }
}
