// A volume whose every batch is remembered, so that it can be opened again as a crash behind any of them leaves it.

import type { Clock, Random } from '../../../src/clock.ts';
import { checkVolume } from '../../../src/datasets/check/check-volume.ts';
import { createFormat, openFormat } from '../../../src/kv/format.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../../src/kv/memory-segment-store.ts';
import type { Write } from '../../../src/kv/meta-store.ts';
import { openVolume, type Volume } from '../../../src/volume.ts';
import { walk } from '../../fs/views/walk.ts';

/** Background work of one kind wakes that of another: data is drained, then swept, then a tree goes, then its parent's. */
const RESTS = 6;
const SETTINGS = {
  durability: 'strict',
  relaxedSyncMs: 1000,
  dirtyBytesMax: 2 ** 24,
  diskReserveBytes: 0,
  cacheBytes: 2 ** 22,
} as const;

class RecordingMetaStore extends MemoryMetaStore {
  readonly batches: (readonly Write[])[] = [];

  override async write(batch: readonly Write[], durable: boolean): Promise<void> {
    this.batches.push(
      batch.map(({ key, value }): Write => ({ key: Buffer.from(key), value: value && Buffer.from(value) })),
    );
    await super.write(batch, durable);
  }
}

/** Segments that are seen by later processes as they were, whatever was deleted since. */
class RecordedSegments extends MemorySegmentStore {
  private readonly before: RecordedSegments | null;
  private readonly made = new Set<number>();
  private readonly deleted = new Set<number>();

  constructor(before: RecordedSegments | null) {
    super();
    this.before = before;
  }

  override create(id: number) {
    this.made.add(id);
    return super.create(id);
  }

  override read(id: number, offset: number, length: number): Buffer {
    if (this.before && !this.made.has(id)) return this.before.read(id, offset, length);
    return super.read(id, offset, length);
  }

  override async list(): Promise<ReadonlyMap<number, number>> {
    const all = new Map([...((await this.before?.list()) ?? []), ...(await super.list())]);
    for (const id of this.deleted) all.delete(id);
    return all;
  }

  override async delete(id: number): Promise<void> {
    this.deleted.add(id);
  }
}

export class RecordedVolume {
  readonly volume: Volume;
  readonly errors: readonly string[];
  private readonly meta: RecordingMetaStore;
  private readonly segments: RecordedSegments;

  private constructor(
    volume: Volume,
    parts: { meta: RecordingMetaStore; segments: RecordedSegments; errors: string[] },
  ) {
    this.volume = volume;
    this.meta = parts.meta;
    this.segments = parts.segments;
    this.errors = parts.errors;
  }

  static async create(): Promise<RecordedVolume> {
    const meta = new RecordingMetaStore();
    await createFormat(meta, countedRandom(1));
    return RecordedVolume.open(meta, new RecordedSegments(null));
  }

  /** Batches written so far. */
  get batches(): number {
    return this.meta.batches.length;
  }

  /** What the next process finds when this one was killed behind its first `batches` batches. */
  async after(batches: number): Promise<RecordedVolume> {
    const meta = new RecordingMetaStore();
    for (const batch of this.meta.batches.slice(0, batches)) await meta.write(batch, true);
    return RecordedVolume.open(meta, new RecordedSegments(this.segments));
  }

  /** What clients see: of every dataset and every snapshot each object with its bytes. */
  async shown(): Promise<ReadonlyMap<string, unknown>> {
    const { datasets, snapshots } = this.volume;
    const seen = new Map<string, unknown>();
    for (const { id, name, fileSystem } of datasets.list()) {
      seen.set(name, await walk(fileSystem));
      for (const snapshot of snapshots.of(id))
        seen.set(`${name}@${snapshot.name}`, await walk(snapshot.fileSystem));
    }
    return seen;
  }

  /** All that goes on in the background comes to its end. */
  async rest(): Promise<void> {
    const { store, sweeps, trees, reclaimer } = this.volume;
    for (let round = 0; round < RESTS; round++) {
      await store.idle();
      await sweeps.idle();
      await trees.drained();
      reclaimer.wake();
      await reclaimer.idle();
    }
  }

  /** What a check of the volume finds; the end of its summary is left out. */
  async findings(): Promise<string[]> {
    const found: string[] = [];
    for await (const report of checkVolume(this.volume, { path: undefined, repair: false }))
      if (!('summary' in report)) found.push(JSON.stringify(report));
    return found;
  }

  async rowsOf(family: { range(): { gte: Buffer; lt: Buffer } }): Promise<number> {
    let rows = 0;
    for await (const _ of this.meta.rows(family.range())) rows++;
    return rows;
  }

  private static async open(meta: RecordingMetaStore, segments: RecordedSegments): Promise<RecordedVolume> {
    const errors: string[] = [];
    const add = (details: object, message: string) =>
      void errors.push(`${message}: ${'err' in details ? String(details.err) : ''}`);
    const log = { error: add, warn: add, info() {} };
    const random = countedRandom(meta.batches.length + 2);
    const format = await openFormat(meta, random);
    const clock = steppingClock();
    const volume = await openVolume({ meta, segments, format, clock, random, log, settings: SETTINGS });
    return new RecordedVolume(volume, { meta, segments, errors });
  }
}

/** Time that goes on with every look at it; nothing is ever due. */
function steppingClock(): Clock {
  let ms = 1_700_000_000_000;
  return {
    now: () => {
      ms += 7;
      return { seconds: Math.floor(ms / 1000), nanoseconds: (ms % 1000) * 1e6 };
    },
    elapsedMs: () => ms,
    after: () => ({ cancel() {} }),
  };
}

function countedRandom(first: number): Random {
  let next = first * 1000;
  return (count) => {
    const bytes = Buffer.alloc(Math.max(count, 4));
    bytes.writeUInt32BE(++next, 0);
    return bytes.subarray(0, count);
  };
}
