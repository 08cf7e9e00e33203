// A SegmentStore that crashes. Each completion is the scheduler's choice. A power cut keeps of a segment what a sync
// covers; of the bytes behind it some first part, in which some may be zeros; and a name only if a sync covers it, else
// perhaps.

import type { Eventual } from '../../src/eventual.ts';
import { SegmentReadError, type SegmentStore, type SegmentWriter } from '../../src/kv/segment-store.ts';
import type { Crash } from './crashing-meta-store.ts';
import { type SeededRandom, upTo } from './seeded-random.ts';
import type { Scheduler } from './seeded-scheduler.ts';

interface Append {
  readonly buffers: readonly Buffer[];
  readonly offset: number;
  resolve(offset: number): void;
  reject(error: Error): void;
}

interface Segment {
  bytes: Buffer;
  syncedBytes: number;
  nameIsDurable: boolean;
  inFlight: Append[];
  /** A deletion has been asked for and has not completed. */
  doomed: boolean;
}

export type SegmentCall = 'create' | 'append' | 'sync' | 'read' | 'delete';

export class CrashingSegmentStore implements SegmentStore {
  /** What `freeBytes` answers. */
  free = Number.POSITIVE_INFINITY;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #segments: Map<number, Segment>;
  readonly #failNext = new Set<SegmentCall>();
  #crashed = false;

  constructor(scheduler: Scheduler, random: SeededRandom, segments = new Map<number, Segment>()) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#segments = segments;
  }

  /** The next completion of this call fails. */
  failNext(call: SegmentCall): void {
    this.#failNext.add(call);
  }

  /** The store that the next start finds. Nothing that waits on this one is ever answered. */
  crash(kind: Crash): CrashingSegmentStore {
    this.#crashed = true;
    const found = new Map<number, Segment>();
    for (const [id, segment] of this.#segments) {
      if (segment.doomed && this.#random() < 0.5) continue;
      if (kind === 'power' && !segment.nameIsDurable && this.#random() < 0.75) continue;
      const bytes = this.#surviving(segment, kind);
      found.set(id, { bytes, syncedBytes: bytes.length, nameIsDurable: true, inFlight: [], doomed: false });
    }
    return new CrashingSegmentStore(this.#scheduler, this.#random, found);
  }

  create(id: number): Promise<SegmentWriter> {
    return this.#later('create', () => {
      if (this.#segments.has(id)) throw new Error(`Cannot create segment ${id}: it exists`);
      const segment: Segment = {
        bytes: Buffer.alloc(0),
        syncedBytes: 0,
        nameIsDurable: false,
        inFlight: [],
        doomed: false,
      };
      this.#segments.set(id, segment);
      return this.#writer(id, segment);
    });
  }

  read(id: number, offset: number, length: number): Eventual<Buffer> {
    const segment = this.#segments.get(id);
    const reason = this.#failNext.delete('read')
      ? 'the disk failed'
      : segment
        ? 'it ends before that'
        : 'it is absent';
    const failure = new SegmentReadError(
      `Cannot read ${length} bytes at ${offset} of segment ${id}: ${reason}`,
    );
    const fails = reason === 'the disk failed' || !segment || offset + length > segment.bytes.length;
    if (this.#random() < 0.5) {
      if (fails) throw failure;
      return segment.bytes.subarray(offset, offset + length);
    }
    const bytes = segment?.bytes;
    return this.#later('read', () => {
      if (fails) throw failure;
      return bytes!.subarray(offset, offset + length);
    });
  }

  list(): Promise<ReadonlyMap<number, number>> {
    const sizes = new Map([...this.#segments].map(([id, { bytes }]) => [id, bytes.length]));
    return this.#later('list', () => sizes);
  }

  delete(id: number): Promise<void> {
    const segment = this.#segments.get(id);
    if (segment) segment.doomed = true;
    return this.#later('delete', () => {
      this.#segments.delete(id);
    });
  }

  async freeBytes(): Promise<number> {
    return this.free;
  }

  close(): Promise<void> {
    return this.#later('close', () => {});
  }

  #writer(id: number, segment: Segment): SegmentWriter {
    let size = 0;
    let refusal: Error | undefined;
    const refuseAll = (error: Error) => {
      refusal ??= new Error(`Cannot write to segment ${id}: an earlier write failed`, { cause: error });
      for (const { reject } of segment.inFlight) reject(refusal);
      segment.inFlight = [];
    };
    return {
      id,
      get size() {
        return size;
      },
      append: (buffers) => {
        if (refusal) return Promise.reject(refusal);
        const offset = size;
        for (const buffer of buffers) size += buffer.length;
        return new Promise((resolve, reject) => {
          segment.inFlight.push({ buffers, offset, resolve, reject });
          if (segment.inFlight.length === 1) this.#scheduleAppend(segment, refuseAll);
        });
      },
      sync: async () => {
        if (refusal) throw refusal;
        const covered = segment.bytes.length;
        try {
          await this.#later('sync', () => {
            segment.syncedBytes = Math.max(segment.syncedBytes, covered);
            segment.nameIsDurable = true;
          });
        } catch (error) {
          refuseAll(error as Error);
          throw error;
        }
      },
      close: () => {
        refusal ??= new Error(`Cannot write to segment ${id}: its writer is closed`);
        return this.#later('close', () => {});
      },
    };
  }

  #scheduleAppend(segment: Segment, refuseAll: (error: Error) => void): void {
    this.#scheduler.later('append', () => {
      const [append] = segment.inFlight;
      if (this.#crashed || !append) return;
      // The bytes are taken only now: a caller that changes them before it is answered is found out.
      const bytes = Buffer.concat(append.buffers);
      if (this.#failNext.delete('append')) {
        segment.bytes = Buffer.concat([segment.bytes, bytes.subarray(0, upTo(this.#random, bytes.length))]);
        refuseAll(new Error('the disk failed'));
        return;
      }
      segment.inFlight.shift();
      segment.bytes = Buffer.concat([segment.bytes, bytes]);
      append.resolve(append.offset);
      if (segment.inFlight.length > 0) this.#scheduleAppend(segment, refuseAll);
    });
  }

  #surviving({ bytes, syncedBytes, inFlight }: Segment, kind: Crash): Buffer {
    const all = Buffer.concat([bytes, ...inFlight.flatMap(({ buffers }) => buffers)]);
    const sure = kind === 'process' ? bytes.length : syncedBytes;
    const kept = Buffer.from(all.subarray(0, sure + upTo(this.#random, all.length - sure)));
    if (kind === 'power' && this.#random() < 0.5) kept.fill(0, sure + upTo(this.#random, kept.length - sure));
    return kept;
  }

  #later<T>(call: string, complete: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#scheduler.later(call, () => {
        if (this.#crashed) return;
        try {
          if (this.#failNext.delete(call as SegmentCall)) throw new Error(`Cannot ${call}: the disk failed`);
          resolve(complete());
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}
