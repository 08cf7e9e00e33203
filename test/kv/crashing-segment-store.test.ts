import { describe, expect, it } from 'vitest';
import { SegmentReadError } from '../../src/kv/segment-store.ts';
import { CrashingSegmentStore } from './crashing-segment-store.ts';
import { seededRandom, upTo } from './seeded-random.ts';
import { promptScheduler, SeededScheduler } from './seeded-scheduler.ts';
import { conformsToSegmentStore } from './segment-store-contract.ts';

conformsToSegmentStore('CrashingSegmentStore', async () => ({
  store: new CrashingSegmentStore(promptScheduler, seededRandom(1)),
  discard: async () => {},
}));

function begin(seed: number) {
  const random = seededRandom(seed);
  const scheduler = new SeededScheduler(random);
  return { random, scheduler, store: new CrashingSegmentStore(scheduler, random) };
}

describe('a crash of CrashingSegmentStore', () => {
  it.each(['power', 'process'] as const)(
    'by loss of %s keeps what it promised, and of the rest some first part',
    async (kind) => {
      const seen = { nameLost: false, tailLost: false, torn: false, inFlight: false };
      for (let seed = 0; seed < 300; seed++) {
        const { random, scheduler, store } = begin(seed);
        const writer = await scheduler.until(store.create(1));
        let appended = 0;
        let synced = -1;
        for (let i = 0; i < upTo(random, 12); i++) {
          void writer.append([Buffer.alloc(10, 'x')]).then((offset) => {
            appended = offset + 10;
          });
          if (random() < 0.8) await scheduler.step();
          if (random() < 0.2) {
            const covered = appended;
            void writer.sync().then(() => {
              synced = Math.max(synced, covered);
            });
          }
        }
        const after = store.crash(kind);
        const size = (await scheduler.until(after.list())).get(1);
        const sure = kind === 'process' ? appended : synced;
        if (size === undefined) {
          expect([kind, synced]).toEqual(['power', -1]);
          seen.nameLost = true;
          continue;
        }
        expect(size).toBeGreaterThanOrEqual(sure);
        const bytes = (await scheduler.until(Promise.resolve(after.read(1, 0, size)))).toString('latin1');
        expect(bytes).toMatch(/^x*\0*$/);
        const whole = bytes.indexOf('\0') < 0 ? size : bytes.indexOf('\0');
        expect(whole).toBeGreaterThanOrEqual(sure);
        seen.tailLost ||= size < appended;
        seen.torn ||= whole < size;
        seen.inFlight ||= size > appended;
      }
      const power = kind === 'power';
      expect(seen).toEqual({ nameLost: power, tailLost: power, torn: power, inFlight: true });
    },
  );

  it('answers nothing that waits, and changes nothing after it', async () => {
    const { scheduler, store } = begin(1);
    const writer = await scheduler.until(store.create(1));
    let answers = 0;
    for (const call of [writer.append([Buffer.from('abc')]), writer.sync(), store.delete(1), store.list()]) {
      void call.then(() => answers++);
    }
    const after = store.crash('power');
    const before = await scheduler.until(after.list());
    await scheduler.settle();
    expect(answers).toBe(0);
    expect(await scheduler.until(after.list())).toEqual(before);
  });

  it('may come before or after a deletion that was under way', async () => {
    const outcomes = new Set<boolean>();
    for (let seed = 0; seed < 30; seed++) {
      const { scheduler, store } = begin(seed);
      const writer = await scheduler.until(store.create(1));
      await scheduler.until(writer.sync());
      void store.delete(1);
      outcomes.add((await scheduler.until(store.crash('power').list())).has(1));
    }
    expect(outcomes.size).toBe(2);
  });
});

describe('a failing CrashingSegmentStore', () => {
  it.each(['append', 'sync'] as const)('takes nothing more in a segment after a failed %s', async (call) => {
    const { scheduler, store } = begin(1);
    const writer = await scheduler.until(store.create(1));
    await scheduler.until(writer.append([Buffer.from('abc')]));
    store.failNext(call);
    const doomed: Promise<unknown> = call === 'append' ? writer.append([Buffer.from('def')]) : writer.sync();
    await expect(scheduler.until(doomed)).rejects.toThrow();
    await expect(scheduler.until(writer.append([Buffer.from('ghi')]))).rejects.toThrow(
      'earlier write failed',
    );
    await expect(scheduler.until(writer.sync())).rejects.toThrow('earlier write failed');
    expect((await scheduler.until(Promise.resolve(store.read(1, 0, 3)))).toString()).toBe('abc');
  });

  it('fails one read, one creation, one deletion when told to', async () => {
    const { scheduler, store } = begin(1);
    store.failNext('create');
    await expect(scheduler.until(store.create(1))).rejects.toThrow('disk failed');
    const writer = await scheduler.until(store.create(1));
    await scheduler.until(writer.append([Buffer.from('abc')]));
    store.failNext('read');
    const read = async () => store.read(1, 0, 3);
    await expect(scheduler.until(read())).rejects.toBeInstanceOf(SegmentReadError);
    expect((await scheduler.until(read())).toString()).toBe('abc');
    store.failNext('delete');
    await expect(scheduler.until(store.delete(1))).rejects.toThrow('disk failed');
    await scheduler.until(store.delete(1));
  });
});
