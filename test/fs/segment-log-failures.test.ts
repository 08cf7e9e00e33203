// What a segment log does when its segments fail. Each completion is the test's choice, or a seed's.

import { describe, expect, it } from 'vitest';
import { decodeFrameHeader, FRAME_HEADER_BYTES } from '../../src/fs/frame.ts';
import { type Appended, type FrameSource, SegmentLog } from '../../src/fs/segment-log.ts';
import { CrashingSegmentStore, type SegmentCall } from '../kv/crashing-segment-store.ts';
import { seededRandom, upTo } from '../kv/seeded-random.ts';
import { promptScheduler, type Scheduler, SeededScheduler } from '../kv/seeded-scheduler.ts';

function source(bytes: number, window = 0): FrameSource {
  return { tree: 1, dataId: 1, window, payload: [Buffer.alloc(bytes, `window ${window} `)], birth: 1 };
}

function countedIds(): { take(): number } {
  let next = 1;
  return { take: () => next++ };
}

/** Completes what the test names, the oldest of that name first. */
class OrderedScheduler implements Scheduler {
  readonly pending: { readonly what: string; readonly complete: () => void }[] = [];

  later(what: string, complete: () => void): void {
    this.pending.push({ what, complete });
  }

  async complete(...calls: readonly string[]): Promise<void> {
    for (const call of calls) {
      await new Promise(setImmediate);
      const at = this.pending.findIndex(({ what }) => what === call);
      expect(at, `${call} is pending`).toBeGreaterThanOrEqual(0);
      this.pending.splice(at, 1)[0]!.complete();
      await new Promise(setImmediate);
    }
  }
}

function parts(segmentBytesMax = 2 ** 20) {
  const scheduler = new OrderedScheduler();
  const segments = new CrashingSegmentStore(scheduler, seededRandom(1));
  return { scheduler, segments, log: new SegmentLog({ segments, ids: countedIds(), segmentBytesMax }) };
}

function outcomeOf(appended: Promise<Appended>): { value: string } {
  const outcome = { value: 'none yet' };
  appended.then(
    () => {
      outcome.value = 'durable';
    },
    (error: Error) => {
      outcome.value = error.message;
    },
  );
  return outcome;
}

describe('a segment that fails', () => {
  it('refuses every append behind the last good sync when an append fails', async () => {
    const { scheduler, segments, log } = parts();
    const first = outcomeOf(log.append([source(100)]));
    await scheduler.complete('create', 'append', 'sync');
    expect(first.value).toBe('durable');
    const [second, third] = [outcomeOf(log.append([source(100)])), outcomeOf(log.append([source(100)]))];
    segments.failNext('append');
    await scheduler.complete('append', 'close');
    expect(second.value).toContain('an earlier write failed');
    expect(third.value).toContain('an earlier write failed');
    expect(log.statistics.failures).toBe(2);
  });

  it('refuses every append behind the last good sync when a sync fails', async () => {
    const { scheduler, segments, log } = parts();
    const [first, second] = [outcomeOf(log.append([source(100)])), outcomeOf(log.append([source(100)]))];
    await scheduler.complete('create', 'append');
    segments.failNext('sync');
    await scheduler.complete('sync', 'close');
    expect(first.value).toContain('the disk failed');
    expect(second.value).toContain('an earlier write failed');
  });

  it('takes nothing more: the next append begins a new one', async () => {
    const segments = new CrashingSegmentStore(promptScheduler, seededRandom(1));
    const log = new SegmentLog({ segments, ids: countedIds() });
    const good = await log.append([source(100)]);
    segments.failNext('sync');
    await expect(log.append([source(100)])).rejects.toThrow('the disk failed');
    const next = await log.append([source(100)]);
    expect(next.frames[0]!.frame).toMatchObject({ segment: 2, index: 0, at: 0 });
    expect(log.isBusy(1)).toBe(true);
    good.landed();
    expect(log.isBusy(1)).toBe(false);
  });

  it('is closed once nobody writes to it any more', async () => {
    const { scheduler, segments, log } = parts();
    const first = outcomeOf(log.append([source(100)]));
    await scheduler.complete('create');
    segments.failNext('append');
    await scheduler.complete('append', 'close');
    expect(first.value).toContain('an earlier write failed');
    expect(log.openSegment).toBe(null);
    expect(log.isBusy(1)).toBe(false);
    expect(scheduler.pending).toEqual([]);
  });

  it('refuses the call though the next segment is still being opened', async () => {
    const { scheduler, segments, log } = parts(100);
    const outcome = outcomeOf(log.append([source(100), source(100)]));
    await scheduler.complete('create');
    segments.failNext('append');
    await scheduler.complete('append', 'close');
    expect(outcome.value).toBe('none yet');
    await scheduler.complete('create', 'append', 'sync', 'close');
    expect(outcome.value).toContain('an earlier write failed');
    expect([log.isBusy(1), log.isBusy(2)]).toEqual([false, false]);
  });
});

describe('a segment that cannot be opened', () => {
  it('refuses the append; the next one tries anew under another id', async () => {
    const segments = new CrashingSegmentStore(promptScheduler, seededRandom(1));
    const log = new SegmentLog({ segments, ids: countedIds() });
    segments.failNext('create');
    await expect(log.append([source(100)])).rejects.toThrow('the disk failed');
    expect(log.isBusy(1)).toBe(false);
    const { frames } = await log.append([source(100)]);
    expect(frames[0]!.frame.segment).toBe(2);
  });

  it('refuses the append when there is no id; the next one asks again', async () => {
    const segments = new CrashingSegmentStore(promptScheduler, seededRandom(1));
    let asked = 0;
    const take = async () => {
      if (asked++ === 0) throw new Error('Cannot take an id');
      return 7;
    };
    const log = new SegmentLog({ segments, ids: { take } });
    await expect(log.append([source(100)])).rejects.toThrow('Cannot take an id');
    expect((await log.append([source(100)])).frames[0]!.frame.segment).toBe(7);
  });

  it('leaves the one before it busy until what the call wrote there has ended', async () => {
    const { scheduler, segments, log } = parts(100);
    const outcome = outcomeOf(log.append([source(100), source(100)]));
    await scheduler.complete('create');
    segments.failNext('create');
    await scheduler.complete('create');
    expect(outcome.value).toBe('none yet');
    expect(log.isBusy(1)).toBe(true);
    await scheduler.complete('append', 'sync', 'close');
    expect(outcome.value).toContain('the disk failed');
    expect(log.isBusy(1)).toBe(false);
  });
});

describe('a power cut', () => {
  const FAILING: readonly SegmentCall[] = ['create', 'append', 'sync'];

  it.each(Array.from({ length: 40 }, (_, i) => i + 1))(
    'keeps every frame of every append that resolved (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const scheduler = new SeededScheduler(random);
      const segments = new CrashingSegmentStore(scheduler, random);
      const log = new SegmentLog({ segments, ids: countedIds(), segmentBytesMax: 3000 });
      const durable: { readonly at: number; readonly segment: number; readonly source: FrameSource }[] = [];
      let window = 0;
      const append = () => {
        const sources = Array.from({ length: 1 + upTo(random, 4) }, () =>
          source(1 + upTo(random, 900), window++),
        );
        const keep = ({ frames }: Appended) => {
          for (const [i, { frame }] of frames.entries()) {
            durable.push({ at: frame.at, segment: frame.segment, source: sources[i]! });
          }
        };
        log.append(sources).then(keep, () => {});
      };
      for (let step = 0, steps = 60 + upTo(random, 60); step < steps; step++) {
        if (random() < 0.3) append();
        if (random() < 0.05) segments.failNext(FAILING[upTo(random, FAILING.length - 1)]!);
        await scheduler.step();
      }
      const found = segments.crash('power');
      scheduler.discard();
      expect(durable.length).toBeGreaterThan(0);
      for (const { segment, at, source } of durable) {
        const payload = source.payload[0]!;
        const reading = (async () => found.read(segment, at, FRAME_HEADER_BYTES + payload.length))();
        const bytes = await scheduler.until(reading);
        expect(decodeFrameHeader(bytes)).toMatchObject({ segment, window: source.window });
        expect(bytes.subarray(FRAME_HEADER_BYTES).equals(payload)).toBe(true);
      }
    },
  );
});
