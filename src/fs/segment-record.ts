// The value of a SEGMENT key: how full a segment is and which of its frames are live, that is named by some version of
// some chunk map. In the envelope of checked-value.ts:
//
//   body := state:u8 totalBytes:u64 liveBytes:u64 live:u8*      frame i is bit i%8 of byte i/8; no zero byte at the end
//
// The batch that first names a frame sets its bit, the one that drops it clears it. A bit that already is what it shall
// become means that two maps believe they own the frame: an alarm, never passed over.

import { strict as assert } from 'node:assert';
import { getU64, putU64 } from './big-endian.ts';
import { CHECKED_BODY_AT, checkedBody, checkedValue, sealChecked } from './checked-value.ts';
import { FRAME_INDEX_MAX } from './extent.ts';
import { DamageError } from './versioned-value.ts';

/** On disk: never renumber. */
const FORMAT = 1;
const STATES = ['open', 'sealed', 'gone'] as const;
const LIVE_AT = 17;
const LIVE_BYTES_MAX = (FRAME_INDEX_MAX + 1) / 8;

/** `open` takes frames; `sealed` never again; `gone` is forwarded elsewhere, its bytes about to be deleted. */
export type SegmentState = (typeof STATES)[number];

/** Mutable: it belongs to the commit worker. */
export class SegmentRecord {
  state: SegmentState = 'open';
  #totalBytes = 0;
  #liveBytes = 0;
  #liveCount = 0;
  /** Grows by doubling; zero behind the last live frame. */
  #live = Buffer.alloc(8);

  /** End of the last frame that was ever named here. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Bytes of the live frames, with their headers. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  get liveCount(): number {
    return this.#liveCount;
  }

  isLive(index: number): boolean {
    return ((this.#live[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  /** Indexes of the live frames, ascending. */
  *liveFrames(): Generator<number, void> {
    for (let byte = 0; byte < this.#live.length; byte++) {
      for (let bits = this.#live[byte]!, bit = 0; bits !== 0; bits >>>= 1, bit++) {
        if (bits & 1) yield byte * 8 + bit;
      }
    }
  }

  /** A batch names a frame for the first time: `bytes` of the segment, header included, up to `end`. */
  setLive(frame: { readonly index: number; readonly bytes: number; readonly end: number }): void {
    const { index, bytes, end } = frame;
    assert(index >= 0 && index <= FRAME_INDEX_MAX, `a segment has no frame ${index}`);
    assert(!this.isLive(index), `frame ${index} is live already`);
    this.#growTo((index >>> 3) + 1);
    this.#live[index >>> 3]! |= 1 << (index & 7);
    this.#liveCount++;
    this.#liveBytes += bytes;
    this.#totalBytes = Math.max(this.#totalBytes, end);
  }

  /** A batch drops the last name of a frame. */
  clearLive(frame: { readonly index: number; readonly bytes: number }): void {
    const { index, bytes } = frame;
    assert(this.isLive(index), `frame ${index} is not live`);
    assert(bytes <= this.#liveBytes, `frame ${index} of ${bytes} bytes is more than all live ones have`);
    this.#live[index >>> 3]! &= ~(1 << (index & 7));
    this.#liveCount--;
    this.#liveBytes -= bytes;
  }

  /** One that a batch may change while this one stays as it is. */
  copy(): SegmentRecord {
    const copy = new SegmentRecord();
    copy.state = this.state;
    copy.#totalBytes = this.#totalBytes;
    copy.#liveBytes = this.#liveBytes;
    copy.#liveCount = this.#liveCount;
    copy.#live = Buffer.from(this.#live);
    return copy;
  }

  encode(): Buffer {
    let liveEnd = this.#live.length;
    while (liveEnd > 0 && this.#live[liveEnd - 1] === 0) liveEnd--;
    const value = checkedValue(FORMAT, LIVE_AT + liveEnd);
    value[CHECKED_BODY_AT] = STATES.indexOf(this.state);
    putU64(value, CHECKED_BODY_AT + 1, this.#totalBytes);
    putU64(value, CHECKED_BODY_AT + 9, this.#liveBytes);
    this.#live.copy(value, CHECKED_BODY_AT + LIVE_AT, 0, liveEnd);
    return sealChecked(value);
  }

  /** @throws DamageError when the bytes are not what {@link encode} wrote. */
  static decode(value: Buffer): SegmentRecord {
    const body = checkedBody(value, FORMAT, LIVE_AT, 'the record of a segment');
    const state = STATES[body[0]!];
    const record = new SegmentRecord();
    record.#totalBytes = getU64(body, 1);
    record.#liveBytes = getU64(body, 9);
    const live = body.subarray(LIVE_AT);
    if (
      state === undefined ||
      record.#totalBytes > Number.MAX_SAFE_INTEGER ||
      record.#liveBytes > record.#totalBytes ||
      live.length > LIVE_BYTES_MAX ||
      live.at(-1) === 0
    ) {
      throw new DamageError('Cannot read the record of a segment: it is out of range');
    }
    record.state = state;
    record.#growTo(live.length);
    record.#live.set(live);
    for (const byte of live) record.#liveCount += bitCount(byte);
    return record;
  }

  #growTo(bytes: number): void {
    if (bytes <= this.#live.length) return;
    const grown = Buffer.alloc(Math.max(bytes, Math.min(this.#live.length * 2, LIVE_BYTES_MAX)));
    this.#live.copy(grown);
    this.#live = grown;
  }
}

function bitCount(byte: number): number {
  let count = 0;
  for (let bits = byte; bits !== 0; bits &= bits - 1) count++;
  return count;
}
