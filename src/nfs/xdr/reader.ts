// A cursor over received bytes. Every length is checked against what is left before it is used, so a reader never
// allocates on a peer's word. Opaque data comes out as subarrays of the received bytes, not as copies.

import { padded, XdrError } from './xdr.ts';

export class XdrReader {
  bytes: Buffer;
  view: DataView;
  position: number;
  end: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.position = start;
    this.end = end;
  }

  /** Begins again on other bytes; cheap when they are in the same buffer. */
  reset(bytes: Buffer, start: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.position = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** Steps over `count` bytes and returns where they begin. */
  take(count: number): number {
    const at = this.position;
    if (count > this.end - at) throw tooShort(count, this.end - at);
    this.position = at + count;
    return at;
  }

  u32(): number {
    return this.view.getUint32(this.take(4));
  }

  flag(): boolean {
    return flag(this.u32());
  }

  /** `count` bytes and their padding, which must be zero. */
  fixedOpaque(count: number): Buffer {
    const at = this.take(padded(count));
    return opaqueAt(this, at, count);
  }

  /** A length, which may be at most `bytesMax`, and as many bytes. */
  opaque(bytesMax: number): Buffer {
    const count = this.u32();
    if (count > bytesMax)
      throw new XdrError(`Cannot read ${count} bytes: at most ${bytesMax} are allowed here`);
    return this.fixedOpaque(count);
  }

  /** The whole of the message has been read. */
  finish(): void {
    if (this.position !== this.end)
      throw new XdrError(`Cannot read message: ${this.end - this.position} bytes follow its end`);
  }
}

/** The `count` bytes at `at`, which {@link XdrReader.take} has passed together with their padding. */
export function opaqueAt(from: XdrReader, at: number, count: number): Buffer {
  const { bytes } = from;
  for (let i = at + count; i < at + padded(count); i++) {
    if (bytes[i] !== 0) throw new XdrError('Cannot read opaque data: its padding is not zero');
  }
  return bytes.subarray(at, at + count);
}

/** XDR has two booleans, although their word could hold more. */
export function flag(word: number): boolean {
  if (word > 1) throw new XdrError(`Cannot read boolean: ${word} is neither 0 nor 1`);
  return word === 1;
}

function tooShort(wanted: number, left: number): XdrError {
  return new XdrError(`Cannot read ${wanted} bytes: only ${left} are left`);
}
