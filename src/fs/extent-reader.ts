// Fetches what extents show of their frames: finds where a repack has put the frames, reads whole blocks around what is
// wanted, and verifies each block against the checksum in the map. Frames of one flush lie side by side, so extents
// that follow each other in a segment are read at once.
//
// The segments stay pinned from the turn in which their frames were located to the end of the read.

import type { Eventual } from '../eventual.ts';
import { SegmentReadError } from '../kv/segment-store.ts';
import type { FrameExtent } from './extent.ts';
import { BLOCK_BYTES, blocksAround, FRAME_HEADER_BYTES, verifyBlocks } from './frame.ts';
import { FsError } from './fs-error.ts';
import type { Store } from './store.ts';
import { DamageError } from './versioned-value.ts';

/** One read from a segment is at most so long, unless a single extent is longer. */
const RUN_BYTES_MAX = 512 * 1024;
/** Bytes between two extents that are cheaper read than skipped: a header and what is left of two blocks. */
const GAP_BYTES_MAX = FRAME_HEADER_BYTES + 2 * BLOCK_BYTES;

interface Fetch {
  readonly extent: FrameExtent;
  readonly segment: number;
  /** Of the blocks, in the segment. */
  readonly from: number;
  readonly to: number;
  readonly firstBlock: number;
  /** Where the extent begins behind `from`. */
  readonly skip: number;
}

interface Run {
  readonly segment: number;
  readonly from: number;
  to: number;
  readonly fetches: Fetch[];
}

/**
 * The bytes of each extent, in order; in this turn when all are likely in memory.
 * @throws Wait; FsError `EIO` when a block is not what its checksum says
 */
export function readExtents(store: Store, extents: readonly FrameExtent[]): Eventual<Buffer[]> {
  const runs = runsOf(extents.map((extent) => locate(store, extent)));
  const buffers: Eventual<Buffer[]>[] = [];
  try {
    for (const run of runs) buffers.push(readRun(store, run));
  } catch (error) {
    // Those under way are waited for by nobody now; what they fail with is said already.
    for (const one of buffers) if (one instanceof Promise) one.catch(() => {});
    throw error;
  }
  if (buffers.every((one): one is Buffer[] => !(one instanceof Promise))) return buffers.flat();
  return Promise.all(buffers).then((all) => all.flat());
}

/** As {@link readExtents}, of one: most reads are that. */
export function readExtent(store: Store, extent: FrameExtent): Eventual<Buffer> {
  const fetch = locate(store, extent);
  const { segment, from, to } = fetch;
  const buffers = readRun(store, { segment, from, to, fetches: [fetch] });
  return buffers instanceof Promise ? buffers.then(([buffer]) => buffer!) : buffers[0]!;
}

function locate(store: Store, extent: FrameExtent): Fetch {
  const { frame, skip, length } = extent;
  const { segment, at } = store.live.locate(frame, (key) => store.value(key));
  const blocks = blocksAround(skip, length, frame.payloadBytes);
  const payloadAt = at + FRAME_HEADER_BYTES;
  return {
    extent,
    segment,
    from: payloadAt + blocks.from,
    to: payloadAt + blocks.to,
    firstBlock: blocks.firstBlock,
    skip: skip - blocks.from,
  };
}

function runsOf(fetches: readonly Fetch[]): Run[] {
  const runs: Run[] = [];
  for (const fetch of fetches) {
    const run = runs.at(-1);
    if (run && follows(run, fetch)) {
      run.to = Math.max(run.to, fetch.to);
      run.fetches.push(fetch);
    } else {
      runs.push({ segment: fetch.segment, from: fetch.from, to: fetch.to, fetches: [fetch] });
    }
  }
  return runs;
}

function follows(run: Run, fetch: Fetch): boolean {
  if (run.segment !== fetch.segment || fetch.from < run.from) return false;
  return fetch.from - run.to <= GAP_BYTES_MAX && fetch.to - run.from <= RUN_BYTES_MAX;
}

function readRun(store: Store, run: Run): Eventual<Buffer[]> {
  const { segment, from, to } = run;
  try {
    const bytes = store.parts.segments.read(segment, from, to - from);
    if (!(bytes instanceof Promise)) return verified(store, run, bytes);
    store.live.pin(segment);
    return bytes
      .finally(() => store.live.unpin(segment))
      .then((read) => verified(store, run, read))
      .catch((error: unknown) => unreadable(store, run, error));
  } catch (error) {
    return unreadable(store, run, error);
  }
}

function verified(store: Store, run: Run, bytes: Buffer): Buffer[] {
  return run.fetches.map(({ extent, from, to, firstBlock, skip }) => {
    const blocks = bytes.subarray(from - run.from, to - run.from);
    const { segment, index, checksums } = extent.frame;
    try {
      verifyBlocks(blocks, firstBlock, checksums, () => `frame ${index} of segment ${segment}`);
    } catch (error) {
      return unreadable(store, run, error);
    }
    return blocks.subarray(skip, skip + extent.length);
  });
}

function unreadable(store: Store, run: Run, error: unknown): never {
  if (!(error instanceof DamageError) && !(error instanceof SegmentReadError)) throw error;
  store.damageLog.unreadable(run, error);
  throw new FsError('EIO', 'File data cannot be read: its segment is damaged', { cause: error });
}
