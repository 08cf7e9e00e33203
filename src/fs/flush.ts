// One flush of one file: its oldest layer, or a part of it, is frozen, appended to a segment and made durable, and then
// named by the maps in one batch with the file's size and times. Frames are durable before any pointer to them is staged.
//
// What is staged is what is *still* frozen at that moment: a truncation, an unlink or a stable write in between has cut
// its share out. A later WRITE over frozen bytes has not: it lies above them. When the segment fails, the bytes go back
// under what came since, with their dates.

import { lentBuffers } from '../lent-buffers.ts';
import { unpooledCopy } from '../unpooled-copy.ts';
import { attempt } from './attempt.ts';
import { isLater } from './change-time.ts';
import { allocated, EMPTY_MAP, isSame, overlay } from './chunk-map.ts';
import type { DirtyFile, DirtyLayer } from './dirty-file.ts';
import { type Extent, inlineExtent } from './extent.ts';
import { planWindows, type WindowFlush } from './flush-plan.ts';
import { type PackedFrame, packFrames, shownExtents } from './frame-packing.ts';
import { FsError } from './fs-error.ts';
import { type InodeRecord, withFields } from './inode-record.ts';
import { type AppendedFrame, isInLongRuns, type SegmentLog } from './segment-log.ts';
import type { Store } from './store.ts';
import { Turn } from './turn.ts';
import { bytesOf, inOrder, type WindowPiece } from './window-piece.ts';

export interface FlushStatistics {
  flushes: number;
  bytes: number;
  startedOver: number;
}

interface WrittenFrame {
  readonly packed: PackedFrame;
  readonly appended: AppendedFrame;
}

interface Written {
  /** By window; null where the bytes travel in the batch. */
  readonly frames: ReadonlyMap<number, readonly WrittenFrame[]> | null;
  readonly landed: (() => void) | null;
}

/** The maps changed under a flush that carries some of their bytes along. */
class StartOver extends Error {}

export class Flush {
  readonly statistics: FlushStatistics = { flushes: 0, bytes: 0, startedOver: 0 };
  private readonly store: Store;
  private readonly segmentLog: SegmentLog;
  private readonly written: (bytes: number) => void;

  /** `written` is told how many bytes went to the disk. */
  constructor(store: Store, segmentLog: SegmentLog, written: (bytes: number) => void) {
    this.store = store;
    this.segmentLog = segmentLog;
    this.written = written;
  }

  /** Rejects when the segment failed; what was frozen is back in its layer then. */
  async run(file: DirtyFile): Promise<void> {
    const frozen = file.freeze();
    if (!frozen) return;
    const { bytes } = frozen.ranges;
    let written = IN_THE_BATCH;
    try {
      const windows = await planWindows(file, frozen);
      written = windows.every(({ inline }) => inline)
        ? IN_THE_BATCH
        : await this.append(file, frozen, windows);
      const appended = written;
      const staged = await attempt(() => this.stage(file, frozen, windows, appended));
      for (const data of file.unused(staged)) lentBuffers.giveBack(data);
    } catch (error) {
      // What was appended is named by nobody.
      written.landed?.();
      putBack(file, frozen);
      if (!(error instanceof StartOver)) throw error;
      this.statistics.startedOver++;
      return;
    }
    this.statistics.flushes++;
    this.statistics.bytes += bytes;
    this.written(bytes);
  }

  private async append(
    file: DirtyFile,
    frozen: DirtyLayer,
    windows: readonly WindowFlush[],
  ): Promise<Written> {
    const { tree } = file.records;
    const { generation: birth } = frozen;
    // It may have left the caches since the windows were looked at: that is no failure of a segment.
    const dataId = (await attempt(() => file.records.inode(file.ino)))?.dataId ?? 0;
    const packed = windows.map(({ window, carried, pieces }) => ({
      window,
      frames: packFrames(inOrder(carried, pieces)),
    }));
    const sources = packed.flatMap(({ window, frames }) =>
      frames.map(({ payload }) => ({ tree: tree.id, dataId, window, payload, birth })),
    );
    const runs = packed.flatMap(({ frames }) => frames.flatMap(({ parts }) => parts));
    const bytes = runs.reduce((sum, { length }) => sum + length, 0);
    const { frames: appended, landed } = await this.segmentLog.append(
      sources,
      isInLongRuns(bytes, runs.length),
    );
    let next = 0;
    const frames = new Map<number, WrittenFrame[]>();
    for (const { window, frames: inWindow } of packed) {
      frames.set(
        window,
        inWindow.map((one) => ({ packed: one, appended: appended[next++]! })),
      );
    }
    return { frames, landed };
  }

  /**
   * In one turn: everything that is still frozen gets its place in the maps.
   * @returns what is staged
   */
  private stage(
    file: DirtyFile,
    frozen: DirtyLayer,
    windows: readonly WindowFlush[],
    written: Written,
  ): readonly Buffer[] {
    const { records } = file;
    const { tree } = records;
    const record = tree.dropped ? undefined : records.inode(file.ino);
    if (!record || frozen.ranges.bytes === 0) {
      file.frozen = null;
      file.dropEmptyLayers();
      written.landed?.();
      return [];
    }
    const turn = new Turn(records, this.store.parts.clock.now());
    const dataId = record.dataId || this.store.dataIds.take();
    let growth = 0;
    let filler = 0;
    for (const flush of windows) {
      growth += stageWindow(turn, { record, dataId, frozen, flush, written });
      filler += flush.fillerBytes;
    }
    turn.put(flushed(record, frozen, dataId, growth));
    turn.count(growth, 0);
    turn.afterwardsDo(() => {
      file.frozen = null;
      file.grow(filler - growth);
    });
    const staged = frozen.ranges.pieces().map(({ data }) => data);
    turn.commit(frozen.generation, written.landed);
    return staged;
  }
}

const IN_THE_BATCH: Written = { frames: null, landed: null };

interface WindowStage {
  readonly record: InodeRecord;
  readonly dataId: number;
  readonly frozen: DirtyLayer;
  readonly flush: WindowFlush;
  readonly written: Written;
}

/** @returns how many bytes of holes were filled */
function stageWindow(turn: Turn, { record, dataId, frozen, flush, written }: WindowStage): number {
  const { window, carried } = flush;
  const windowBytes = 2 ** record.windowLog2;
  const start = window * windowBytes;
  const pieces = inWindow(frozen, start, windowBytes);
  // A new data id has no maps, and nobody need be asked for them.
  const map = (record.dataId > 0 ? turn.chunk(dataId, window) : null) ?? EMPTY_MAP;
  if (carried.length > 0 && (!isSame(map, flush.map) || bytesOf(pieces) !== bytesOf(flush.pieces)))
    throw new StartOver();
  if (pieces.length === 0) return 0;
  const extents: Extent[] = [];
  if (!written.frames) {
    // A copy: the bytes of the call are part of a larger read from the network, the record stays.
    for (const { offset, data } of pieces) extents.push(inlineExtent(offset, unpooledCopy(data)));
  } else {
    const shown = carried.length > 0 ? inOrder(carried, pieces) : pieces;
    for (const { packed, appended } of written.frames.get(window)!) {
      const parts = shownExtents(packed, appended.frame, shown);
      if (parts.length === 0) continue;
      turn.name(appended.named);
      extents.push(...parts);
    }
  }
  const next = overlay(map, extents);
  turn.putChunk(dataId, window, next);
  return allocated(next) - allocated(map);
}

function flushed(record: InodeRecord, frozen: DirtyLayer, dataId: number, growth: number): InodeRecord {
  const { mtime, ctime } = frozen;
  const later = isLater(ctime, record);
  return withFields(record, {
    size: Math.max(record.size, frozen.ranges.end),
    allocated: record.allocated + growth,
    dataId,
    mtimeSeconds: mtime?.seconds ?? record.mtimeSeconds,
    mtimeNanoseconds: mtime?.nanoseconds ?? record.mtimeNanoseconds,
    ctimeSeconds: later ? ctime.seconds : record.ctimeSeconds,
    ctimeNanoseconds: later ? ctime.nanoseconds : record.ctimeNanoseconds,
    change: record.change + 1,
  });
}

function putBack(file: DirtyFile, frozen: DirtyLayer): void {
  if (file.frozen !== frozen) throw new FsError('EIO', 'A flush failed after it was staged');
  file.frozen = null;
  const above = file.layers[0];
  if (above?.generation === frozen.generation) above.ranges.putBack(frozen.ranges);
  else if (frozen.ranges.bytes > 0) file.layers.unshift(frozen);
}

/** What a layer holds of a window, at offsets in the window. */
function inWindow(layer: DirtyLayer, start: number, windowBytes: number): WindowPiece[] {
  return layer.ranges
    .pieces(start, start + windowBytes)
    .map(({ offset, data }) => ({ offset: offset - start, data }));
}
