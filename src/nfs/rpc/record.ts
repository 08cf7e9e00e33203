// Record marking (RFC 5531 §11): where one message ends and the next begins in a stream of bytes.
//
//   record   := fragment* with `last` set in the final one
//   fragment := last:bit length:u31 bytes[length]              may be empty
//
// Bytes come from the socket straight into the place that `space` names. A record of one fragment and up to
// SMALL_RECORD_BYTES_MAX stays where it arrived, in the connection's region; any other is put together in a buffer of
// its own, into which the rest of a long fragment is read without a copy.
//
//   region  [ served | record | record | unfinished record |  space ]
//           0        position                              fill
//
// Only `space` moves unfinished bytes, because the socket holds the last space it was given even while it is paused.

import { lentBuffers } from '../../lent-buffers.ts';
import { REGION_BYTES, type Region, type RegionPool } from './region.ts';
import { StreamError } from './rpc-error.ts';

/** wtmax of 1 MiB, and more than any header, credential and argument beside the data takes. */
export const RECORD_BYTES_MAX = 1024 * 1024 + 64 * 1024;

/** Longer records have a buffer of their own, of which a consumer may keep parts for ever. */
export const SMALL_RECORD_BYTES_MAX = 64 * 1024;

/** Of one record. Clients that fragment do so by their buffer's size; only an attack sends a word at a time. */
export const RECORD_FRAGMENTS_MAX = 4096;

const MARK_BYTES = 4;
const LAST_FRAGMENT = 0x80000000;

/** In front of the space in a new region: the longest unfinished record that may have to be moved there. */
const CARRY_BYTES = MARK_BYTES + SMALL_RECORD_BYTES_MAX;
/** Less is not worth a system call. */
const SPACE_BYTES_MIN = 16 * 1024;

const NO_BYTES = Buffer.alloc(0);

export class RecordReader {
  /** The record that {@link next} found: `bytes` from `start` to `end`. */
  bytes: Buffer = NO_BYTES;
  start = 0;
  end = 0;
  /** It lies in `region`, to be read over once it is answered and unpinned. */
  shared = false;
  region: Region;

  readonly #pool: RegionPool;
  #position = 0;
  #fill = 0;
  /** The region that was lent when this one was full. */
  #following: Region | undefined;

  /** A record in a buffer of its own, while it is put together. */
  #body: Buffer | undefined;
  #bodyFill = 0;
  #fragmentLeft = 0;
  #fragmentIsLast = false;
  #fragments = 0;
  #bodyIsLent = false;

  constructor(pool: RegionPool) {
    this.#pool = pool;
    this.region = pool.take();
  }

  /** Memory that the unfinished record has taken outside the region. */
  get unfinishedBytes(): number {
    return this.#body?.length ?? 0;
  }

  /** Of a record that is unfinished, or that has not been asked for yet. */
  get holdsBytes(): boolean {
    return this.#body !== undefined || this.#position !== this.#fill;
  }

  /** Where the next bytes shall go. Earlier spaces are void. */
  space(): Buffer {
    const body = this.#body;
    this.#bodyIsLent =
      body !== undefined && this.#position === this.#fill && this.#fragmentLeft >= SPACE_BYTES_MIN;
    if (this.#bodyIsLent) return body!.subarray(this.#bodyFill, this.#bodyFill + this.#fragmentLeft);
    if (!this.region.pinned) this.#compact();
    if (REGION_BYTES - this.#fill >= SPACE_BYTES_MIN) return this.region.bytes.subarray(this.#fill);
    this.#following ??= this.#pool.take();
    return this.#following.bytes.subarray(CARRY_BYTES);
  }

  /** `count` bytes have come into the last space. All records that were complete before have been taken. */
  received(count: number): void {
    if (this.#bodyIsLent) {
      this.#bodyFill += count;
      this.#fragmentLeft -= count;
      return;
    }
    if (this.#following) this.#follow(this.#following);
    this.#fill += count;
  }

  /** Finds the next complete record. @throws StreamError when there can be none */
  next(): boolean {
    for (;;) {
      if (this.#body && !this.#fillFragment()) return false;
      if (this.#body && this.#fragmentIsLast) return this.#finishBody(this.#body);
      const available = this.#fill - this.#position;
      if (available < MARK_BYTES) return false;
      const mark = this.region.view.getUint32(this.#position);
      const isLast = mark >= LAST_FRAGMENT;
      const length = isLast ? mark - LAST_FRAGMENT : mark;
      if (isLast && !this.#body && length <= SMALL_RECORD_BYTES_MAX) {
        if (available < MARK_BYTES + length) return false;
        this.bytes = this.region.bytes;
        this.start = this.#position + MARK_BYTES;
        this.end = this.start + length;
        this.shared = true;
        this.#position = this.end;
        return true;
      }
      this.#position += MARK_BYTES;
      this.#beginFragment(length, isLast);
    }
  }

  /** Forgets the record that was found last. */
  letGo(): void {
    this.bytes = NO_BYTES;
    this.start = this.end = 0;
  }

  /** Nothing more will be read. */
  close(): void {
    this.region.retire();
    this.#following?.retire();
    this.#body = undefined;
  }

  #beginFragment(length: number, isLast: boolean): void {
    const total = this.#bodyFill + length;
    if (total > RECORD_BYTES_MAX)
      throw new StreamError(`it sent a record of ${total} bytes or more, ${RECORD_BYTES_MAX} are allowed`);
    if (++this.#fragments > RECORD_FRAGMENTS_MAX)
      throw new StreamError(`it sent a record of more than ${RECORD_FRAGMENTS_MAX} fragments`);
    const body = this.#body ?? NO_BYTES;
    if (!this.#body || body.length < total) {
      const bytes = isLast ? total : Math.max(total, Math.min(2 * body.length, RECORD_BYTES_MAX));
      this.#body = lentBuffers.take(bytes);
      body.copy(this.#body, 0, 0, this.#bodyFill);
    }
    this.#fragmentLeft = length;
    this.#fragmentIsLast = isLast;
  }

  /** Moves what has come of the fragment from the region; true when the fragment is complete. */
  #fillFragment(): boolean {
    const count = Math.min(this.#fragmentLeft, this.#fill - this.#position);
    if (count > 0) {
      this.region.bytes.copy(this.#body!, this.#bodyFill, this.#position, this.#position + count);
      this.#position += count;
      this.#bodyFill += count;
      this.#fragmentLeft -= count;
    }
    return this.#fragmentLeft === 0;
  }

  #finishBody(body: Buffer): true {
    this.bytes = body;
    this.start = 0;
    this.end = this.#bodyFill;
    this.shared = false;
    this.#body = undefined;
    this.#bodyFill = this.#fragments = 0;
    return true;
  }

  /** Makes room in a region whose served bytes nobody needs. */
  #compact(): void {
    if (this.#position === this.#fill) {
      this.region.freed(this.#fill);
      this.#position = this.#fill = 0;
      return;
    }
    if (REGION_BYTES - this.#fill >= SPACE_BYTES_MIN || this.#position === 0) return;
    this.region.bytes.copyWithin(0, this.#position, this.#fill);
    this.#fill -= this.#position;
    this.#position = 0;
  }

  /** Goes over to the region whose space was lent, and takes the unfinished record along. */
  #follow(following: Region): void {
    const carried = this.#fill - this.#position;
    this.region.bytes.copy(following.bytes, CARRY_BYTES - carried, this.#position, this.#fill);
    this.region.retire();
    this.region = following;
    this.#following = undefined;
    this.#position = CARRY_BYTES - carried;
    this.#fill = CARRY_BYTES;
  }
}
