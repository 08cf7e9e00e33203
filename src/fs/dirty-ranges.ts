// File data that is not in the store yet: sorted pieces that never overlap, by reference to the bytes that came with
// the call. A later write cuts what it covers out of earlier pieces.
//
// Each piece has a date, `since`: a COMMIT waits for what dates from before it. A write over waiting bytes keeps their
// date where it covers them (`older`): they were promised to a COMMIT under that date, and only their contents changed.
//
// Pieces are grouped, and cut, at windows of 1 MiB, so that a random write moves entries of one short array only.

import { unpooledCopy } from '../unpooled-copy.ts';

export const WINDOW_BYTES = 2 ** 20;
/** A splice of many pieces, each an argument of the call, would overflow the stack. */
const SPLICED_MAX = 100;
/** A rest of no more than this part of its buffer is copied: so that it holds at most twice its bytes. */
const REMNANT_SHARE = 2;

/** Bytes of a file; immutable. */
export interface DirtyPiece {
  readonly offset: number;
  readonly data: Buffer;
  readonly since: number;
}

export class DirtyRanges {
  readonly #windowBytes: number;
  /** By window number; no array is empty. */
  #windows = new Map<number, DirtyPiece[]>();
  #bytes = 0;
  #count = 0;
  /** Undefined: look again. */
  #end: number | undefined = 0;
  #oldest: number | undefined = Number.POSITIVE_INFINITY;

  constructor(windowBytes = WINDOW_BYTES) {
    this.#windowBytes = windowBytes;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Pieces that wait: each costs memory beside its bytes. */
  get count(): number {
    return this.#count;
  }

  /** Offset behind the last byte; 0 when there is none. */
  get end(): number {
    if (this.#end === undefined) {
      let last = -1;
      for (const window of this.#windows.keys()) if (window > last) last = window;
      this.#end = last < 0 ? 0 : endOf(this.#windows.get(last)!.at(-1)!);
    }
    return this.#end;
  }

  /** The earliest date; Infinity when there is nothing. */
  get oldest(): number {
    if (this.#oldest === undefined) {
      let oldest = Number.POSITIVE_INFINITY;
      for (const pieces of this.#windows.values()) {
        for (const { since } of pieces) if (since < oldest) oldest = since;
      }
      this.#oldest = oldest;
    }
    return this.#oldest;
  }

  /**
   * Puts a piece over whatever is there and returns how many of its bytes nothing covered before. With `older` each
   * byte gets the earlier of the piece's date and its own former one.
   */
  write(piece: DirtyPiece, dates: 'own' | 'older' = 'own'): number {
    const { offset, data, since } = piece;
    const end = offset + data.length;
    let added = 0;
    for (let from = offset; from < end; ) {
      const window = Math.floor(from / this.#windowBytes);
      const to = Math.min(end, (window + 1) * this.#windowBytes);
      added += this.#put(window, slice(piece, from, to), dates);
      from = to;
    }
    this.#bytes += added;
    if (this.#end !== undefined && end > this.#end && data.length > 0) this.#end = end;
    if (this.#oldest !== undefined && since < this.#oldest && data.length > 0) this.#oldest = since;
    return added;
  }

  /** Forgets the bytes from `from` up to `to` and returns how many there were. */
  remove(from: number, to: number): number {
    const before = this.#bytes;
    for (const window of this.#windowsIn(from, to)) {
      const pieces = this.#windows.get(window)!;
      const first = firstEndingAfter(pieces, from);
      const last = firstStartingAt(pieces, to, first);
      if (first === last) continue;
      const kept: DirtyPiece[] = [];
      for (let i = first; i < last; i++) {
        const piece = pieces[i]!;
        this.#bytes -= Math.min(endOf(piece), to) - Math.max(piece.offset, from);
        if (piece.offset < from) kept.push(remnant(piece, piece.offset, from));
        if (endOf(piece) > to) kept.push(remnant(piece, to, endOf(piece)));
        if (piece.since === this.#oldest) this.#oldest = undefined;
      }
      this.#replace(window, pieces, first, last, kept);
    }
    if (this.#bytes !== before) this.#end = undefined;
    return before - this.#bytes;
  }

  /** Forgets everything at or past `from` and returns how many bytes that were. */
  cut(from: number): number {
    return this.remove(from, Number.POSITIVE_INFINITY);
  }

  /** How many of the bytes from `from` up to `to` wait here. */
  covered(from: number, to: number): number {
    let bytes = 0;
    for (const piece of this.pieces(from, to)) bytes += piece.data.length;
    return bytes;
  }

  /** What waits from `from` up to `to`, in order, cut to that range. */
  pieces(from = 0, to = Number.POSITIVE_INFINITY): DirtyPiece[] {
    const found: DirtyPiece[] = [];
    for (const window of this.#windowsIn(from, to)) {
      const pieces = this.#windows.get(window)!;
      for (let i = firstEndingAfter(pieces, from); i < pieces.length && pieces[i]!.offset < to; i++) {
        const piece = pieces[i]!;
        found.push(slice(piece, Math.max(piece.offset, from), Math.min(endOf(piece), to)));
      }
    }
    return found;
  }

  /** Windows with something in them. */
  get windows(): number {
    return this.#windows.size;
  }

  /**
   * Moves everything to a new object, or of more than so many windows those that have been there longest: what a flush
   * freezes while later writes gather here.
   */
  take(windowsMax = Number.POSITIVE_INFINITY): DirtyRanges {
    if (this.#windows.size <= windowsMax) return this.#takeAll();
    const taken = new DirtyRanges(this.#windowBytes);
    for (const [window, pieces] of this.#windows) {
      if (taken.#windows.size === windowsMax) break;
      this.#windows.delete(window);
      taken.#windows.set(window, pieces);
      taken.#count += pieces.length;
      for (const { data } of pieces) taken.#bytes += data.length;
    }
    this.#count -= taken.#count;
    this.#bytes -= taken.#bytes;
    for (const ranges of [this, taken]) ranges.#end = ranges.#oldest = undefined;
    return taken;
  }

  #takeAll(): DirtyRanges {
    const taken = new DirtyRanges(this.#windowBytes);
    taken.#adopt(this);
    this.#adopt(new DirtyRanges(this.#windowBytes));
    return taken;
  }

  /** Puts back what a failed flush had taken, below what came since; its dates hold for the bytes above it. */
  putBack(taken: DirtyRanges): void {
    for (const piece of this.pieces()) taken.write(piece, 'older');
    this.#adopt(taken.take());
  }

  #adopt(other: DirtyRanges): void {
    this.#windows = other.#windows;
    this.#bytes = other.#bytes;
    this.#count = other.#count;
    this.#end = other.#end;
    this.#oldest = other.#oldest;
  }

  /** Puts a piece that lies in one window; the number of its bytes that nothing covered. */
  #put(window: number, piece: DirtyPiece, dates: 'own' | 'older'): number {
    const pieces = this.#windows.get(window);
    if (pieces === undefined) {
      this.#windows.set(window, [piece]);
      this.#count++;
      return piece.data.length;
    }
    const end = endOf(piece);
    const first = firstEndingAfter(pieces, piece.offset);
    const last = firstStartingAt(pieces, end, first);
    if (first === last) {
      pieces.splice(first, 0, piece);
      this.#count++;
      return piece.data.length;
    }
    const parts: DirtyPiece[] = [];
    const left = pieces[first]!;
    const right = pieces[last - 1]!;
    if (left.offset < piece.offset) parts.push(remnant(left, left.offset, piece.offset));
    let added = piece.data.length;
    let from = piece.offset;
    for (let i = first; i < last; i++) {
      const covered = pieces[i]!;
      const start = Math.max(covered.offset, piece.offset);
      const stop = Math.min(endOf(covered), end);
      added -= stop - start;
      if (dates === 'older' && covered.since < piece.since) {
        if (from < start) parts.push(slice(piece, from, start));
        const { data } = slice(piece, start, stop);
        parts.push({ offset: start, data, since: covered.since });
        from = stop;
      } else if (covered.since === this.#oldest) {
        this.#oldest = undefined;
      }
    }
    if (from < end) parts.push(slice(piece, from, end));
    if (endOf(right) > end) parts.push(remnant(right, end, endOf(right)));
    this.#replace(window, pieces, first, last, parts);
    return added;
  }

  #replace(
    window: number,
    pieces: DirtyPiece[],
    first: number,
    last: number,
    parts: readonly DirtyPiece[],
  ): void {
    if (parts.length <= SPLICED_MAX) {
      pieces.splice(first, last - first, ...parts);
    } else {
      const after = pieces.splice(first).slice(last - first);
      for (const part of parts) pieces.push(part);
      for (const piece of after) pieces.push(piece);
    }
    this.#count += parts.length - (last - first);
    if (pieces.length === 0) this.#windows.delete(window);
  }

  /** The windows with pieces that a range touches, ascending. */
  #windowsIn(from: number, to: number): number[] {
    const first = Math.floor(from / this.#windowBytes);
    const last = Math.ceil(to / this.#windowBytes) - 1;
    const found: number[] = [];
    if (last - first < this.#windows.size) {
      for (let window = first; window <= last; window++) if (this.#windows.has(window)) found.push(window);
      return found;
    }
    for (const window of this.#windows.keys()) if (window >= first && window <= last) found.push(window);
    return found.sort((a, b) => a - b);
  }
}

function endOf(piece: DirtyPiece): number {
  return piece.offset + piece.data.length;
}

function slice(piece: DirtyPiece, from: number, to: number): DirtyPiece {
  const { offset, data, since } = piece;
  if (from === offset && to === offset + data.length) return piece;
  return { offset: from, data: data.subarray(from - offset, to - offset), since };
}

/**
 * What is left of a piece. A small rest is copied, since the whole buffer stays in memory with it: of 1 MiB writes, each
 * 4 KiB behind the one before, 300 would hold 300 MiB and count as two.
 */
function remnant(piece: DirtyPiece, from: number, to: number): DirtyPiece {
  const rest = slice(piece, from, to);
  if (rest.data.length * REMNANT_SHARE > rest.data.buffer.byteLength) return rest;
  return { ...rest, data: unpooledCopy(rest.data) };
}

/** Index of the first piece that ends behind `offset`. */
function firstEndingAfter(pieces: readonly DirtyPiece[], offset: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (endOf(pieces[middle]!) > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Index of the first piece, from `low` on, that starts at or behind `offset`. */
function firstStartingAt(pieces: readonly DirtyPiece[], offset: number, low: number): number {
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (pieces[middle]!.offset >= offset) high = middle;
    else low = middle + 1;
  }
  return low;
}
