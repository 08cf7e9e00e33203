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
  /** By first, then by last. */
  private readonly rows = new Map<number, Map<number, SpaceRow>>();

  get({ first, last }: Run): SpaceRow | undefined {
    return this.rows.get(first)?.get(last);
  }

  bytes(run: Run): number {
    return this.get(run)?.bytes ?? 0;
  }

  set({ first, last }: Run, bytes: number): void {
    let ofFirst = this.rows.get(first);
    if (!ofFirst) {
      ofFirst = new Map();
      this.rows.set(first, ofFirst);
    }
    ofFirst.set(last, { first, last, bytes });
  }

  /** Sets what `changed` has; runs that hold nothing are forgotten. */
  take(changed: SpaceRows): void {
    for (const row of changed.all()) {
      if (row.last !== HEAD && row.first !== HEAD) this.keptOnlyVersion++;
      if (row.bytes === 0) this.delete(row);
      else this.set(row, row.bytes);
    }
  }

  *all(): Generator<SpaceRow, void> {
    for (const ofFirst of this.rows.values()) yield* ofFirst.values();
  }

  /** Those of runs that begin or end with `generation`: a look at each first, not at each row. */
  *touching(generation: number): Generator<SpaceRow, void> {
    for (const [first, ofFirst] of this.rows) {
      if (first === generation) {
        yield* ofFirst.values();
        continue;
      }
      const row = ofFirst.get(generation);
      if (row) yield row;
    }
  }

  private delete({ first, last }: Run): void {
    const ofFirst = this.rows.get(first);
    ofFirst?.delete(last);
    if (ofFirst?.size === 0) this.rows.delete(first);
  }
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
