import { describe, expect, it } from 'vitest';
import type { Eventual } from '../../src/eventual.ts';
import type { Receipt } from '../../src/fs/file-system.ts';
import { DuplicateRequestCache, RING_SLOTS } from '../../src/nfs/duplicate-request-cache.ts';
import { REPLIES_MAX, REPLY_AGE_MAX_MS, REPLY_BYTES_MAX } from '../../src/nfs/kept-replies.ts';
import { RING_REPLY_BYTES_MAX } from '../../src/nfs/reply-record.ts';
import { type MadeCall, madeCall } from './made-call.ts';
import { ManualClock } from './manual-clock.ts';

const MKDIR = 9;

/** A cache, and calls that count how often they were really served. */
function cacheOn(clock = new ManualClock()) {
  const cache = new DuplicateRequestCache(clock);
  let served = 0;
  const call = (made: MadeCall = {}, reply: Eventual<Buffer> = Buffer.from('reply')) =>
    cache.run(madeCall(made), made.procedure ?? MKDIR, () => {
      served++;
      return reply;
    });
  /** A call whose answer does not matter. */
  const send = (made?: MadeCall, reply?: Eventual<Buffer>): void => void call(made, reply);
  const isKept = (made: MadeCall): boolean => {
    const before = served;
    send(made);
    return served === before;
  };
  return { cache, clock, call, send, isKept, served: () => served };
}

/** A promise that settles when told. */
function later() {
  let resolve!: (value: Buffer) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<Buffer>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe('a call that comes again', () => {
  it('is served once and answered with the same bytes', () => {
    const { cache, call, served } = cacheOn();
    const first = call({}, Buffer.from('first'));
    expect(call({}, Buffer.from('second'))).toEqual(first);
    expect([served(), cache.hits]).toEqual([1, 1]);
  });

  it('may come from another port', () => {
    const { served, send } = cacheOn();
    send({ port: 700 });
    send({ port: 40_000 });
    expect(served()).toBe(1);
  });

  it.each<[string, MadeCall]>([
    ['address', { address: '10.0.0.2' }],
    ['xid', { xid: 2 }],
    ['procedure', { procedure: 12 }],
    ['arguments', { body: Buffer.from('BODY') }],
    ['uid', { uid: 1000 }],
    ['gid', { gid: 1000 }],
    ['groups', { groups: [27] }],
  ])('is another one when its %s differs', (_, other) => {
    const { served, send } = cacheOn();
    send();
    send(other);
    expect(served()).toBe(2);
  });

  it('is another one after 120 s from the answer', () => {
    const { clock, served, send } = cacheOn();
    send();
    clock.advance(REPLY_AGE_MAX_MS - 1);
    send();
    expect(served()).toBe(1);
    clock.advance(1);
    send();
    expect(served()).toBe(2);
  });

  it('takes the place of another one with its xid', () => {
    const { isKept, send } = cacheOn();
    send({ body: Buffer.from('old') });
    send({ body: Buffer.from('new') });
    expect(isKept({ body: Buffer.from('new') })).toBe(true);
    expect(isKept({ body: Buffer.from('old') })).toBe(false);
  });
});

describe('calls of two programs behind one address, which number alike', () => {
  const ONE = { port: 701, body: Buffer.from('one') };
  const OTHER = { port: 702, body: Buffer.from('other') };

  it('are each served once, when they come again while both are being served', async () => {
    const { call, served } = cacheOn();
    const replies = [later(), later()] as const;
    const first = [call(ONE, replies[0].promise), call(OTHER, replies[1].promise)];
    expect([call(ONE), call(OTHER)]).toEqual(first);
    replies[1].resolve(Buffer.from('to the other'));
    replies[0].resolve(Buffer.from('to the one'));
    expect(await Promise.all(first)).toEqual([Buffer.from('to the one'), Buffer.from('to the other')]);
    expect(served()).toBe(2);
  });

  it('are each served once, when they come again after the answers', async () => {
    const { call, send, served } = cacheOn();
    const { promise, resolve } = later();
    const slow = call(ONE, promise);
    send(OTHER, Buffer.from('to the other'));
    resolve(Buffer.from('to the one'));
    await slow;
    expect(call(ONE)).toEqual(Buffer.from('to the one'));
    expect(call(OTHER)).toEqual(Buffer.from('to the other'));
    expect(served()).toBe(2);
  });

  it('are kept of a few connections only', () => {
    const { cache, send } = cacheOn();
    for (let port = 1; port <= 100; port++) send({ port, body: Buffer.from(String(port)) });
    expect(cache.size).toBe(4);
  });
});

describe('a call that comes again while it is served', () => {
  it('gets the same answer, when it is there', async () => {
    const { call, served } = cacheOn();
    const { promise, resolve } = later();
    const both = [call({}, promise), call({ port: 99 }, Buffer.from('twice'))];
    resolve(Buffer.from('once'));
    expect(await Promise.all(both)).toEqual([Buffer.from('once'), Buffer.from('once')]);
    expect(call({}, Buffer.from('twice'))).toEqual(Buffer.from('once'));
    expect(served()).toBe(1);
  });

  it('waits however long that takes, and the answer is then kept for 120 s', async () => {
    const { clock, call, served } = cacheOn();
    const { promise, resolve } = later();
    const first = call({}, promise);
    clock.advance(10 * REPLY_AGE_MAX_MS);
    expect(call()).toBe(first);
    resolve(Buffer.from('late'));
    await first;
    clock.advance(REPLY_AGE_MAX_MS - 1);
    expect(call()).toEqual(Buffer.from('late'));
    expect(served()).toBe(1);
  });

  it('is not forgotten among many other calls', async () => {
    const { served, isKept, send } = cacheOn();
    const { promise } = later();
    send({ xid: 0 }, promise);
    for (let xid = 1; xid <= REPLIES_MAX + 10; xid++) send({ xid });
    expect(served()).toBe(REPLIES_MAX + 11);
    expect(isKept({ xid: 0 })).toBe(true);
  });

  it('is served again when the first time ended without an answer', async () => {
    const { cache, call, served, send } = cacheOn();
    const { promise, reject } = later();
    const first = call({}, promise);
    reject(new Error('a bug'));
    await expect(first).rejects.toThrow('a bug');
    expect(cache.size).toBe(0);
    send();
    expect(served()).toBe(2);
  });

  it('does not keep the answer of an earlier call with its xid', async () => {
    const { call, send } = cacheOn();
    const { promise, resolve } = later();
    const old = call({ body: Buffer.from('old') }, promise);
    send({ body: Buffer.from('new') }, Buffer.from('answer to the new'));
    resolve(Buffer.from('answer to the old'));
    await old;
    expect(call({ body: Buffer.from('new') })).toEqual(Buffer.from('answer to the new'));
  });

  it('leaves nothing behind when serving throws at once', () => {
    const { cache, served, send } = cacheOn();
    const failing = () =>
      cache.run(madeCall(), MKDIR, () => {
        throw new Error('refused');
      });
    expect(failing).toThrow('refused');
    expect(cache.size).toBe(0);
    send();
    expect(served()).toBe(1);
  });
});

describe('the limits', () => {
  it('are 8,192 replies: the oldest goes', () => {
    const { cache, send, isKept } = cacheOn();
    for (let xid = 0; xid < REPLIES_MAX; xid++) send({ xid });
    expect(cache.size).toBe(REPLIES_MAX);
    expect(isKept({ xid: 0 })).toBe(true);
    send({ xid: REPLIES_MAX });
    expect(cache.size).toBe(REPLIES_MAX);
    expect(isKept({ xid: 1 })).toBe(true);
    expect(isKept({ xid: 0 })).toBe(false);
    for (let xid = 10_000; xid < 30_000; xid++) {
      send({ xid });
      expect(cache.size).toBeLessThanOrEqual(REPLIES_MAX);
    }
    expect(isKept({ xid: 30_000 - REPLIES_MAX })).toBe(true);
  });

  it('are 8 MiB of replies', () => {
    const { cache, isKept, send } = cacheOn();
    const reply = Buffer.alloc(2 ** 20);
    const fitting = REPLY_BYTES_MAX / reply.length;
    for (let xid = 0; xid < fitting; xid++) send({ xid }, reply);
    expect(cache.size).toBe(fitting);
    send({ xid: fitting }, Buffer.alloc(1));
    expect(cache.size).toBe(fitting);
    expect(isKept({ xid: 1 })).toBe(true);
    expect(isKept({ xid: 0 })).toBe(false);
  });

  it('count no bytes of replies that were dropped or replaced', () => {
    const { cache, send } = cacheOn();
    const reply = Buffer.alloc(2 ** 20);
    for (let round = 0; round < 20; round++) send({ xid: 1, body: Buffer.from([round]) }, reply);
    expect(cache.size).toBe(1);
    for (let xid = 0; xid < 20; xid++) send({ xid }, reply);
    expect(cache.size).toBe(8);
    for (let xid = 0; xid < 1000; xid++) send({ xid }, Buffer.alloc(1));
    expect(cache.size).toBe(1000);
  });

  it('give the memory of old replies back as new ones come', () => {
    const { cache, clock, send } = cacheOn();
    for (let xid = 0; xid < 1000; xid++) send({ xid });
    clock.advance(REPLY_AGE_MAX_MS);
    for (let xid = 1000; xid < 1256; xid++) send({ xid });
    expect(cache.size).toBeLessThanOrEqual(256);
  });
});

describe('the ring of rows', () => {
  /** Serves a successful call; its row is put into `ring` as the store would. */
  const succeed = (
    cache: DuplicateRequestCache,
    ring: Map<number, Buffer>,
    made: MadeCall,
    reply = Buffer.from(`reply ${made.xid}`),
  ): Receipt | undefined => {
    let row: Receipt | undefined;
    void cache.run(madeCall(made), MKDIR, (receiptOf) => {
      row = receiptOf(reply);
      if (row) ring.set(row.slot, row.value);
      return reply;
    });
    return row;
  };

  it('answers after a restart, byte for byte, from any port', () => {
    const { cache, clock } = cacheOn();
    const ring = new Map<number, Buffer>();
    for (let xid = 0; xid < 5; xid++) succeed(cache, ring, { xid });
    const next = cacheOn(clock);
    next.cache.restore(ring);
    for (let xid = 0; xid < 5; xid++) {
      expect(next.call({ xid, port: 5000 })).toEqual(Buffer.from(`reply ${xid}`));
    }
    expect(next.served()).toBe(0);
    next.send({ xid: 0, uid: 5 });
    next.send({ xid: 9 });
    expect(next.served()).toBe(2);
  });

  it('holds only what was asked to be kept: a failure is answered from memory alone', () => {
    const { cache, clock, served, send } = cacheOn();
    const ring = new Map<number, Buffer>();
    send({ xid: 1 }, Buffer.from('EEXIST'));
    succeed(cache, ring, { xid: 2 });
    expect(ring.size).toBe(1);
    send({ xid: 1 });
    expect(served()).toBe(1);
    const next = cacheOn(clock);
    next.cache.restore(ring);
    expect([next.isKept({ xid: 1 }), next.isKept({ xid: 2 })]).toEqual([false, true]);
  });

  it('goes round, and goes on behind the newest row after a restart', () => {
    const { cache, clock } = cacheOn();
    const ring = new Map<number, Buffer>();
    for (let xid = 0; xid < RING_SLOTS + 3; xid++) {
      expect(succeed(cache, ring, { xid })?.slot).toBe(xid % RING_SLOTS);
    }
    expect(ring.size).toBe(RING_SLOTS);
    const next = cacheOn(clock);
    next.cache.restore(ring);
    expect(next.cache.size).toBe(RING_SLOTS);
    expect(succeed(next.cache, ring, { xid: 9000 })?.slot).toBe(3);
    const third = cacheOn(clock);
    third.cache.restore([...ring].reverse());
    expect(succeed(third.cache, ring, { xid: 9001 })?.slot).toBe(4);
    expect([
      third.isKept({ xid: RING_SLOTS + 2 }),
      third.isKept({ xid: 3 }),
      third.isKept({ xid: 4 }),
    ]).toEqual([true, false, true]);
  });

  it('counts the age by the wall clock, over the restart', () => {
    const clock = new ManualClock();
    const ring = new Map<number, Buffer>();
    const { cache } = cacheOn(clock);
    succeed(cache, ring, { xid: 1 });
    clock.advance(REPLY_AGE_MAX_MS - 1000);
    succeed(cache, ring, { xid: 2 });
    const next = cacheOn(clock);
    next.cache.restore(ring);
    expect(next.isKept({ xid: 1 })).toBe(true);
    clock.advance(1000);
    expect([next.isKept({ xid: 1 }), next.isKept({ xid: 2 })]).toEqual([false, true]);
    const late = cacheOn(clock);
    late.cache.restore(ring);
    expect(late.cache.size).toBe(1);
  });

  it('goes on behind the newest row even when that is too old to answer', () => {
    const clock = new ManualClock();
    const ring = new Map<number, Buffer>();
    const { cache } = cacheOn(clock);
    for (let xid = 0; xid < 7; xid++) succeed(cache, ring, { xid });
    clock.advance(REPLY_AGE_MAX_MS);
    const next = cacheOn(clock);
    next.cache.restore(ring);
    expect(next.cache.size).toBe(0);
    expect(succeed(next.cache, ring, { xid: 100 })?.slot).toBe(7);
  });

  it('passes over damaged rows', () => {
    const { cache, clock } = cacheOn();
    const ring = new Map<number, Buffer>();
    for (let xid = 0; xid < 3; xid++) succeed(cache, ring, { xid });
    const damaged = Buffer.from(ring.get(1)!);
    damaged[20]! ^= 1;
    ring.set(1, damaged);
    ring.set(50, Buffer.alloc(0));
    const next = cacheOn(clock);
    next.cache.restore(ring);
    expect([0, 1, 2].map((xid) => next.isKept({ xid }))).toEqual([true, false, true]);
  });

  it('leaves long replies out', () => {
    const { cache } = cacheOn();
    const ring = new Map<number, Buffer>();
    expect(succeed(cache, ring, { xid: 1 }, Buffer.alloc(RING_REPLY_BYTES_MAX))?.slot).toBe(0);
    expect(succeed(cache, ring, { xid: 2 }, Buffer.alloc(RING_REPLY_BYTES_MAX + 1))).toBeUndefined();
    expect(succeed(cache, ring, { xid: 3 })?.slot).toBe(1);
  });
});
