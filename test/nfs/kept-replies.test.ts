import { describe, expect, it } from 'vitest';
import { chainOf, KeptReplies, REPLIES_MAX, REPLY_AGE_MAX_MS } from '../../src/nfs/kept-replies.ts';
import { seededRandom, upTo } from '../kv/seeded-random.ts';
import { ManualClock } from './manual-clock.ts';

const CHAINS = 2 * REPLIES_MAX;

describe('kept replies', () => {
  it('are those of a plain map, under calls whose keys are much alike', () => {
    const random = seededRandom(17);
    const clock = new ManualClock();
    const kept = new KeptReplies(clock);
    const model = new Map<string, { checksum: number; atMs: number; reply: Buffer }>();
    let found = 0;
    for (let step = 0; step < 15_000; step++) {
      const call = {
        address: `10.0.0.${upTo(random, 2)}`,
        xid: (upTo(random, 20) * CHAINS + upTo(random, 200) + 0xffff_0000) >>> 0,
        procedure: 9 + upTo(random, 1),
      };
      const key = `${call.address} ${call.xid} ${call.procedure}`;
      const known = model.get(key);
      if (random() < 0.5) {
        const checksum = known?.checksum ?? upTo(random, 0xffff_ffff);
        const isYoung = known && clock.elapsedMs() - known.atMs < REPLY_AGE_MAX_MS;
        expect(kept.find(call, checksum), `step ${step}`).toEqual(isYoung ? known.reply : undefined);
        if (isYoung) {
          found++;
          expect(kept.find(call, checksum ^ 1)).toBeUndefined();
        }
      } else {
        const checksum = upTo(random, 0xffff_ffff);
        const reply = Buffer.alloc(upTo(random, 700), step);
        kept.keep(call, checksum, reply);
        model.set(key, { checksum, atMs: clock.elapsedMs(), reply });
      }
      clock.advance(upTo(random, 20));
    }
    expect(found).toBeGreaterThan(700);
  });

  it.each<[string, (count: number) => number]>([
    ['in the order of the wire', (count) => count],
    [
      'in the byte order of most clients',
      (count) => Buffer.from(Uint32Array.of(count).buffer).readUInt32BE(),
    ],
    ['by the number of chains', (count) => (count * CHAINS) >>> 0],
  ])('are in short chains when a client counts its xids up %s', (_, xidOf) => {
    const lengths = new Map<number, number>();
    for (let count = 1000; count < 1000 + REPLIES_MAX; count++) {
      const chain = chainOf(xidOf(count), 9);
      lengths.set(chain, (lengths.get(chain) ?? 0) + 1);
    }
    expect(Math.max(...lengths.values())).toBeLessThanOrEqual(8);
  });

  it('are copies', () => {
    const kept = new KeptReplies(new ManualClock());
    const call = { address: '10.0.0.1', xid: 1, procedure: 9 };
    kept.keep(call, 5, Buffer.from('reply'));
    kept.find(call, 5)!.fill(0);
    expect(kept.find(call, 5)).toEqual(Buffer.from('reply'));
  });

  it('give those that are too old back when the next one comes', () => {
    const clock = new ManualClock();
    const kept = new KeptReplies(clock);
    for (let xid = 0; xid < 100; xid++)
      kept.keep({ address: '10.0.0.1', xid, procedure: 9 }, 5, Buffer.from('reply'));
    clock.advance(REPLY_AGE_MAX_MS);
    kept.keep({ address: '10.0.0.1', xid: 100, procedure: 9 }, 5, Buffer.from('reply'));
    expect(kept.size).toBe(1);
  });
});
