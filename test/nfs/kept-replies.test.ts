import { describe, expect, it } from 'vitest';
import { chainOf, KeptReplies, REPLIES_MAX, REPLY_AGE_MAX_MS } from '../../src/nfs/kept-replies.ts';
import { Conversation } from '../../src/nfs/rpc/conversation.ts';
import { seededRandom, upTo } from '../kv/seeded-random.ts';
import { ManualClock } from './manual-clock.ts';

const CHAINS = 2 * REPLIES_MAX;
const CLIENTS = [0, 1, 2].map((host) => new Conversation(`10.0.0.${host}`, 700));
const CLIENT = CLIENTS[1]!;

describe('kept replies', () => {
  it('are those of a plain map, under calls whose keys are much alike', () => {
    const random = seededRandom(17);
    const clock = new ManualClock();
    const kept = new KeptReplies(clock);
    const model = new Map<string, { checksum: number; atMs: number; reply: Buffer }>();
    let found = 0;
    for (let step = 0; step < 15_000; step++) {
      const call = {
        conversation: CLIENTS[upTo(random, 2)]!,
        xid: (upTo(random, 20) * CHAINS + upTo(random, 200) + 0xffff_0000) >>> 0,
        procedure: 9 + upTo(random, 1),
      };
      const key = `${call.conversation.address} ${call.xid} ${call.procedure}`;
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
      const chain = chainOf(xidOf(count));
      lengths.set(chain, (lengths.get(chain) ?? 0) + 1);
    }
    expect(Math.max(...lengths.values())).toBeLessThanOrEqual(8);
  });

  it('are copies', () => {
    const kept = new KeptReplies(new ManualClock());
    const call = { conversation: CLIENT, xid: 1, procedure: 9 };
    kept.keep(call, 5, Buffer.from('reply'));
    kept.find(call, 5)!.fill(0);
    expect(kept.find(call, 5)).toEqual(Buffer.from('reply'));
  });

  it('are found by their call where others of the address have the number, and show who numbers anew', () => {
    const kept = new KeptReplies(new ManualClock());
    const [first, second, third, fourth] = [701, 702, 703, 704].map((p) => new Conversation('10.0.0.1', p));
    const call = (conversation: Conversation | undefined, procedure: number) => ({
      conversation: conversation!,
      xid: 1,
      procedure,
    });
    const procedures = [8, 9, 12];
    for (const procedure of procedures) kept.keep(call(first, procedure), 5, Buffer.from([procedure]));
    for (const procedure of procedures)
      expect(kept.find(call(second, procedure), 5)).toEqual(Buffer.from([procedure]));
    expect([first!.numbersAnew, second!.numbersAnew]).toEqual([false, false]);
    for (const [other, checksum, procedure] of [
      [third, 6, 8],
      [fourth, 5, 13],
    ] as const) {
      expect(kept.find(call(other, procedure), checksum)).toBeUndefined();
      expect(other!.numbersAnew).toBe(true);
      expect(kept.find(call(other, 9), 5)).toBeUndefined();
    }
    expect(kept.find(call(first, 8), 6)).toBeUndefined();
    expect(first!.numbersAnew).toBe(false);
  });

  it('that are too old show nothing of who numbers anew', () => {
    const clock = new ManualClock();
    const kept = new KeptReplies(clock);
    kept.keep({ conversation: CLIENT, xid: 1, procedure: 9 }, 5, Buffer.from('reply'));
    clock.advance(REPLY_AGE_MAX_MS);
    const other = new Conversation(CLIENT.address, 40_000);
    expect(kept.find({ conversation: other, xid: 1, procedure: 9 }, 6)).toBeUndefined();
    expect(other.numbersAnew).toBe(false);
  });

  it('give those that are too old back when the next one comes', () => {
    const clock = new ManualClock();
    const kept = new KeptReplies(clock);
    for (let xid = 0; xid < 100; xid++)
      kept.keep({ conversation: CLIENT, xid, procedure: 9 }, 5, Buffer.from('reply'));
    clock.advance(REPLY_AGE_MAX_MS);
    kept.keep({ conversation: CLIENT, xid: 100, procedure: 9 }, 5, Buffer.from('reply'));
    expect(kept.size).toBe(1);
  });
});
