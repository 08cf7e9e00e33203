// Numbers that are never given twice: reserved in blocks, and a block's row is written in the very batch that first
// uses the block, so a crash loses both or neither. They do not go back, not by rollback or receive either.
//
//   row := next:u64     in the envelope of checked-value.ts; the numbers from this one on were never used

import { keys } from '../kv/keys.ts';
import type { Write } from '../kv/meta-store.ts';
import { getU64, putU64 } from './big-endian.ts';
import { CHECKED_BODY_AT, checkedBody, checkedValue, sealChecked } from './checked-value.ts';

/** Numbers taken from a row at a time. A crash skips at most so many. */
export const BLOCK = 4096;
/** On disk: never renumber. */
const FORMAT = 1;
const BODY_BYTES = 8;

export class IdSequence {
  readonly name: string;
  /** Whether it has a row: one of which nothing was ever taken may have none. */
  readonly isStored: boolean;
  private readonly key: Buffer;
  private next: number;
  private reserved: number;
  private readonly reserve: (sequence: IdSequence) => void;

  /**
   * `first` is where a new sequence begins, `stored` the value of its row. `reserve` is told that the row has to go
   * into the batch of whatever is staged next.
   *
   * @throws DamageError: a wrong number could be given twice
   */
  constructor(
    name: string,
    first: number,
    stored: Buffer | undefined,
    reserve: (sequence: IdSequence) => void,
  ) {
    this.name = name;
    this.isStored = stored !== undefined;
    this.key = keys.system.key(name);
    this.reserve = reserve;
    this.next = stored ? getU64(checkedBody(stored, FORMAT, BODY_BYTES, `the row ${name}`), 0) : first;
    this.reserved = this.next;
  }

  take(): number {
    if (this.next >= this.reserved) {
      this.reserved = this.next + BLOCK;
      this.reserve(this);
    }
    return this.next++;
  }

  /** This number and those above it were never given. */
  get unused(): number {
    return this.next;
  }

  /** Gives none below `number` any more; the caller stages {@link row}. */
  goOnFrom(number: number): void {
    this.next = this.reserved = number;
  }

  /** Says that every number of the block may have been used. */
  row(): Write {
    return { key: this.key, value: this.watermark() };
  }

  /** The value of the row; of another sequence it makes one that gives none of the numbers that this one has given. */
  watermark(): Buffer {
    const value = checkedValue(FORMAT, BODY_BYTES);
    putU64(value, CHECKED_BODY_AT, this.reserved);
    return sealChecked(value);
  }
}
