// Moves the live frames of segments to the open one, so that what is dead goes with the file: of those half dead at once,
// of others while it is quiet and there is too much dead in all (dead-space.ts). A frame keeps its identity: FORWARD says
// where its bytes are now, and no extent, snapshot or clone is touched.
//
// The copies are durable before the batch that forwards to them, and that batch forwards only what is still live.

import { SegmentReadError } from '../kv/segment-store.ts';
import { FRAME_HEADER_BYTES, scanFrames } from './frame.ts';
import { PLAIN_ITEM } from './item.ts';
import type { SegmentLog } from './segment-log.ts';
import type { SegmentRecord } from './segment-record.ts';
import type { Store } from './store.ts';
import { DamageError } from './versioned-value.ts';

/** A segment with less than this share of live bytes is repacked. */
const LIVE_SHARE_MIN = 0.5;
/** Segments that are repacked in a quiet moment, and the share that must be dead in each. */
const QUIET_SEGMENTS = 16;
const QUIET_DEAD_SHARE_MIN = 1 / 32;
/** Stays free beside a segment's copies: on a disk that they fill the store cannot write, and stops. */
const FREE_BYTES_MIN = 32 * 2 ** 20;
/** Bytes read and copied at a time. */
const BATCH_BYTES = 4 * 2 ** 20;

interface LiveFrame {
  readonly index: number;
  readonly origin: { readonly segment: number; readonly index: number };
  readonly header: Buffer;
  readonly stored: Buffer;
}

/** @returns how many frames moved */
export async function repackSegments(
  store: Store,
  segmentLog: SegmentLog,
  isStopped: () => boolean,
): Promise<number> {
  let moved = 0;
  for (const [segment, record] of [...store.live.segments]) {
    if (isStopped()) return moved;
    if (segmentLog.isBusy(segment) || !isWorthIt(record) || !(await hasRoom(store, record))) continue;
    moved += await repack(store, segmentLog, segment);
  }
  return moved;
}

/**
 * The deadest segments first, until there is not too much dead any more.
 * @returns how many frames moved
 */
export async function repackDeadest(
  store: Store,
  segmentLog: SegmentLog,
  isStopped: () => boolean,
): Promise<number> {
  const { live } = store;
  const deadest = [...live.segments]
    .filter(([, { liveCount }]) => liveCount > 0)
    .map(([segment, record]) => ({ segment, record, share: 1 - record.liveBytes / record.totalBytes }))
    .filter(({ segment, share }) => share >= QUIET_DEAD_SHARE_MIN && !segmentLog.isBusy(segment))
    .sort((one, other) => other.share - one.share);
  let moved = 0;
  for (const { segment, record } of deadest.slice(0, QUIET_SEGMENTS)) {
    if (isStopped() || !live.hasTooMuchDead) return moved;
    if (!(await hasRoom(store, record))) continue;
    moved += await repack(store, segmentLog, segment);
  }
  return moved;
}

function isWorthIt(record: SegmentRecord): boolean {
  return record.liveCount > 0 && record.liveBytes < record.totalBytes * LIVE_SHARE_MIN;
}

/** What is copied already is free only when the files of this round are deleted. */
async function hasRoom(store: Store, { liveBytes }: SegmentRecord): Promise<boolean> {
  return (await store.parts.segments.freeBytes()) >= liveBytes + FREE_BYTES_MIN;
}

async function repack(store: Store, segmentLog: SegmentLog, segment: number): Promise<number> {
  store.live.pin(segment);
  try {
    let moved = 0;
    for await (const frames of liveFrames(store, segment)) {
      const { places, landed } = await segmentLog.copy(frames);
      const forwarded = frames.map(({ origin, index }, at) => ({ origin, index, copy: places[at]! }));
      const action = { kind: 'repack', segment, frames: forwarded } as const;
      await store.durable(store.stage({ ...PLAIN_ITEM, action, rows: [], landed }));
      moved += frames.length;
    }
    return moved;
  } catch (error) {
    // A damaged segment stays as it is: what can be read of it, can be read there.
    if (!(error instanceof DamageError) && !(error instanceof SegmentReadError)) throw error;
    store.parts.log.error({ err: error, segment }, `Segment ${segment} is damaged and cannot be repacked`);
    return 0;
  } finally {
    store.live.unpin(segment);
  }
}

/** The live frames in the order in which they stand, some megabytes at a time. */
async function* liveFrames(store: Store, segment: number): AsyncGenerator<LiveFrame[]> {
  const { totalBytes } = store.live.segments.get(segment)!;
  let index = 0;
  for (let at = 0; at < totalBytes; ) {
    const bytes = await store.parts.segments.read(segment, at, Math.min(BATCH_BYTES, totalBytes - at));
    const frames: LiveFrame[] = [];
    let end = 0;
    for (const { at: from, header, stored } of scanFrames(bytes)) {
      end = from + FRAME_HEADER_BYTES + stored.length;
      if (store.live.segments.get(segment)?.isLive(index)) {
        const origin = { segment: header.segment, index: header.index };
        frames.push({ index, origin, header: bytes.subarray(from, from + FRAME_HEADER_BYTES), stored });
      }
      index++;
    }
    if (end === 0)
      throw new DamageError(`Cannot read segment ${segment} from byte ${at}: no whole frame is there`);
    at += end;
    if (frames.length > 0) yield frames;
  }
}
