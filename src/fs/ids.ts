// Numbers that are never given twice: reserved in blocks, and a block's row is written in the very batch that first
// uses the block, so a crash loses both or neither. They do not go back, not by rollback or receive either.

import { keys } from '../kv/keys.ts';
import type { Write } from '../kv/meta-store.ts';
import { getU64, putU64 } from './big-endian.ts';

/** Numbers taken from a row at a time. A crash skips at most so many. */
const BLOCK = 4096;

export class IdSequence {
  private readonly key: Buffer;
  private next: number;
  private reserved: number;
  private readonly reserve: (sequence: IdSequence) => void;

  /**
   * `first` is where a new sequence begins, `stored` the value of its row. `reserve` is told that the row has to go
   * into the batch of whatever is staged next.
   */
  constructor(
    name: string,
    first: number,
    stored: Buffer | undefined,
    reserve: (sequence: IdSequence) => void,
  ) {
    this.key = keys.system.key(name);
    this.reserve = reserve;
    this.next = stored ? getU64(stored, 0) : first;
    this.reserved = this.next;
  }

  take(): number {
    if (this.next >= this.reserved) {
      this.reserved = this.next + BLOCK;
      this.reserve(this);
    }
    return this.next++;
  }

  /** Says that every number of the block may have been used. */
  row(): Write {
    const value = Buffer.allocUnsafe(8);
    putU64(value, 0, this.reserved);
    return { key: this.key, value };
  }
}
