// How a flush goes about each window that it touches.
//
// Little data travels in the batch itself, as inline bytes of the map. More goes to a segment; then the inline bytes
// that the window has are carried along into the frames. And a window whose map would have too many extents is
// *coalesced*: all of it is read and written anew with the flush. Both are writes at the flush's generation.

import { attempt } from './attempt.ts';
import {
  type ChunkMap,
  EMPTY_MAP,
  EXTENTS_MAX,
  INLINE_BYTES_MAX,
  isOverfull,
  overlay,
  plan,
} from './chunk-map.ts';
import type { DirtyFile, DirtyLayer } from './dirty-file.ts';
import { type Extent, endOf, inlineExtent } from './extent.ts';
import { readExtents } from './extent-reader.ts';
import { FsError } from './fs-error.ts';
import { inOrder, type WindowPiece, windowPieces } from './window-piece.ts';

/** A flush of more goes to a segment. */
const INLINE_FLUSH_BYTES_MAX = 2 * INLINE_BYTES_MAX;
/** In a window of 1 MiB at most 64 gaps are as large as this or larger. */
const FILLED_GAP_BYTES = 16 * 1024;

export interface WindowFlush {
  readonly window: number;
  /** The map that the plan was made for. */
  readonly map: ChunkMap;
  readonly inline: boolean;
  readonly pieces: readonly WindowPiece[];
  /** Bytes of the map that are written anew, and zeros for holes. */
  readonly carried: readonly WindowPiece[];
  /** How many of those fill holes: they were never counted as growth. */
  readonly fillerBytes: number;
}

export async function planWindows(file: DirtyFile, frozen: DirtyLayer): Promise<WindowFlush[]> {
  const { windows, inline } = await attempt(() => lookAt(file, frozen));
  if (inline)
    return windows.map(({ window, map, pieces }) => ({
      window,
      map,
      inline,
      pieces,
      carried: [],
      fillerBytes: 0,
    }));
  const plans: WindowFlush[] = [];
  for (const { window, map, pieces } of windows) {
    const { carried, isAll } = await carriedAlong(file, map, pieces);
    // Between what was not carried along are no holes, but bytes that stay where they are.
    const zeros = isAll ? filler(inOrder(carried, pieces)) : [];
    const fillerBytes = zeros.reduce((sum, { data }) => sum + data.length, 0);
    plans.push({ window, map, inline: false, pieces, carried: [...carried, ...zeros], fillerBytes });
  }
  return plans;
}

interface TouchedWindow {
  readonly window: number;
  readonly map: ChunkMap;
  readonly pieces: readonly WindowPiece[];
}

function lookAt(file: DirtyFile, frozen: DirtyLayer): { windows: TouchedWindow[]; inline: boolean } {
  const { records } = file;
  const record = records.tree.dropped ? undefined : records.inode(file.ino);
  if (!record) return { windows: [], inline: true };
  const windowBytes = 2 ** record.windowLog2;
  const windows: TouchedWindow[] = [];
  let inline = frozen.ranges.bytes <= INLINE_FLUSH_BYTES_MAX;
  for (const [window, pieces] of windowPieces(frozen.ranges.pieces(), windowBytes)) {
    const map = (record.dataId > 0 ? records.chunk(record.dataId, window) : null) ?? EMPTY_MAP;
    if (inline) inline = !isOverfull(overlay(map, asInline(pieces)));
    windows.push({ window, map, pieces });
  }
  return { windows, inline };
}

/** What of the map stays visible below the flush and is written anew with it, and whether that is all of it. */
async function carriedAlong(
  file: DirtyFile,
  map: ChunkMap,
  pieces: readonly WindowPiece[],
): Promise<{ readonly carried: readonly WindowPiece[]; readonly isAll: boolean }> {
  const stays = visibleBelow(map, pieces);
  const inline = stays.flatMap(({ offset, data }) => (data ? [{ offset, data }] : []));
  if (stays.length + pieces.length <= EXTENTS_MAX) return { carried: inline, isAll: false };
  const frames = stays.filter((extent) => extent.frame !== null);
  try {
    const buffers = await attempt(() => readExtents(file.records.store, frames));
    const read = frames.map(({ offset }, at) => ({ offset, data: buffers[at]! }));
    return { carried: [...inline, ...read], isAll: true };
  } catch (error) {
    // What cannot be read stays as it is; its readers are told.
    if (error instanceof FsError) return { carried: inline, isAll: false };
    throw error;
  }
}

function visibleBelow(map: ChunkMap, pieces: readonly WindowPiece[]): Extent[] {
  const visible: Extent[] = [];
  const look = (from: number, to: number) => {
    for (const step of plan(map, from, to)) if (step.frame !== null || step.data !== null) visible.push(step);
  };
  let at = 0;
  for (const { offset, data } of pieces) {
    if (offset > at) look(at, offset);
    at = offset + data.length;
  }
  const end = map.at(-1);
  if (end && endOf(end) > at) look(at, endOf(end));
  return visible;
}

/** Zeros for the small holes of a window that would have more runs of bytes than a map has extents. */
function filler(pieces: readonly WindowPiece[]): WindowPiece[] {
  const gaps: WindowPiece[] = [];
  let runs = 0;
  let end = -1;
  for (const { offset, data } of pieces) {
    if (offset !== end) runs++;
    if (end >= 0 && offset > end && offset - end < FILLED_GAP_BYTES) {
      gaps.push({ offset: end, data: Buffer.alloc(offset - end) });
    }
    end = offset + data.length;
  }
  return runs > EXTENTS_MAX ? gaps : [];
}

function asInline(pieces: readonly WindowPiece[]): Extent[] {
  return pieces.map(({ offset, data }) => inlineExtent(offset, data));
}
