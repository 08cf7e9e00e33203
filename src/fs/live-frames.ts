// Which frames of which segments are live, that is named by some version of some chunk map. The commit worker changes
// it, batch by batch: what a batch does to a segment is done to a copy, which takes its place when the batch is in the
// store. (SEGMENT and FORWARD rows: segment-record.ts, forward-record.ts.)
//
// A frame's identity (origin segment, index) is for ever; a repack moves its bytes. Its bit is where its bytes are, and
// the FORWARD row that leads there goes with the bit.

import { keys } from '../kv/keys.ts';
import type { MetaStore, Write } from '../kv/meta-store.ts';
import type { Batch } from './batch.ts';
import { deadBytesMax } from './dead-space.ts';
import type { Frame } from './extent.ts';
import {
  encodeForward,
  type ForwardRecord,
  forwardBlock,
  forwardIn,
  placeOf,
  withoutPlace,
  withPlace,
} from './forward-record.ts';
import { ForwardedPlaces } from './forwarded-places.ts';
import { FRAME_HEADER_BYTES } from './frame.ts';
import type { NamedFrame } from './item.ts';
import { keyId } from './key-id.ts';
import { SegmentRecord } from './segment-record.ts';

/** A live frame and the copy of it that a repack has made. */
export interface ForwardedFrame {
  /** Its identity. */
  readonly origin: { readonly segment: number; readonly index: number };
  /** Its number in the segment that is being repacked. */
  readonly index: number;
  readonly copy: NamedFrame;
}

/** Where the bytes of a frame are now. */
export interface FrameLocation {
  readonly segment: number;
  /** Where its header begins. */
  readonly at: number;
}

export class LiveFrames {
  private readonly records: Map<number, SegmentRecord>;
  /** Origin segments that have, or had in this run, forwarded frames: others need no look at FORWARD. */
  private readonly forwarded: Set<number>;
  private readonly places = new ForwardedPlaces();
  private readonly readers = new Map<number, number>();
  private live = 0;
  private dead = 0;
  /** Told when a segment has become half dead or worse, or all together have more dead than they may. */
  onReclaimable: () => void = () => {};

  private constructor(records: Map<number, SegmentRecord>, forwarded: Set<number>) {
    this.records = records;
    this.forwarded = forwarded;
    for (const record of records.values()) this.count(record, 1);
  }

  static async open(meta: MetaStore): Promise<LiveFrames> {
    const records = new Map<number, SegmentRecord>();
    for await (const [key, value] of meta.rows(keys.segment.range())) {
      records.set(keys.segment.parse(key).segment, SegmentRecord.decode(value));
    }
    const forwarded = new Set<number>();
    for await (const [key] of meta.rows(keys.forward.range())) forwarded.add(keys.forward.parse(key).segment);
    return new LiveFrames(records, forwarded);
  }

  /** As of the last applied batch. */
  get segments(): ReadonlyMap<number, SegmentRecord> {
    return this.records;
  }

  /** Whether there is more dead than there may be, beside that in segments that go as they are. */
  get hasTooMuchDead(): boolean {
    return this.dead > deadBytesMax(this.live);
  }

  /** A frame is named for the first time. */
  set(batch: Batch, { segment, index, stored, end }: NamedFrame): void {
    this.edit(batch, segment).setLive({ index, bytes: stored, end });
  }

  /** A frame's last name goes. */
  clear(batch: Batch, frame: Frame): void {
    const bytes = frame.storedBytes + FRAME_HEADER_BYTES;
    const row = this.forwardRow(batch, frame.segment, frame.index);
    const place = row && placeOf(row.record, frame.index);
    if (!place) {
      this.edit(batch, frame.segment).clearLive({ index: frame.index, bytes });
      return;
    }
    this.edit(batch, place.segment).clearLive({ index: place.index, bytes });
    putForward(batch, row.key, withoutPlace(row.record, frame.index));
  }

  /** Of the frames that a repack has copied, those which are live still are from now on found at their copies. */
  forward(batch: Batch, segment: number, frames: readonly ForwardedFrame[]): void {
    const source = this.edit(batch, segment);
    for (const { origin, index, copy } of frames) {
      if (!source.isLive(index)) continue;
      source.clearLive({ index, bytes: copy.stored });
      this.set(batch, copy);
      this.forwarded.add(origin.segment);
      const row = this.forwardRow(batch, origin.segment, origin.index)!;
      const place = { segment: copy.segment, index: copy.index, at: copy.end - copy.stored };
      putForward(batch, row.key, withPlace(row.record, origin.index, place));
    }
  }

  /** A segment without live frames is forgotten; its file may go once the batch is durable. */
  forget(batch: Batch, segment: number): void {
    const record = batch.segments.get(segment) ?? this.records.get(segment);
    if (record && record.liveCount === 0) batch.segments.set(segment, null);
  }

  /** The batch is in the store. */
  install(batch: Batch): void {
    this.places.forget(batch.forwards);
    let reclaimable = false;
    for (const [segment, record] of batch.segments) {
      const before = this.records.get(segment);
      if (before) this.count(before, -1);
      if (record) {
        this.records.set(segment, record);
        this.count(record, 1);
      } else this.records.delete(segment);
      if (!record || record.liveBytes < record.totalBytes / 2) reclaimable = true;
    }
    if (reclaimable || (batch.segments.size > 0 && this.hasTooMuchDead)) this.onReclaimable();
  }

  private count({ liveCount, liveBytes, totalBytes }: SegmentRecord, sign: 1 | -1): void {
    if (liveCount === 0) return;
    this.live += sign * liveBytes;
    this.dead += sign * (totalBytes - liveBytes);
  }

  /** Where a frame is now. `read` looks a row up, and may end the attempt with Wait. */
  locate(frame: Frame, read: (key: Buffer) => Buffer | undefined): FrameLocation {
    if (!this.forwarded.has(frame.segment)) return frame;
    return this.places.placeOf(frame.segment, frame.index, read) ?? frame;
  }

  isLive({ segment, index }: Frame, read: (key: Buffer) => Buffer | undefined): boolean {
    const place = this.forwarded.has(segment) ? this.places.placeOf(segment, index, read) : undefined;
    const at = place ?? { segment, index };
    return this.records.get(at.segment)?.isLive(at.index) ?? false;
  }

  /** Between the turn in which a frame was located and the end of the read, its segment stays. */
  pin(segment: number): void {
    this.readers.set(segment, (this.readers.get(segment) ?? 0) + 1);
  }

  unpin(segment: number): void {
    const readers = this.readers.get(segment)! - 1;
    if (readers > 0) this.readers.set(segment, readers);
    else this.readers.delete(segment);
  }

  isPinned(segment: number): boolean {
    return this.readers.has(segment);
  }

  /** The rows of the segments that a batch changes. */
  static rows(batch: Batch): Write[] {
    return [...batch.segments].map(([segment, record]) => ({
      key: keys.segment.key(segment),
      value: record ? record.encode() : null,
    }));
  }

  private edit(batch: Batch, segment: number): SegmentRecord {
    let record = batch.segments.get(segment);
    if (!record) {
      record = this.records.get(segment)?.copy() ?? new SegmentRecord();
      batch.segments.set(segment, record);
    }
    return record;
  }

  private forwardRow(
    batch: Batch,
    segment: number,
    index: number,
  ): { key: Buffer; record: ForwardRecord } | undefined {
    if (!this.forwarded.has(segment)) return undefined;
    const key = keys.forward.key(segment, forwardBlock(index));
    return { key, record: forwardIn(batch.row(keyId(key), key)) };
  }
}

function putForward(batch: Batch, key: Buffer, record: ForwardRecord): void {
  const id = keyId(key);
  batch.forwards.push(id);
  if (record.size > 0) batch.put(id, key, encodeForward(record));
  else batch.delete(id, key);
}
