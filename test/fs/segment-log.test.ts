import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  blockChecksums,
  type FoundFrame,
  FRAME_HEADER_BYTES,
  PAYLOAD_BYTES_MAX,
  scanFrames,
} from '../../src/fs/frame.ts';
import { type AppendedFrame, type FrameSource, SegmentLog } from '../../src/fs/segment-log.ts';
import { FileSegmentStore } from '../../src/kv/file-segment-store.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import type { SegmentStore, SegmentWriter } from '../../src/kv/segment-store.ts';
import { type ScratchDirectory, scratchDirectory } from '../kv/scratch-directory.ts';

/** A payload in pieces of these lengths, whose bytes say where they belong. */
function source(lengths: readonly number[], window = 0): FrameSource {
  const payload = lengths.map((length, piece) => Buffer.alloc(length, `window ${window} piece ${piece} `));
  return { tree: 3, dataId: 2 ** 40 + 1, window, payload, birth: 9 };
}

function countedIds(): { take(): number } {
  let next = 1;
  return { take: () => next++ };
}

async function framesIn(segments: SegmentStore, id: number): Promise<FoundFrame[]> {
  const bytes = (await segments.list()).get(id) ?? 0;
  return [...scanFrames(await segments.read(id, 0, bytes))];
}

/** That the segments hold these frames where they say they are. */
async function expectFound(
  segments: SegmentStore,
  appended: readonly AppendedFrame[],
  sources: readonly FrameSource[],
): Promise<void> {
  expect(appended).toHaveLength(sources.length);
  for (const [i, { frame, named }] of appended.entries()) {
    const { tree, dataId, window, birth } = sources[i]!;
    const payload = Buffer.concat(sources[i]!.payload);
    const found = (await framesIn(segments, frame.segment))[frame.index]!;
    const { segment, index } = frame;
    const bytes = payload.length;
    expect(found.at).toBe(frame.at);
    expect(found.header).toEqual({
      ...{ segment, index, payloadBytes: bytes, storedBytes: bytes, codec: 0, keyId: 0 },
      ...{ tree, dataId, window },
    });
    expect(found.stored.equals(payload)).toBe(true);
    expect(frame).toMatchObject({ payloadBytes: bytes, storedBytes: bytes, codec: 0, keyId: 0, birth });
    expect(frame.inherited).toBe(false);
    expect(frame.checksums).toEqual(blockChecksums(payload));
    const stored = FRAME_HEADER_BYTES + bytes;
    expect(named).toEqual({ segment, index, end: frame.at + stored, stored });
  }
}

describe.each(['memory', 'files'])('a segment log over %s', (kind) => {
  let directory: ScratchDirectory;
  let segments: SegmentStore;
  beforeEach(async () => {
    directory = await scratchDirectory();
    segments =
      kind === 'memory'
        ? new MemorySegmentStore()
        : await FileSegmentStore.open(directory.path, { warmBytesMax: 2 ** 24 });
  });
  afterEach(async () => {
    await segments.close();
    await directory.remove();
  });

  it('appends frames that a scan finds as they were', async () => {
    const log = new SegmentLog({ segments, ids: countedIds() });
    const sources = [
      source([1]),
      source([4096, 4096], 1),
      source([100, 8000, 3], 2),
      source([PAYLOAD_BYTES_MAX], 3),
    ];
    const { frames } = await log.append(sources);
    await expectFound(segments, frames, sources);
    expect(await framesIn(segments, 1)).toHaveLength(4);
    await log.close();
  });

  it('gives overlapping appends places in the order of their calls', async () => {
    const log = new SegmentLog({ segments, ids: countedIds() });
    const calls = Array.from({ length: 20 }, (_, i) => [source([10 + i], 2 * i), source([5000], 2 * i + 1)]);
    const all = (await Promise.all(calls.map((sources) => log.append(sources)))).flatMap(
      ({ frames }) => frames,
    );
    expect(all.map(({ frame }) => frame.index)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    await expectFound(segments, all, calls.flat());
    await log.close();
  });

  it('goes on in a new segment when one is full, also within a call', async () => {
    const log = new SegmentLog({ segments, ids: countedIds(), segmentBytesMax: 2000 });
    const sources = Array.from({ length: 7 }, (_, i) => source([950], i));
    const { frames } = await log.append(sources);
    const places = frames.map(({ frame }) => `${frame.segment}/${frame.index}`);
    expect(places).toEqual(['1/0', '1/1', '2/0', '2/1', '3/0', '3/1', '4/0']);
    await expectFound(segments, frames, sources);
    await log.close();
  });

  it('copies frames under the identity in their headers', async () => {
    const log = new SegmentLog({ segments, ids: countedIds() });
    const sources = [source([5000]), source([70], 1)];
    await log.append(sources);
    const before = await framesIn(segments, 1);
    const whole = await segments.read(1, 0, before[1]!.at + FRAME_HEADER_BYTES + 70);
    const copies = before.map(({ at, stored }) => ({
      header: whole.subarray(at, at + FRAME_HEADER_BYTES),
      stored,
    }));
    const { places } = await log.copy(copies);
    const after = await framesIn(segments, 1);
    expect(places.map(({ segment, index }) => [segment, index])).toEqual([
      [1, 2],
      [1, 3],
    ]);
    for (const [i, { header, stored }] of before.entries()) {
      const copy = after[places[i]!.index]!;
      expect(copy.at).toBe(places[i]!.end - places[i]!.stored);
      expect(copy.header).toEqual(header);
      expect(copy.stored.equals(stored)).toBe(true);
    }
    await log.close();
  });
});

/** Counts the writers that are open. */
class CountingSegmentStore extends MemorySegmentStore {
  readonly open = new Set<number>();

  override async create(id: number): Promise<SegmentWriter> {
    const writer = await super.create(id);
    this.open.add(id);
    const { close } = writer;
    writer.close = async () => {
      this.open.delete(id);
      await close();
    };
    return writer;
  }
}

describe('a segment', () => {
  it('is closed when it is full, and the open one with the log', async () => {
    const segments = new CountingSegmentStore();
    const log = new SegmentLog({ segments, ids: countedIds(), segmentBytesMax: 1000 });
    await log.append([source([1000]), source([1000]), source([10])]);
    expect([...segments.open]).toEqual([3]);
    await log.close();
    expect([...segments.open]).toEqual([]);
  });

  it('is busy while it is open, and until every append to it has landed', async () => {
    const log = new SegmentLog({
      segments: new MemorySegmentStore(),
      ids: countedIds(),
      segmentBytesMax: 2000,
    });
    const first = await log.append([source([900])]);
    first.landed();
    expect(log.isBusy(1)).toBe(true);
    const [second, third] = await Promise.all([log.append([source([900])]), log.append([source([900])])]);
    second.landed();
    second.landed();
    expect(log.isBusy(1)).toBe(true);
    third.landed();
    expect(log.isBusy(1)).toBe(false);
    expect(log.isBusy(2)).toBe(false);
  });

  it('is not busy once it has been ended early', async () => {
    const segments = new CountingSegmentStore();
    const log = new SegmentLog({ segments, ids: countedIds() });
    const { landed } = await log.append([source([900])]);
    await log.rollOver();
    expect(log.openSegment?.id).toBe(1);
    landed();
    await log.rollOver();
    expect(log.openSegment).toBe(null);
    expect([...segments.open]).toEqual([]);
    expect(log.isBusy(1)).toBe(false);
  });
});
