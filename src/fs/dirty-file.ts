// What was written to a file and is not in the store yet, and what it does to the file's attributes.
//
// Bytes are kept in layers by the generation that accepted them: what came before a snapshot is flushed at its own
// stamp, before anything newer of the inode. A flush *freezes* the oldest layer and takes one at a time; later writes
// gather above it. Truncations, unlinks and stable writes cut frozen and waiting bytes alike.

import type { Timestamp } from '../clock.ts';
import { type ChangeTime, isLater } from './change-time.ts';
import { plan } from './chunk-map.ts';
import { type DirtyPiece, DirtyRanges, WINDOW_BYTES } from './dirty-ranges.ts';
import type { Attributes } from './file-system.ts';
import { type InodeRecord, withFields } from './inode-record.ts';
import type { Records } from './records.ts';
import type { Tree } from './tree.ts';

/** What the network layer and the maps keep for a piece, besides its bytes. */
const PIECE_OVERHEAD_BYTES = 256;
/** What a piece counts as at least: of small ones it is their number that takes time, for each flush and each look at them. */
const PIECE_COST_MIN_BYTES = 4096;

/** The windows that one flush of a file takes. */
export interface FlushWindows {
  readonly bytes: number;
  /** All their maps are decoded, changed and encoded in turns that others wait for: 250 extents in each take 2 ms a window. */
  readonly max: number;
}

export const FLUSH_WINDOWS: FlushWindows = { bytes: WINDOW_BYTES, max: 128 };

/** What so many bytes in so many pieces count as, of the budget. */
export function waitingCost(bytes: number, pieces: number): number {
  return Math.max(bytes + pieces * PIECE_OVERHEAD_BYTES, pieces * PIECE_COST_MIN_BYTES);
}

export interface DirtyLayer {
  generation: number;
  readonly ranges: DirtyRanges;
  /** Of the last write; null when a SETATTR or a stable write came after it. */
  mtime: Timestamp | null;
  ctime: Timestamp;
}

/** What a write does to the attributes. */
export interface WriteEffects {
  readonly growth: number;
  readonly ctime: Timestamp;
  readonly mtime: Timestamp;
}

/** Flushes files; the budget and the clock behind it are write-back's. */
export interface Flusher {
  readonly flushWindows: FlushWindows;
  /** One flush of the oldest layer, or of a part of it. Resolves when it is staged or put back. */
  flush(file: DirtyFile): Promise<void>;
  /** Resolves when nothing that a kept generation shows and that was accepted before `accept` waits any more. */
  flushOlder(file: DirtyFile, accept: number): Promise<void>;
  changed(file: DirtyFile): void;
}

export class DirtyFile {
  readonly ino: number;
  readonly records: Records;
  /** Oldest first; never two of one generation. */
  readonly layers: DirtyLayer[] = [];
  /** What a flush under way has taken. */
  frozen: DirtyLayer | null = null;
  /** The last flush took not all of its layer. */
  private isFrozenInPart = false;
  /** Bytes that wait where the maps have holes: what a flush will add to the file's allocated bytes. */
  growth = 0;
  /** As the budget counts it. */
  costBytes = 0;
  /** The flush under way. */
  flushing: Promise<void> | null = null;
  /** The last flush did. */
  hasFailed = false;
  /** Since when something waits, on the monotonic clock. */
  readonly sinceMs: number;
  private readonly flusher: Flusher;

  constructor(ino: number, records: Records, flusher: Flusher, sinceMs: number) {
    this.ino = ino;
    this.records = records;
    this.flusher = flusher;
    this.sinceMs = sinceMs;
  }

  get isEmpty(): boolean {
    return this.frozen === null && this.layers.length === 0;
  }

  /** Offset behind the last byte that waits. */
  get end(): number {
    let end = this.frozen?.ranges.end ?? 0;
    for (const { ranges } of this.layers) end = Math.max(end, ranges.end);
    return end;
  }

  /** How many flushes the oldest layer takes as it is. */
  get flushesDue(): number {
    return Math.ceil((this.layers[0]?.ranges.windows ?? 0) / this.flusher.flushWindows.max);
  }

  /** Takes the oldest layer for a flush, or as much of it as one flush may. */
  freeze(): DirtyLayer | undefined {
    const layer = this.layers[0];
    if (!layer) return undefined;
    this.frozen = { ...layer, ranges: layer.ranges.take(this.flusher.flushWindows.max) };
    this.isFrozenInPart = layer.ranges.bytes > 0;
    if (!this.isFrozenInPart) this.layers.shift();
    return this.frozen;
  }

  /** Of buffers that a flush has staged, those that nothing waits in: of a WRITE over two windows one may be left. */
  unused(staged: readonly Buffer[]): readonly Buffer[] {
    if (!this.isFrozenInPart) return staged;
    const waiting = new Set<ArrayBufferLike>();
    for (const { ranges } of this.layers) for (const { data } of ranges.pieces()) waiting.add(data.buffer);
    return staged.filter(({ buffer }) => !waiting.has(buffer));
  }

  /** The date of the oldest byte: a COMMIT waits for what dates from before it. */
  get oldest(): number {
    let oldest = this.frozen?.ranges.oldest ?? Number.POSITIVE_INFINITY;
    for (const { ranges } of this.layers) oldest = Math.min(oldest, ranges.oldest);
    return oldest;
  }

  /** What lies above what: newest first, the frozen bytes last. */
  sources(): DirtyRanges[] {
    const sources = this.layers.map(({ ranges }) => ranges).reverse();
    if (this.frozen) sources.push(this.frozen.ranges);
    return sources;
  }

  /** Waiting bytes that were accepted before generation `accept`. */
  isOlderThan(accept: number): boolean {
    return (
      (this.frozen !== null && this.frozen.generation < accept) ||
      (this.layers[0]?.generation ?? accept) < accept
    );
  }

  /** Whether a kept generation shows what waits here, or will: one that is being taken. */
  isShownByKept(): boolean {
    const oldest = this.frozen ?? this.layers[0];
    return oldest !== undefined && this.records.tree.keepsSince(oldest.generation);
  }

  /**
   * What waits counts as accepted in `accept`, with what came since: no kept generation lies in between. Generations up
   * to there are all the same to those that are kept, so a flush under way may have its frames of the older one.
   */
  restamp(accept: number): void {
    if (this.frozen) this.frozen.generation = accept;
    const newest = this.layers.pop();
    if (!newest) return;
    for (const { ranges } of this.layers.reverse()) newest.ranges.putBack(ranges);
    newest.generation = accept;
    this.layers.splice(0, this.layers.length, newest);
    this.flusher.changed(this);
  }

  /** @throws FsError `EIO` when it cannot be stored */
  flushOlder(accept: number): Promise<void> {
    return this.flusher.flushOlder(this, accept);
  }

  /** Takes bytes in; `growth` of them were counted by {@link holesUnder}. */
  write(generation: number, piece: DirtyPiece, { growth, ctime, mtime }: WriteEffects): void {
    let layer = this.layers.at(-1);
    if (layer?.generation !== generation) {
      layer = { generation, ranges: new DirtyRanges(this.flusher.flushWindows.bytes), mtime, ctime };
      this.layers.push(layer);
    }
    layer.ranges.write(piece, 'older');
    layer.mtime = mtime;
    layer.ctime = ctime;
    this.grow(growth);
    this.flusher.changed(this);
  }

  /** Forgets what waits from `from` up to `to`; `growth` is what the file's growth is from now on. */
  cut(from: number, to: number, growth: number): void {
    this.frozen?.ranges.remove(from, to);
    for (const { ranges } of this.layers) ranges.remove(from, to);
    this.dropEmptyLayers();
    this.grow(growth - this.growth);
    this.flusher.changed(this);
  }

  /** A SETATTR or a stable write has set the mtime: what waits no longer does. */
  forgetTimes(): void {
    if (this.frozen) this.frozen.mtime = null;
    for (const layer of this.layers) layer.mtime = null;
  }

  grow(bytes: number): void {
    this.growth += bytes;
    this.records.tree.dirtyGrowth += bytes;
  }

  /** The latest ctime: the record's or that of the last write. */
  ctimeAfter(record: InodeRecord): ChangeTime {
    const ctime = (this.layers.at(-1) ?? this.frozen)?.ctime;
    if (!ctime || !isLater(ctime, record)) return record;
    return { ctimeSeconds: ctime.seconds, ctimeNanoseconds: ctime.nanoseconds };
  }

  /** The mtime of the last write; undefined where the record's counts. */
  get mtime(): Timestamp | undefined {
    return (this.layers.at(-1) ?? this.frozen)?.mtime ?? undefined;
  }

  /** Bytes from `from` up to `to` that neither wait nor are in the maps. */
  holesUnder(record: InodeRecord, from: number, to: number): number {
    let holes = mapHoles(this.records, record, from, to);
    for (const ranges of this.sources()) holes = holes.flatMap((hole) => without(hole, ranges));
    return holes.reduce((sum, hole) => sum + hole.to - hole.from, 0);
  }

  /** The file's growth once everything from `from` up to `to` is cut: what else waits over holes. */
  growthWithout(record: InodeRecord, from: number, to: number): number {
    if (from === 0 && to >= this.end) return 0;
    const waiting: Span[] = [];
    for (const ranges of this.sources()) {
      for (const { offset, data } of ranges.pieces()) {
        const end = offset + data.length;
        if (offset < from) waiting.push({ from: offset, to: Math.min(end, from) });
        if (end > to) waiting.push({ from: Math.max(offset, to), to: end });
      }
    }
    let growth = 0;
    for (const span of union(waiting)) {
      for (const hole of mapHoles(this.records, record, span.from, span.to)) growth += hole.to - hole.from;
    }
    return growth;
  }

  dropEmptyLayers(): void {
    for (let at = this.layers.length - 1; at >= 0; at--) {
      if (this.layers[at]!.ranges.bytes === 0) this.layers.splice(at, 1);
    }
  }

  /** What the budget counts: bytes, and what each piece takes beside them. */
  cost(): number {
    let cost = 0;
    for (const { bytes, count } of this.sources()) cost += waitingCost(bytes, count);
    return cost;
  }
}

/** What `stat` shows: the record with what waits laid over it. */
export function attributesWithDirty(tree: Tree, record: InodeRecord): Attributes {
  const file = tree.dirty.get(record.ino);
  if (!file || file.isEmpty) return record;
  const ctime = file.ctimeAfter(record);
  const mtime = file.mtime;
  return withFields(record, {
    size: Math.max(record.size, file.end),
    allocated: record.allocated + file.growth,
    mtimeSeconds: mtime?.seconds ?? record.mtimeSeconds,
    mtimeNanoseconds: mtime?.nanoseconds ?? record.mtimeNanoseconds,
    ctimeSeconds: ctime.ctimeSeconds,
    ctimeNanoseconds: ctime.ctimeNanoseconds,
  });
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Where the maps have nothing. Windows that begin behind the end of the file have no map. */
function mapHoles(records: Records, record: InodeRecord, from: number, to: number): Span[] {
  const windowBytes = 2 ** record.windowLog2;
  const holes: Span[] = [];
  for (let at = from; at < to; ) {
    const window = Math.floor(at / windowBytes);
    const start = window * windowBytes;
    const end = Math.min(to, start + windowBytes);
    const map = record.dataId > 0 && start < record.size ? records.chunk(record.dataId, window) : null;
    if (!map) holes.push({ from: at, to: end });
    else {
      for (const step of plan(map, at - start, end - start)) {
        if (step.frame || step.data) continue;
        holes.push({ from: start + step.offset, to: start + step.offset + step.length });
      }
    }
    at = end;
  }
  return holes;
}

function without(span: Span, ranges: DirtyRanges): Span[] {
  const rest: Span[] = [];
  let at = span.from;
  for (const { offset, data } of ranges.pieces(span.from, span.to)) {
    if (offset > at) rest.push({ from: at, to: offset });
    at = offset + data.length;
  }
  if (at < span.to) rest.push({ from: at, to: span.to });
  return rest;
}

function union(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && span.from <= last.to)
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else merged.push(span);
  }
  return merged;
}
