// SPACE (DESIGN 3.2): how many bytes are held by which run of kept generations, in memory and on disk. `first` and `last`
// are the first and the last kept generation that need them; the head counts as a kept generation, the newest.
//
//   key    tree first:u32 last:u32       FFFFFFFF is the head; (FFFFFFFF, 0) is what no generation needs any more and a
//                                        sweep will free
//   value  format:u8=1 bytes:u64 crc32:u32
//
// What counts is what files' data takes: frames as they are stored, with their headers, and inline bytes.

import { getU64, putU64 } from './big-endian.ts';
import { CHECKED_BODY_AT, checkedBody, checkedValue, sealChecked } from './checked-value.ts';

/** On disk: never renumber. */
const FORMAT = 1;
const BODY_BYTES = 8;

/** The newest of the kept generations. */
export const HEAD = 0xffff_ffff;

export interface Run {
  readonly first: number;
  readonly last: number;
}

/** Of what is to be freed. */
export const PENDING: Run = { first: HEAD, last: 0 };

export interface SpaceRow extends Run {
  readonly bytes: number;
}

/** Bytes by run. */
export class SpaceRows {
  /** Goes up when bytes change that kept generations need and the head does not. */
  keptOnlyVersion = 0;
  private readonly rows = new Map<string, SpaceRow>();

  has({ first, last }: Run): boolean {
    return this.rows.has(idOf(first, last));
  }

  bytes({ first, last }: Run): number {
    return this.rows.get(idOf(first, last))?.bytes ?? 0;
  }

  set({ first, last }: Run, bytes: number): void {
    this.rows.set(idOf(first, last), { first, last, bytes });
  }

  /** Sets what `changed` has; runs that hold nothing are forgotten. */
  take(changed: SpaceRows): void {
    for (const [id, row] of changed.rows) {
      if (row.last !== HEAD && row.first !== HEAD) this.keptOnlyVersion++;
      if (row.bytes === 0) this.rows.delete(id);
      else this.rows.set(id, row);
    }
  }

  all(): Iterable<SpaceRow> {
    return this.rows.values();
  }
}

function idOf(first: number, last: number): string {
  return `${first}/${last}`;
}

export function encodeSpace(bytes: number): Buffer {
  const value = checkedValue(FORMAT, BODY_BYTES);
  putU64(value, CHECKED_BODY_AT, bytes);
  return sealChecked(value);
}

/** @throws DamageError */
export function decodeSpace(value: Buffer): number {
  return getU64(checkedBody(value, FORMAT, BODY_BYTES, 'a row of the space accounting'), 0);
}
