// Which bytes of a file differ between two moments. What both show of the same frame is the same and is not looked at;
// whole blocks of other frames differ when their checksums do; the rest is read and compared. A hole and written zeros
// differ: they take different room.

import { attempt } from '../../fs/attempt.ts';
import { type ChunkMap, EMPTY_MAP, plan, type ReadStep } from '../../fs/chunk-map.ts';
import { type FrameExtent, sliceExtent } from '../../fs/extent.ts';
import { readExtents } from '../../fs/extent-reader.ts';
import { BLOCK_BYTES } from '../../fs/frame.ts';
import type { InodeRecord } from '../../fs/inode-record.ts';
import type { Store } from '../../fs/store.ts';
import type { ByteRange } from './change.ts';
import type { MomentView } from './moment-view.ts';

const CHECKSUM_BYTES = 4;

/** A file at a moment. */
export interface FileAt {
  readonly view: MomentView;
  readonly record: InodeRecord;
}

/**
 * In ascending order; ranges may touch.
 * @param noted the windows that may differ, where both moments name the data by the same id; null is all of them
 */
export async function* changedRanges(
  from: FileAt,
  to: FileAt,
  noted: Iterable<number> | null,
): AsyncGenerator<ByteRange> {
  const common = Math.min(from.record.size, to.record.size);
  const windowBytes = 2 ** to.record.windowLog2;
  for (const window of await windowsToCompare(from, to, noted)) {
    const start = window * windowBytes;
    const length = Math.min(windowBytes, common - start);
    if (length <= 0) continue;
    const [before, after] = await Promise.all([from, to].map((file) => mapOf(file, window)));
    for await (const { offset, length: bytes } of changedInWindow(to.view.store, before!, after!, length))
      yield { offset: start + offset, length: bytes };
  }
  const longer = Math.max(from.record.size, to.record.size);
  if (longer > common) yield { offset: common, length: longer - common };
}

async function windowsToCompare(
  from: FileAt,
  to: FileAt,
  noted: Iterable<number> | null,
): Promise<readonly number[]> {
  const windows = new Set<number>();
  if (noted && from.record.dataId === to.record.dataId) {
    for (const window of noted) windows.add(window);
  } else {
    for (const { view, record } of [from, to]) {
      if (record.dataId === 0) continue;
      for await (const window of view.windows(record.dataId)) windows.add(window);
    }
  }
  return [...windows].sort((one, other) => one - other);
}

async function mapOf({ view, record }: FileAt, window: number): Promise<ChunkMap> {
  return (record.dataId === 0 ? null : await view.chunk(record.dataId, window)) ?? EMPTY_MAP;
}

async function* changedInWindow(
  store: Store,
  before: ChunkMap,
  after: ChunkMap,
  length: number,
): AsyncGenerator<ByteRange> {
  const [left, right] = [plan(before, 0, length), plan(after, 0, length)];
  for (let one = 0, other = 0, at = 0; at < length; ) {
    const end = Math.min(endOfStep(left[one]!), endOfStep(right[other]!));
    const pair = [slice(left[one]!, at, end), slice(right[other]!, at, end)] as const;
    const changed = isSamePlace(...pair) ? null : await compareBytes(store, ...pair);
    if (changed) yield changed;
    if (endOfStep(left[one]!) === end) one++;
    if (endOfStep(right[other]!) === end) other++;
    at = end;
  }
}

function endOfStep(step: ReadStep): number {
  return step.offset + step.length;
}

function slice(step: ReadStep, from: number, to: number): ReadStep {
  if (step.frame === null && step.data === null) return { ...step, offset: from, length: to - from };
  return sliceExtent(step, from, to);
}

/** Holes, or the same bytes of the same frame. */
function isSamePlace(one: ReadStep, other: ReadStep): boolean {
  if (one.frame === null || other.frame === null) return isHole(one) && isHole(other);
  const isSameFrame = one.frame.segment === other.frame.segment && one.frame.index === other.frame.index;
  return isSameFrame && one.skip === other.skip;
}

function isHole(step: ReadStep): boolean {
  return step.frame === null && step.data === null;
}

/** From the first to the last byte that differs; null when none does. */
async function compareBytes(store: Store, one: ReadStep, other: ReadStep): Promise<ByteRange | null> {
  const { offset, length } = one;
  if (isHole(one) || isHole(other)) return { offset, length };
  if (one.frame && other.frame && differInEachBlock(one, other)) return { offset, length };
  const [left, right] = await Promise.all([bytesOf(store, one), bytesOf(store, other)]);
  if (left.equals(right)) return null;
  let first = 0;
  while (left[first] === right[first]) first++;
  let last = length - 1;
  while (left[last] === right[last]) last--;
  return { offset: offset + first, length: last - first + 1 };
}

/** Whether the checksums say so already: they can where both show whole blocks. */
function differInEachBlock(one: FrameExtent, other: FrameExtent): boolean {
  if (one.skip % BLOCK_BYTES !== 0 || other.skip % BLOCK_BYTES !== 0) return false;
  for (let at = 0; at < one.length; at += BLOCK_BYTES) {
    if (at + BLOCK_BYTES > one.length) return false;
    if (checksumAt(one, at).equals(checksumAt(other, at))) return false;
  }
  return true;
}

function checksumAt({ frame, skip }: FrameExtent, at: number): Buffer {
  const from = ((skip + at) / BLOCK_BYTES) * CHECKSUM_BYTES;
  return frame.checksums.subarray(from, from + CHECKSUM_BYTES);
}

async function bytesOf(store: Store, step: ReadStep): Promise<Buffer> {
  if (step.data) return step.data;
  const extent = step as FrameExtent;
  const [bytes] = await attempt(() => readExtents(store, [extent]));
  return bytes!;
}
