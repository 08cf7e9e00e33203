// What one window of a file's data consists of: extents in ascending order that never overlap; between them are holes,
// which read as zeros. Maps are immutable. chunk-codec.ts has their bytes.

import { type Extent, endOf, type Frame, frameId, inlineExtent, sliceExtent } from './extent.ts';

export type ChunkMap = readonly Extent[];

export const EMPTY_MAP: ChunkMap = [];

/**
 * A window with more is coalesced before its next flush. As many as a window of 1 MiB has blocks of 4 KiB: with half of
 * it, random writes of 4 KiB rewrote each window every 112 of them (15k against 22k writes a second).
 */
export const EXTENTS_MAX = 256;
/** Inline bytes that a window may keep; more go to a segment. */
export const INLINE_BYTES_MAX = 16 * 1024;

export interface Hole {
  readonly offset: number;
  readonly length: number;
  readonly data: null;
  readonly frame: null;
}

/** Part of a read: zeros, bytes that are here, or bytes to fetch from `skip` of a frame's payload. */
export type ReadStep = Extent | Hole;

/** The map with `extents` on top of it, a later one on top of an earlier one. */
export function overlay(map: ChunkMap, extents: readonly Extent[]): ChunkMap {
  const result = map.slice();
  for (const extent of extents) if (extent.length > 0) put(result, extent);
  return joinInline(result);
}

/** The map without anything at or past `from`. */
export function cut(map: ChunkMap, from: number): ChunkMap {
  const first = firstEndingAfter(map, from);
  if (first === map.length) return map;
  const straddler = map[first]!;
  const kept = map.slice(0, first);
  if (straddler.offset < from) kept.push(sliceExtent(straddler, straddler.offset, from));
  return kept;
}

/** How a read of the bytes from `from` up to `to` is served, in order and without gaps. */
export function plan(map: ChunkMap, from: number, to: number): ReadStep[] {
  const steps: ReadStep[] = [];
  let at = from;
  for (let i = firstEndingAfter(map, from); at < to; i++) {
    const extent = map[i];
    const start = extent === undefined ? to : Math.min(extent.offset, to);
    if (at < start) steps.push({ offset: at, length: start - at, data: null, frame: null });
    if (extent === undefined || start === to) break;
    const begin = Math.max(at, start);
    at = Math.min(endOf(extent), to);
    steps.push(sliceExtent(extent, begin, at));
  }
  return steps;
}

/** The bytes from `from` up to `to` where one extent shows all of them. */
export function extentOver(map: ChunkMap, from: number, to: number): Extent | undefined {
  const extent = map[firstEndingAfter(map, from)];
  return extent && extent.offset <= from && endOf(extent) >= to ? sliceExtent(extent, from, to) : undefined;
}

export function isEmpty(map: ChunkMap): boolean {
  return map.length === 0;
}

/** Whether both show the same bytes from the same places; a map that was read again is another object. */
export function isSame(a: ChunkMap, b: ChunkMap): boolean {
  return a === b || (a.length === b.length && a.every((extent, at) => isSameExtent(extent, b[at]!)));
}

/** Bytes that are no hole. */
export function allocated(map: ChunkMap): number {
  let bytes = 0;
  for (const extent of map) bytes += extent.length;
  return bytes;
}

/** Bytes from `from` up to `to` that are no hole. */
export function covered(map: ChunkMap, from: number, to: number): number {
  let bytes = 0;
  for (let i = firstEndingAfter(map, from); i < map.length && map[i]!.offset < to; i++) {
    bytes += Math.min(endOf(map[i]!), to) - Math.max(map[i]!.offset, from);
  }
  return bytes;
}

export function inlineBytes(map: ChunkMap): number {
  let bytes = 0;
  for (const extent of map) if (extent.frame === null) bytes += extent.length;
  return bytes;
}

/** Past {@link EXTENTS_MAX} or {@link INLINE_BYTES_MAX}: to be coalesced. */
export function isOverfull(map: ChunkMap): boolean {
  return map.length > EXTENTS_MAX || inlineBytes(map) > INLINE_BYTES_MAX;
}

/** Every frame that the map names, by {@link frameId}. */
export function framesOf(map: ChunkMap): ReadonlyMap<number, Frame> {
  const frames = new Map<number, Frame>();
  for (const { frame } of map) if (frame !== null) frames.set(frameId(frame.segment, frame.index), frame);
  return frames;
}

/** The map as a tree shows it that finds it in its parent. */
export function inheritedMap(map: ChunkMap): ChunkMap {
  const inherited = new Map<Frame, Frame>();
  return map.map((extent) => {
    if (extent.frame === null) return extent;
    const frame = inherited.get(extent.frame) ?? { ...extent.frame, inherited: true };
    inherited.set(extent.frame, frame);
    return { ...extent, frame };
  });
}

/** What the frames take in segments, each counted once, however little of it still shows. */
export function frameBytes(map: ChunkMap): number {
  let bytes = 0;
  for (const frame of framesOf(map).values()) bytes += frame.storedBytes;
  return bytes;
}

function isSameExtent(a: Extent, b: Extent): boolean {
  if (a.offset !== b.offset || a.length !== b.length || a.skip !== b.skip) return false;
  if (a.frame === null || b.frame === null)
    return a.data !== null && b.data !== null && a.data.equals(b.data);
  return a.frame.segment === b.frame.segment && a.frame.index === b.frame.index;
}

/** Puts an extent into `extents`, cutting what it covers. */
function put(extents: Extent[], extent: Extent): void {
  const end = endOf(extent);
  const first = firstEndingAfter(extents, extent.offset);
  let last = first;
  while (last < extents.length && extents[last]!.offset < end) last++;
  const parts: Extent[] = [extent];
  if (first < last) {
    const left = extents[first]!;
    const right = extents[last - 1]!;
    if (left.offset < extent.offset) parts.unshift(sliceExtent(left, left.offset, extent.offset));
    if (endOf(right) > end) parts.push(sliceExtent(right, end, endOf(right)));
  }
  extents.splice(first, last - first, ...parts);
}

/** Inline bytes side by side become one extent, so that a log that grows line by line does not fill its window's map. */
function joinInline(extents: readonly Extent[]): ChunkMap {
  const joined: Extent[] = [];
  for (const extent of extents) {
    const last = joined.at(-1);
    if (last?.data && extent.data && endOf(last) === extent.offset) {
      joined[joined.length - 1] = inlineExtent(last.offset, Buffer.concat([last.data, extent.data]));
    } else {
      joined.push(extent);
    }
  }
  return joined;
}

/** Index of the first extent that ends behind `offset`. */
function firstEndingAfter(map: ChunkMap, offset: number): number {
  let low = 0;
  let high = map.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (endOf(map[middle]!) > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}
