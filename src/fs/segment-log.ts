// Appends frames to the open segment and makes them durable. One segment is open at a time; it is closed when it is
// full or when a write to it failed, and never opened again.
//
// A frame's index is its position among the frames of its segment, so it is given together with its offset, in one turn.
// After a failed write or sync no frame behind the last good sync may be named: every append that had not ended in that
// segment is refused, and its caller starts over in a new one. What was appended in vain is dead space.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Eventual } from '../eventual.ts';
import type { SegmentStore, SegmentWriter } from '../kv/segment-store.ts';
import { FRAME_INDEX_MAX, type Frame } from './extent.ts';
import { encodeFrameHeader, FRAME_HEADER_BYTES, type FrameHeader, PAYLOAD_BYTES_MAX } from './frame.ts';
import type { NamedFrame } from './item.ts';
import { checksumsOf } from './payload-checksums.ts';

/** Whose data a frame holds: what its header says. */
export interface FrameSource {
  readonly tree: number;
  readonly dataId: number;
  readonly window: number;
  /** 1 byte to {@link PAYLOAD_BYTES_MAX} together. */
  readonly payload: readonly Buffer[];
  /** The generation that will name it. */
  readonly birth: number;
}

export interface AppendedFrame {
  readonly frame: Frame;
  readonly named: NamedFrame;
}

export interface Appended {
  /** In the order of the sources; durable. */
  readonly frames: readonly AppendedFrame[];
  /** To be called when the batch that names them is applied, or when none will: until then their segments are busy. */
  readonly landed: () => void;
}

/** Frames as they are, to be copied under their own identity: what a repack appends. */
export interface FrameCopy {
  readonly header: Buffer;
  readonly stored: Buffer;
}

export interface SegmentLogOptions {
  readonly segments: SegmentStore;
  readonly ids: { take(): Eventual<number> };
  readonly segmentBytesMax?: number;
}

export interface SegmentLogStatistics {
  frames: number;
  bytes: number;
  segments: number;
  failures: number;
}

export const SEGMENT_BYTES_MAX = 64 * 2 ** 20;
/** Between two turns others' calls wait for the checksums of no more than this: those of 32 MiB take 5 to 15 ms. */
const SUMMED_A_TURN_BYTES = 2 ** 20;
const LONG_RUN_BYTES = (PAYLOAD_BYTES_MAX * 3) / 4;

interface OpenSegment {
  readonly writer: SegmentWriter;
  frames: number;
  /** Appends that have not ended. */
  writing: number;
}

interface SizedSource {
  readonly source: FrameSource;
  readonly payloadBytes: number;
}

interface Place {
  readonly segment: number;
  readonly index: number;
  readonly at: number;
}

export class SegmentLog {
  readonly statistics: SegmentLogStatistics = { frames: 0, bytes: 0, segments: 0, failures: 0 };
  private readonly options: SegmentLogOptions;
  private readonly segmentBytesMax: number;
  private open: OpenSegment | null = null;
  private opening: Promise<OpenSegment> | null = null;
  /** The segment that is being made: its file may be there already. */
  private creating: number | null = null;
  /** Appends that have not landed, by segment. */
  private readonly flights = new Map<number, number>();

  constructor(options: SegmentLogOptions) {
    this.options = options;
    this.segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
  }

  /**
   * @param seldomRead the system's memory is better used for others: {@link SegmentWriter.append}
   * @throws what the segment's write or sync failed with; then none of the frames may be named
   */
  async append(sources: readonly FrameSource[], seldomRead = false): Promise<Appended> {
    const sized = sources.map(withSize);
    const places: Place[] = [];
    const writing = this.write(sized, seldomRead, ({ source, payloadBytes }, place) => {
      places.push(place);
      return [encodeFrameHeader(headerOf(source, place, payloadBytes)), ...source.payload];
    });
    // They go into the maps, not into the frames, so they are formed while the bytes are on their way.
    const [written, summed] = await Promise.allSettled([writing, checksumsInTurns(sized)]);
    if (written.status === 'rejected') throw written.reason;
    const landed = written.value;
    if (summed.status === 'rejected') {
      landed();
      throw summed.reason;
    }
    const checksums = summed.value;
    const frames = sized.map(({ source, payloadBytes }, at) => ({
      frame: frameOf(source, places[at]!, payloadBytes, checksums[at]!),
      named: named(places[at]!, FRAME_HEADER_BYTES + payloadBytes),
    }));
    return { frames, landed };
  }

  /** As {@link append}, for frames that keep the identity in their headers. */
  async copy(copies: readonly FrameCopy[]): Promise<{ places: readonly NamedFrame[]; landed: () => void }> {
    const places: NamedFrame[] = [];
    const bytes = copies.reduce((sum, { stored }) => sum + stored.length, 0);
    const seldomRead = isInLongRuns(bytes, copies.length);
    const landed = await this.write(copies, seldomRead, ({ header, stored }, place) => {
      places.push(named(place, header.length + stored.length));
      return [header, stored];
    });
    return { places, landed };
  }

  /** Open, or with frames that no applied batch names yet: not to be repacked or deleted. */
  isBusy(segment: number): boolean {
    return this.creating === segment || this.open?.writer.id === segment || this.flights.has(segment);
  }

  /** Ends the open segment, so that what is dead in it can be given back; does nothing while it is in use. */
  async rollOver(): Promise<void> {
    const { open } = this;
    if (!open || open.writing > 0 || this.flights.has(open.writer.id)) return;
    this.open = null;
    await closed(open.writer);
  }

  get openSegment(): { readonly id: number; readonly bytes: number } | null {
    return this.open && { id: this.open.writer.id, bytes: this.open.writer.size };
  }

  /** Everything appended has been written; nothing more is. */
  async close(): Promise<void> {
    const open = this.open ?? (await this.opening?.catch(() => null));
    this.open = null;
    await open?.writer.close();
  }

  /** Appends all in order, over as many segments as it takes, and syncs each. */
  private async write<T>(
    items: readonly T[],
    seldomRead: boolean,
    encode: (item: T, place: Place) => Buffer[],
  ): Promise<() => void> {
    const flown = new Set<number>();
    const landed = () => {
      for (const segment of flown) this.land(segment);
      flown.clear();
    };
    const written: Promise<void>[] = [];
    try {
      for (let next = 0; next < items.length; ) {
        // Another append may have filled the new one before this one goes on.
        while (!this.open) await this.openNext();
        const segment = this.open;
        const { id } = segment.writer;
        if (!flown.has(id)) this.flights.set(id, (this.flights.get(id) ?? 0) + 1);
        flown.add(id);
        const buffers: Buffer[] = [];
        let at = segment.writer.size;
        for (; next < items.length && this.hasRoom(segment, at); next++) {
          const parts = encode(items[next]!, { segment: id, index: segment.frames++, at });
          for (const part of parts) {
            buffers.push(part);
            at += part.length;
          }
          this.statistics.frames++;
        }
        if (!this.hasRoom(segment, at)) this.open = null;
        const writing = this.writeTo(segment, buffers, seldomRead);
        // It may fail while the next segment is being opened, when nobody waits for it yet.
        writing.catch(() => {});
        written.push(writing);
      }
      await settled(written);
      return landed;
    } catch (error) {
      // No next segment could be opened: what went to the one before it is still being written.
      await Promise.allSettled(written);
      landed();
      throw error;
    }
  }

  private hasRoom(segment: OpenSegment, at: number): boolean {
    return at < this.segmentBytesMax && segment.frames <= FRAME_INDEX_MAX;
  }

  private async writeTo(
    segment: OpenSegment,
    buffers: readonly Buffer[],
    seldomRead: boolean,
  ): Promise<void> {
    const { writer } = segment;
    segment.writing++;
    try {
      await writer.append(buffers, seldomRead);
      await writer.sync();
      for (const { length } of buffers) this.statistics.bytes += length;
    } catch (error) {
      this.statistics.failures++;
      if (this.open === segment) this.open = null;
      throw error;
    } finally {
      segment.writing--;
      if (this.open !== segment && segment.writing === 0) await closed(writer);
    }
  }

  private openNext(): Promise<OpenSegment> {
    this.opening ??= this.create().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  private async create(): Promise<OpenSegment> {
    const id = await this.options.ids.take();
    this.creating = id;
    try {
      const writer = await this.options.segments.create(id);
      this.statistics.segments++;
      this.open = { writer, frames: 0, writing: 0 };
      return this.open;
    } finally {
      this.creating = null;
    }
  }

  private land(segment: number): void {
    const flights = this.flights.get(segment)! - 1;
    if (flights > 0) this.flights.set(segment, flights);
    else this.flights.delete(segment);
  }
}

/**
 * Whether data comes from writing a file from one end to the other. What was written here and there is read here and
 * there too, and soon.
 */
export function isInLongRuns(bytes: number, runs: number): boolean {
  return bytes >= runs * LONG_RUN_BYTES;
}

function named({ segment, index, at }: Place, stored: number): NamedFrame {
  return { segment, index, end: at + stored, stored };
}

/** Durable is what counts: a close that fails afterwards loses nothing. */
function closed(writer: SegmentWriter): Promise<void> {
  return writer.close().catch(() => {});
}

/** Waits for all, also when one has failed: until then their buffers are in use. */
async function settled(tasks: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(tasks))
    if (outcome.status === 'rejected') throw outcome.reason;
}

function withSize(source: FrameSource): SizedSource {
  return { source, payloadBytes: source.payload.reduce((sum, { length }) => sum + length, 0) };
}

/*
 * What is stored as it is. Both are written out: an object that begins with a spread and goes on with other fields has a
 * hidden class of its own in Node 20, and each look at a field of it then takes the slow way (a random read 3 of 12 us).
 */

function headerOf(
  { tree, dataId, window }: FrameSource,
  { segment, index }: Place,
  payloadBytes: number,
): FrameHeader {
  return {
    segment,
    index,
    payloadBytes,
    storedBytes: payloadBytes,
    codec: 0,
    keyId: 0,
    tree,
    dataId,
    window,
  };
}

function frameOf(
  { birth }: FrameSource,
  { segment, index, at }: Place,
  payloadBytes: number,
  checksums: Buffer,
): Frame {
  // In the order in which chunk-codec.ts makes them.
  return {
    segment,
    index,
    at,
    payloadBytes,
    storedBytes: payloadBytes,
    codec: 0,
    keyId: 0,
    birth,
    inherited: false,
    checksums,
  };
}

async function checksumsInTurns(sources: readonly SizedSource[]): Promise<readonly Buffer[]> {
  const checksums: Buffer[] = [];
  let bytes = 0;
  for (const { source, payloadBytes } of sources) {
    if (bytes >= SUMMED_A_TURN_BYTES) {
      await nextTurn();
      bytes = 0;
    }
    checksums.push(checksumsOf(source.payload, payloadBytes));
    bytes += payloadBytes;
  }
  return checksums;
}
