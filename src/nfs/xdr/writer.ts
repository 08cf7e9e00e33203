// Where replies are encoded: plain stores into one buffer, and a list of pieces for the socket.
//
//   pieces := (bytes of the buffer | payload)*      in wire order; several of them leave in one writev
//
// Payloads from EXTERNAL_BYTES_MIN on are attached by reference: copying READ data doubles its cost
// (docs/performance.md). They must not change until the socket has sent them. When the buffer is full the
// next one is begun and nothing is moved.

import { padded } from './xdr.ts';

/** Opaque data from this size on is sent from where it is: below it a copy is cheaper than another piece. */
export const EXTERNAL_BYTES_MIN = 8192;

/** A turn's small replies fit in one; most writers never need a second. */
const BUFFER_BYTES = 64 * 1024;

/** Names of files mostly: for so few the call of `set` costs more. */
const BYTE_BY_BYTE_MAX = 16;

const NOTHING = Buffer.alloc(0);
const PADDING = Buffer.alloc(3);

export class XdrWriter {
  bytes: Buffer;
  view: DataView;
  #position = 0;
  /** Bytes of the buffer before it are on their way. */
  #base = 0;
  /** Where the bytes begin that are not in `#pieces` yet. */
  #start = 0;
  #pieces: Buffer[] = [];
  #piecesBytes = 0;
  #owed: Buffer[] = [];
  #markBytes: Buffer = NOTHING;
  #markPosition = 0;
  #markStart = 0;
  #markBase = 0;
  #markPieces = 0;
  #markPiecesBytes = 0;

  constructor(bytesFirst: number = BUFFER_BYTES) {
    this.bytes = Buffer.allocUnsafeSlow(bytesFirst);
    this.view = viewOf(this.bytes);
  }

  /** Bytes written since the last {@link take}. */
  get length(): number {
    return this.#piecesBytes + this.#position - this.#start;
  }

  /** Room for `count` bytes in a row: the caller stores every one of them in `bytes` or `view`, from the result on. */
  reserve(count: number): number {
    let at = this.#position;
    if (at + count > this.bytes.length) at = this.#beginBuffer(count);
    this.#position = at + count;
    return at;
  }

  u32(value: number): void {
    const at = this.reserve(4);
    this.view.setUint32(at, value);
  }

  /** Bytes and their padding, without a length. */
  fixedOpaque(value: Uint8Array): void {
    const at = this.reserve(padded(value.length));
    opaqueTo(this, at, value);
  }

  /** A length and as many bytes, which are not copied when they are many. */
  opaque(value: Buffer): void {
    const count = value.length;
    if (count >= EXTERNAL_BYTES_MIN) {
      this.u32(count);
      this.attach(value);
      this.pad(count);
      return;
    }
    const at = this.reserve(4 + padded(count));
    this.view.setUint32(at, count);
    opaqueTo(this, at + 4, value);
  }

  /** Bytes that are XDR already; copied when few, attached by reference when many. */
  encoded(value: Buffer): void {
    if (value.length >= EXTERNAL_BYTES_MIN) {
      this.attach(value);
      return;
    }
    const at = this.reserve(value.length);
    this.bytes.set(value, at);
  }

  /** Sends `payload` from where it is. */
  attach(payload: Buffer): void {
    if (payload.length === 0) return;
    this.#cut();
    this.#pieces.push(payload);
    this.#piecesBytes += payload.length;
  }

  /** These are to be given back when what was written is sent. */
  owe(parts: readonly Buffer[]): void {
    for (const part of parts) this.#owed.push(part);
  }

  /** Zeros up to the next multiple of four behind `count` bytes. */
  pad(count: number): void {
    const missing = padded(count) - count;
    if (missing === 0) return;
    const at = this.reserve(missing);
    this.bytes.set(PADDING.subarray(0, missing), at);
  }

  /** Remembers this state for {@link rewind}; one is remembered at a time. */
  mark(): void {
    this.#markBytes = this.bytes;
    this.#markPosition = this.#position;
    this.#markStart = this.#start;
    this.#markBase = this.#base;
    this.#markPieces = this.#pieces.length;
    this.#markPiecesBytes = this.#piecesBytes;
  }

  /** Forgets what was written since the last {@link mark}, which must be younger than the last {@link take}. */
  rewind(): void {
    if (this.bytes !== this.#markBytes) {
      this.bytes = this.#markBytes;
      this.view = viewOf(this.bytes);
    }
    this.#position = this.#markPosition;
    this.#start = this.#markStart;
    this.#base = this.#markBase;
    this.#pieces.length = this.#markPieces;
    this.#piecesBytes = this.#markPiecesBytes;
  }

  /** What was written, in order; follow it by {@link reuse} or {@link abandon}. */
  take(): Buffer[] {
    this.#cut();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#piecesBytes = 0;
    return pieces;
  }

  /** What is to be given back when what was taken last is sent. */
  takeOwed(): readonly Buffer[] {
    const owed = this.#owed;
    if (owed.length > 0) this.#owed = [];
    return owed;
  }

  /** What was taken has left: the buffer is free again. */
  reuse(): void {
    this.#position = this.#start = this.#base;
  }

  /** What was taken is still on its way: leave its bytes alone. */
  abandon(): void {
    this.#base = this.#position;
    if (this.#base < this.bytes.length / 2) return;
    this.bytes = NOTHING;
    this.view = viewOf(NOTHING);
    this.#position = this.#start = this.#base = 0;
  }

  #cut(): void {
    if (this.#position === this.#start) return;
    this.#pieces.push(this.bytes.subarray(this.#start, this.#position));
    this.#piecesBytes += this.#position - this.#start;
    this.#start = this.#position;
  }

  #beginBuffer(count: number): number {
    this.#cut();
    this.bytes = Buffer.allocUnsafeSlow(Math.max(count, BUFFER_BYTES));
    this.view = viewOf(this.bytes);
    this.#start = this.#base = 0;
    return 0;
  }
}

/** Stores `value` at `at`, where room for it and its padding is reserved. */
function opaqueTo(to: XdrWriter, at: number, value: Uint8Array): void {
  const count = value.length;
  if (count & 3) to.view.setUint32(at + padded(count) - 4, 0);
  if (count > BYTE_BY_BYTE_MAX) to.bytes.set(value, at);
  else for (let index = 0; index < count; index++) to.bytes[at + index] = value[index]!;
}

/** The same where the protocol fixes the length. */
export function fixedOpaqueTo(to: XdrWriter, at: number, value: Uint8Array, count: number): void {
  if (value.length !== count) throw new RangeError(`Cannot encode ${value.length} bytes as opaque[${count}]`);
  opaqueTo(to, at, value);
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
