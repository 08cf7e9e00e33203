import { describe, expect, it } from 'vitest';
import type { MetaStore, Write } from '../../src/kv/meta-store.ts';
import { CrashingMetaStore } from './crashing-meta-store.ts';
import { conformsToMetaStore } from './meta-store-contract.ts';
import { seededRandom, upTo } from './seeded-random.ts';
import { promptScheduler, SeededScheduler } from './seeded-scheduler.ts';

conformsToMetaStore('CrashingMetaStore', async () => ({
  store: new CrashingMetaStore(promptScheduler, seededRandom(1)),
  discard: async () => {},
}));

/** Batch `i` counts up a row and makes one of its own, so that a store shows which batches it has. */
function batch(i: number): Write[] {
  const value = Buffer.from([i]);
  return [
    { key: Buffer.from('count'), value },
    { key: Buffer.from(`batch ${i}`), value },
  ];
}

/** How many batches a store has; fails when they are not the first ones. */
function batchesIn(store: MetaStore): number {
  const count = (store.get(Buffer.from('count')) as Buffer | undefined)?.[0] ?? 0;
  for (let i = 1; i <= 60; i++) expect(store.get(Buffer.from(`batch ${i}`)) !== undefined).toBe(i <= count);
  return count;
}

describe('a crash of CrashingMetaStore', () => {
  it.each(['power', 'process'] as const)(
    'by loss of %s leaves the first few batches, all promised ones among them',
    async (kind) => {
      const lost = { some: false, none: false, inFlight: false };
      for (let seed = 0; seed < 200; seed++) {
        const random = seededRandom(seed);
        const scheduler = new SeededScheduler(random);
        const store = new CrashingMetaStore(scheduler, random);
        let written = 0;
        let durable = 0;
        const called = upTo(random, 20);
        for (let i = 1; i <= called; i++) {
          const sync = random() < 0.3;
          void store.write(batch(i), sync).then(() => {
            written = i;
            if (sync) durable = i;
          });
          if (random() < 0.7) await scheduler.step();
        }
        const after = store.crash(kind);
        const found = batchesIn(after);
        expect(found).toBeGreaterThanOrEqual(kind === 'process' ? written : durable);
        expect(found).toBeLessThanOrEqual(called);
        lost.some ||= found < written;
        lost.none ||= found >= written;
        lost.inFlight ||= found > written;
        await scheduler.settle();
        expect(batchesIn(after)).toBe(found);
      }
      expect(lost).toEqual({ some: kind === 'power', none: true, inFlight: true });
    },
  );

  it('may keep or lose the batch whose write failed, and takes none after it', async () => {
    const outcomes = new Set<number>();
    for (let seed = 0; seed < 50; seed++) {
      const random = seededRandom(seed);
      const scheduler = new SeededScheduler(random);
      const store = new CrashingMetaStore(scheduler, random);
      await scheduler.until(store.write(batch(1), true));
      store.failNextWrite();
      const failing = Promise.allSettled([store.write(batch(2), true), store.write(batch(3), true)]);
      expect((await scheduler.until(failing)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      await expect(scheduler.until(store.write(batch(4), true))).rejects.toThrow('Cannot write');
      const after = store.crash('power');
      outcomes.add(batchesIn(after));
      await scheduler.until(after.write(batch(batchesIn(after) + 1), true));
    }
    expect([...outcomes].sort()).toEqual([1, 2]);
  });

  it('replays from its seed', async () => {
    const outcome = async (seed: number): Promise<string> => {
      const random = seededRandom(seed);
      const scheduler = new SeededScheduler(random);
      const store = new CrashingMetaStore(scheduler, random);
      const answers: number[] = [];
      for (let i = 1; i <= 10; i++) {
        void store.write(batch(i), random() < 0.2).then(() => answers.push(i));
        void store.fetch([Buffer.from('count')]).then(([value]) => answers.push(100 + (value?.[0] ?? 0)));
        await scheduler.step();
      }
      return `${answers} ${batchesIn(store.crash('power'))}`;
    };
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    const first = await Promise.all(seeds.map(outcome));
    expect(await Promise.all(seeds.map(outcome))).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(15);
  });
});

describe('SeededScheduler', () => {
  it('says so when a promise waits for what nobody will do', async () => {
    const scheduler = new SeededScheduler(seededRandom(1));
    await expect(scheduler.until(new Promise(() => {}))).rejects.toThrow('Nothing is pending');
  });
});
