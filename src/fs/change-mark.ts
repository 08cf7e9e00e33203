// Up to where ctimes may have been given, over all runs: what a run begins with is later than all that earlier ones gave,
// also where the clock was set back in between. The row is ahead of the ctimes, and goes with whatever is staged next, so
// it is written once in a while only.
//
//   row := seconds:u64 nanoseconds:u32     in the envelope of checked-value.ts; none given so far is later

import type { Timestamp } from '../clock.ts';
import { keys } from '../kv/keys.ts';
import type { Write } from '../kv/meta-store.ts';
import { getU32, getU64, putU32, putU64 } from './big-endian.ts';
import { type ChangeTime, isLater, NEVER } from './change-time.ts';
import { CHECKED_BODY_AT, checkedBody, checkedValue, sealChecked } from './checked-value.ts';

export const CHANGE_MARK_KEY = keys.system.key('last/ctime');
/** A ctime after a rollback that comes soon after a start is at most so far ahead of the clock. */
const AHEAD_SECONDS = 1;
/** On disk: never renumber. */
const FORMAT = 1;
const BODY_BYTES = 12;

export class ChangeMark {
  /** No ctime of an earlier run is later. */
  readonly before: ChangeTime;
  private mark: ChangeTime;
  private readonly changed: (mark: ChangeMark) => void;

  /**
   * @param changed told that the row has to go with what is staged next
   * @throws DamageError
   */
  constructor(stored: Buffer | undefined, changed: (mark: ChangeMark) => void) {
    this.before = stored ? decode(stored) : NEVER;
    this.mark = this.before;
    this.changed = changed;
  }

  /** A ctime is being given. */
  given(time: Timestamp): void {
    if (!isLater(time, this.mark)) return;
    this.mark = { ctimeSeconds: time.seconds + AHEAD_SECONDS, ctimeNanoseconds: time.nanoseconds };
    this.changed(this);
  }

  row(): Write {
    const value = checkedValue(FORMAT, BODY_BYTES);
    putU64(value, CHECKED_BODY_AT, this.mark.ctimeSeconds);
    putU32(value, CHECKED_BODY_AT + 8, this.mark.ctimeNanoseconds);
    return { key: CHANGE_MARK_KEY, value: sealChecked(value) };
  }
}

function decode(stored: Buffer): ChangeTime {
  const body = checkedBody(stored, FORMAT, BODY_BYTES, 'the time of the last change');
  return { ctimeSeconds: getU64(body, 0), ctimeNanoseconds: getU32(body, 8) };
}
