// Which frames the maps name and where their bytes are, set against what the SEGMENT rows say is live.

import { keys } from '../../kv/keys.ts';
import type { Write } from '../../kv/meta-store.ts';
import type { Frame } from '../extent.ts';
import { type ForwardRecord, forwardBlock, placeOf } from '../forward-record.ts';
import { FRAME_HEADER_BYTES } from '../frame.ts';
import { SegmentRecord } from '../segment-record.ts';
import type { Finding } from './finding.ts';

interface NamedFrame {
  readonly bytes: number;
  readonly end: number;
}

export class FrameFacts {
  readonly segments = new Map<number, SegmentRecord>();
  private readonly forwards = new Map<string, ForwardRecord>();
  private readonly named = new Map<number, Map<number, NamedFrame>>();
  private namedForwards = 0;

  addForward(segment: number, block: number, record: ForwardRecord): void {
    this.forwards.set(`${segment}/${block}`, record);
  }

  isNamed(frame: Frame): boolean {
    const record = this.forwards.get(`${frame.segment}/${forwardBlock(frame.index)}`);
    const { segment, index } = (record && placeOf(record, frame.index)) ?? frame;
    return this.named.get(segment)?.has(index) ?? false;
  }

  /** A version of a map names the frame. */
  name(frame: Frame): { readonly segment: number; readonly at: number } {
    const record = this.forwards.get(`${frame.segment}/${forwardBlock(frame.index)}`);
    const place = record && placeOf(record, frame.index);
    const { segment, index, at } = place ?? frame;
    let frames = this.named.get(segment);
    if (!frames) {
      frames = new Map();
      this.named.set(segment, frames);
    }
    if (place && !frames.has(index)) this.namedForwards++;
    const bytes = FRAME_HEADER_BYTES + frame.storedBytes;
    frames.set(index, { bytes, end: at + bytes });
    return { segment, at };
  }

  /** @param sizes of the segment files there are */
  *findings(sizes: ReadonlyMap<number, number>): Generator<Finding> {
    for (const segment of new Set([...this.segments.keys(), ...this.named.keys()])) {
      yield* this.segmentFindings(segment, sizes.get(segment));
    }
    let forwarded = 0;
    for (const record of this.forwards.values()) forwarded += record.size;
    if (forwarded !== this.namedForwards) {
      const message = `${forwarded - this.namedForwards} forwarded frames are named by nothing`;
      yield { kind: 'forward', tree: null, ino: null, message, repair: null };
    }
  }

  /** Of those of `segments` that something names, the row that they should have. */
  *rowsOf(segments: Iterable<number>): Generator<{ readonly segment: number; readonly row: Write }> {
    for (const segment of segments) {
      const named = this.named.get(segment);
      if (named) yield { segment, row: recordOf(segment, named) };
    }
  }

  private *segmentFindings(segment: number, fileBytes: number | undefined): Generator<Finding> {
    const record = this.segments.get(segment) ?? new SegmentRecord();
    const named = this.named.get(segment) ?? new Map<number, NamedFrame>();
    let lost = 0;
    for (const index of named.keys()) if (!record.isLive(index)) lost++;
    const leaked = record.liveCount - (named.size - lost);
    let liveBytes = 0;
    let end = 0;
    for (const frame of named.values()) {
      liveBytes += frame.bytes;
      end = Math.max(end, frame.end);
    }
    if (end > (fileBytes ?? 0)) {
      const message = `Segment ${segment} has ${fileBytes ?? 'no'} bytes and should have at least ${end}: file data is lost`;
      yield { kind: 'segment', tree: null, ino: null, message, repair: null };
    }
    if (lost === 0 && leaked === 0 && record.liveBytes === liveBytes) return;
    const message =
      `Segment ${segment} counts ${record.liveCount} frames with ${record.liveBytes} bytes as live; ` +
      `${named.size} with ${liveBytes} are (${lost} missing, ${leaked} too many)`;
    yield { kind: 'segment', tree: null, ino: null, message, repair: [recordOf(segment, named)] };
  }
}

function recordOf(segment: number, named: ReadonlyMap<number, NamedFrame>): Write {
  const key = keys.segment.key(segment);
  if (named.size === 0) return { key, value: null };
  const record = new SegmentRecord();
  for (const [index, { bytes, end }] of named) record.setLive({ index, bytes, end });
  return { key, value: record.encode() };
}
