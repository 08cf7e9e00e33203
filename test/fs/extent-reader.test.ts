// Extents are read from segments that a segment log has written, over a store without anything else in it.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import type { Eventual } from '../../src/eventual.ts';
import { type FrameExtent, frameExtent } from '../../src/fs/extent.ts';
import { readExtents } from '../../src/fs/extent-reader.ts';
import { BLOCK_BYTES, FRAME_HEADER_BYTES } from '../../src/fs/frame.ts';
import { SegmentLog } from '../../src/fs/segment-log.ts';
import { Store } from '../../src/fs/store.ts';
import { treeCaches } from '../../src/fs/tree.ts';
import { FileSegmentStore } from '../../src/kv/file-segment-store.ts';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import type { SegmentStore } from '../../src/kv/segment-store.ts';
import { type ScratchDirectory, scratchDirectory } from '../kv/scratch-directory.ts';
import { seededRandom, upTo } from '../kv/seeded-random.ts';
import { ManualClock } from '../nfs/manual-clock.ts';

const FRAME_BYTES = 128 * 1024;

/** Notes which reads there were. */
class NotingSegmentStore extends MemorySegmentStore {
  readonly reads: { readonly segment: number; readonly offset: number; readonly length: number }[] = [];

  override read(segment: number, offset: number, length: number): Buffer {
    this.reads.push({ segment, offset, length });
    return super.read(segment, offset, length);
  }
}

interface Logged {
  readonly details: object;
  readonly message: string;
}

async function storeOver(
  segments: SegmentStore,
  clock: Clock = new ManualClock(),
): Promise<{ store: Store; logged: Logged[] }> {
  const logged: Logged[] = [];
  const log = (details: object, message: string) => void logged.push({ details, message });
  const store = await Store.open({
    meta: new MemoryMetaStore(),
    segments,
    hashKey: Buffer.alloc(16),
    clock,
    random: (bytes) => Buffer.alloc(bytes),
    log: { error: log, warn: log, info: log },
    settings: {
      strict: true,
      relaxedSyncMs: 0,
      caches: treeCaches({ inodes: 16, names: 16, chunkBytes: 2 ** 16 }),
    },
  });
  return { store, logged };
}

/** Appends a frame for each payload; an extent that shows all of each. */
async function written(
  segments: SegmentStore,
  payloads: readonly Buffer[],
  segmentBytesMax = 2 ** 30,
): Promise<FrameExtent[]> {
  let next = 1;
  const log = new SegmentLog({ segments, ids: { take: () => next++ }, segmentBytesMax });
  const sources = payloads.map((payload) => ({
    ...{ tree: 1, dataId: 1, window: 0, birth: 1 },
    payload: [payload],
  }));
  const { frames } = await log.append(sources);
  await log.close();
  return frames.map(({ frame }) => frameExtent(0, frame));
}

function part(extent: FrameExtent, skip: number, length: number): FrameExtent {
  return frameExtent(0, extent.frame, skip, length);
}

function payloadsOf(lengths: readonly number[]): Buffer[] {
  const random = seededRandom(7);
  return lengths.map((length) => Buffer.from(Array.from({ length }, () => upTo(random, 255))));
}

async function refusal(read: () => Eventual<Buffer[]>): Promise<unknown> {
  try {
    await read();
  } catch (error) {
    return error;
  }
  throw new Error('It was read');
}

describe('reading extents', () => {
  it('answers the bytes of each, in the turn of the call when the segments do', async () => {
    const segments = new NotingSegmentStore();
    const payloads = payloadsOf([3 * BLOCK_BYTES + 10, 20, 2 * BLOCK_BYTES]);
    const [first, second, third] = await written(segments, payloads);
    const { store } = await storeOver(segments);
    const extents = [part(first!, 4090, 12), second!, part(third!, 1, BLOCK_BYTES), part(first!, 12_290, 8)];
    expect(readExtents(store, extents)).toEqual([
      payloads[0]!.subarray(4090, 4102),
      payloads[1],
      payloads[2]!.subarray(1, 1 + BLOCK_BYTES),
      payloads[0]!.subarray(12_290, 12_298),
    ]);
  });

  it('reads only the whole blocks around what is wanted', async () => {
    const segments = new NotingSegmentStore();
    const [extent] = await written(segments, payloadsOf([5 * BLOCK_BYTES]));
    const { store } = await storeOver(segments);
    await readExtents(store, [part(extent!, BLOCK_BYTES + 100, 200)]);
    const offset = FRAME_HEADER_BYTES + BLOCK_BYTES;
    expect(segments.reads).toEqual([{ segment: 1, offset, length: BLOCK_BYTES }]);
  });

  it('reads frames that stand side by side together, at most 512 KiB at a time', async () => {
    const segments = new NotingSegmentStore();
    const payloads = Array.from({ length: 8 }, (_, i) => Buffer.alloc(FRAME_BYTES, i + 1));
    const extents = await written(segments, payloads);
    const { store } = await storeOver(segments);
    const buffers = await readExtents(store, extents);
    expect(Buffer.concat(buffers).equals(Buffer.concat(payloads))).toBe(true);
    expect(segments.reads).toHaveLength(3);
    for (const { length } of segments.reads) expect(length).toBeLessThanOrEqual(512 * 1024);
  });

  it('reads apart what lies in different segments, far apart, or backwards', async () => {
    const segments = new NotingSegmentStore();
    const payloads = payloadsOf([1000, 4 * BLOCK_BYTES, 1000]);
    const extents = await written(segments, payloads);
    const { store } = await storeOver(segments);
    expect(await readExtents(store, [extents[2]!, extents[0]!, extents[2]!])).toEqual([
      payloads[2],
      payloads[0],
      payloads[2],
    ]);
    expect(segments.reads).toHaveLength(3);

    const split = new NotingSegmentStore();
    const inTwo = await written(split, payloads.slice(1), 1000);
    const other = await storeOver(split);
    expect(await readExtents(other.store, inTwo)).toEqual(payloads.slice(1));
    expect(split.reads.map(({ segment }) => segment)).toEqual([1, 2]);
  });

  it('answers the same whatever is asked for (random extents)', async () => {
    const random = seededRandom(3);
    const segments = new MemorySegmentStore();
    const payloads = payloadsOf(Array.from({ length: 12 }, () => 1 + upTo(random, 20_000)));
    const whole = await written(segments, payloads, 50_000);
    const { store } = await storeOver(segments);
    for (let round = 0; round < 100; round++) {
      const asked = Array.from({ length: 1 + upTo(random, 8) }, () => {
        const from = upTo(random, payloads.length - 1);
        const skip = upTo(random, payloads[from]!.length - 1);
        return { from, skip, length: 1 + upTo(random, payloads[from]!.length - skip - 1) };
      });
      const extents = asked.map(({ from, skip, length }) => part(whole[from]!, skip, length));
      const wanted = asked.map(({ from, skip, length }) => payloads[from]!.subarray(skip, skip + length));
      expect(await readExtents(store, extents)).toEqual(wanted);
    }
  });
});

describe('damage', () => {
  it('in a block that is wanted is EIO, and the log says which block of which frame', async () => {
    const segments = new MemorySegmentStore();
    const [extent] = await written(segments, payloadsOf([3 * BLOCK_BYTES]));
    const { store, logged } = await storeOver(segments);
    segments.read(1, FRAME_HEADER_BYTES + BLOCK_BYTES + 5, 1)[0]! ^= 1;
    const error = await refusal(() => readExtents(store, [part(extent!, BLOCK_BYTES, 1)]));
    expect(error).toMatchObject({ code: 'EIO' });
    expect(logged).toHaveLength(1);
    expect(logged[0]!.details).toMatchObject({ segment: 1 });
    expect(String((error as Error).cause)).toContain('block 1 of frame 0 of segment 1');
  });

  it('in another block, or in a header between, is not in the way', async () => {
    const segments = new MemorySegmentStore();
    const payloads = payloadsOf([3 * BLOCK_BYTES, BLOCK_BYTES]);
    const [first, second] = await written(segments, payloads);
    const { store } = await storeOver(segments);
    segments.read(1, FRAME_HEADER_BYTES + 5, 1)[0]! ^= 1;
    segments.read(1, second!.frame.at, 1)[0]! ^= 1;
    expect(await readExtents(store, [part(first!, 2 * BLOCK_BYTES, BLOCK_BYTES), second!])).toEqual([
      payloads[0]!.subarray(2 * BLOCK_BYTES),
      payloads[1],
    ]);
  });

  it('is EIO when the segment is too short or gone', async () => {
    const segments = new MemorySegmentStore();
    const [extent] = await written(segments, payloadsOf([BLOCK_BYTES]));
    const { store, logged } = await storeOver(segments);
    const beyond = frameExtent(0, { ...extent!.frame, at: 1 });
    expect(await refusal(() => readExtents(store, [beyond]))).toMatchObject({ code: 'EIO' });
    await segments.delete(1);
    expect(await refusal(() => readExtents(store, [extent!]))).toMatchObject({ code: 'EIO' });
    expect(logged).toHaveLength(1);
  });

  it('is in the log once a minute for each segment, however often it is read, with how often it was', async () => {
    const segments = new MemorySegmentStore();
    const extents = await written(segments, payloadsOf([BLOCK_BYTES, BLOCK_BYTES]), BLOCK_BYTES);
    const clock = new ManualClock();
    const { store, logged } = await storeOver(segments, clock);
    for (const { frame } of extents) segments.read(frame.segment, FRAME_HEADER_BYTES + 5, 1)[0]! ^= 1;
    const readAll = async (times: number) => {
      for (let round = 0; round < times; round++)
        for (const extent of extents) await refusal(() => readExtents(store, [extent]));
    };
    await readAll(1000);
    expect(logged.map(({ details }) => details)).toMatchObject([{ segment: 1 }, { segment: 2 }]);
    expect(logged[0]!.details).not.toHaveProperty('err');
    clock.advance(60_000);
    await readAll(1);
    expect(logged).toHaveLength(4);
    expect(logged[2]).toMatchObject({
      details: { segment: 1, leftOut: 999 },
      message: expect.stringMatching(
        /^File data cannot be read: its segment is damaged \(.*block 0 of frame 0 of segment 1.*\) \(999 more since/,
      ),
    });
  });
});

describe('extents in files', () => {
  let directory: ScratchDirectory;
  beforeEach(async () => {
    directory = await scratchDirectory();
  });
  afterEach(() => directory.remove());

  it('are read later when they are not likely in memory, their segment pinned meanwhile', async () => {
    const payloads = payloadsOf([BLOCK_BYTES + 1, 10]);
    const writing = await FileSegmentStore.open(directory.path, { warmBytesMax: 2 ** 24 });
    const extents = await written(writing, payloads);
    await writing.close();
    const segments = await FileSegmentStore.open(directory.path, { warmBytesMax: 2 ** 24 });
    const { store } = await storeOver(segments);
    const cold = readExtents(store, extents);
    expect(cold).toBeInstanceOf(Promise);
    expect(store.live.isPinned(1)).toBe(true);
    expect(await cold).toEqual(payloads);
    expect(store.live.isPinned(1)).toBe(false);
    expect(readExtents(store, extents)).toEqual(payloads);
    await segments.close();
  });
});
