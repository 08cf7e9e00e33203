// A volume whose every batch is remembered, so that it can be opened again as a crash behind any of them leaves it.

import type { Clock } from '../../../src/clock.ts';
import { checkVolume } from '../../../src/datasets/check/check-volume.ts';
import { MemorySegmentStore } from '../../../src/kv/memory-segment-store.ts';
import type { Volume } from '../../../src/volume.ts';
import { walk } from '../../fs/views/walk.ts';
import { RecordingMetaStore } from '../../kv/recording-meta-store.ts';
import { openMemoryVolume } from '../memory-volume.ts';

/** Background work of one kind wakes that of another: data is drained, then swept, then a tree goes, then its parent's. */
const RESTS = 6;
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
    const all = new Map(await this.ever());
    for (const id of this.deleted) all.delete(id);
    return all;
  }

  override async delete(id: number): Promise<void> {
    this.deleted.add(id);
  }

  /** Also what was deleted since the crash: to the next process that is there, and nothing names it. */
  private async ever(): Promise<ReadonlyMap<number, number>> {
    return new Map([...((await this.before?.ever()) ?? []), ...(await super.list())]);
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

  static create(): Promise<RecordedVolume> {
    return RecordedVolume.open(new RecordingMetaStore(), new RecordedSegments(null));
  }

  /** Batches written so far. */
  get batches(): number {
    return this.meta.batches.length;
  }

  /** What the next process finds when this one was killed behind its first `batches` batches. */
  async after(batches: number): Promise<RecordedVolume> {
    return RecordedVolume.open(await this.meta.after(batches), new RecordedSegments(this.segments));
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

  /** What a person is told of them. */
  told(): ReadonlyMap<string, unknown> {
    const { datasets, snapshots } = this.volume;
    const told = new Map<string, unknown>();
    for (const { id, name } of datasets.list()) {
      const { parentUuid, origin } = datasets.info(name);
      told.set(name, { parentUuid, origin });
      for (const snapshot of snapshots.of(id)) {
        const full = `${name}@${snapshot.name}`;
        const { holds, properties, clones, referencedInodes } = snapshots.info(full);
        told.set(full, { holds, properties, clones, referencedInodes });
      }
    }
    return told;
  }

  /** All that goes on in the background comes to its end. */
  async rest(): Promise<void> {
    const { store, sweeps, trees, reclaimer, detaches, detachPolicy, snapshots } = this.volume;
    await snapshots.idle();
    await detaches.idle();
    await detachPolicy.idle();
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
    const volume = await openMemoryVolume({ meta, segments, clock: steppingClock(), log });
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
