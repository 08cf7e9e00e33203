import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ListenError } from '../../../src/nfs/rpc/endpoint.ts';
import { TcpServer } from '../../../src/nfs/rpc/tcp-server.ts';
import { ManualClock } from '../manual-clock.ts';
import { callMessage, counted, RawClient, record, words } from '../raw-client.ts';
import { Echo, PROGRAM, serve, type TestServer } from './test-server.ts';

const bytes = (text: string) => counted(Buffer.from(text));
const call = (xid: number, procedure: number, body: Buffer) =>
  record(callMessage({ xid, program: PROGRAM, version: 3, procedure }, body));

describe('whether one connection alone is calling and waits', () => {
  it('is so for 10 ms behind the call of another one, and only while a call is in flight', async () => {
    const clock = new ManualClock();
    await using test = await serve({}, clock);
    const client = await RawClient.connect(test.port);
    const other = await RawClient.connect(test.port);
    await other.call(PROGRAM, 3, Echo.echo, bytes('before'));
    const slow = client.call(PROGRAM, 3, Echo.later, bytes('slow'));
    await test.waits(1);
    expect(test.server.hasSoleWaiter).toBe(false);
    clock.advance(10);
    expect(test.server.hasSoleWaiter).toBe(true);
    await other.call(PROGRAM, 3, Echo.echo, bytes('beside'));
    clock.advance(9);
    expect(test.server.hasSoleWaiter).toBe(false);
    clock.advance(1);
    expect(test.server.hasSoleWaiter).toBe(true);
    test.waiting[0]!();
    await slow;
    expect(test.server.hasSoleWaiter).toBe(false);
  });
});

describe('a connection', () => {
  it('answers a call whose record comes in any number of fragments and packets', async () => {
    await using test = await serve();
    const client = await RawClient.connect(test.port);
    const body = counted(Buffer.alloc(300, 'x'));
    for (const options of [{ fragmentBytes: 1 }, { fragmentBytes: 7, writeBytes: 3 }, { writeBytes: 1 }]) {
      expect(await client.call(PROGRAM, 3, Echo.echo, body, options)).toMatchObject({
        status: 'SUCCESS',
        body,
      });
    }
  });

  it('answers many calls in one packet, in order', async () => {
    await using test = await serve();
    const client = await RawClient.connect(test.port);
    const last = client.reply(1999);
    client.send(
      Buffer.concat(Array.from({ length: 2000 }, (_, xid) => call(xid, Echo.echo, bytes(`call ${xid}`)))),
    );
    await last;
    expect(client.replies.map(({ xid }) => xid)).toEqual(Array.from({ length: 2000 }, (_, xid) => xid));
    expect(client.replies[1234]!.body).toEqual(bytes('call 1234'));
  });

  it('lets other calls pass one that takes longer', async () => {
    await using test = await serve();
    const client = await RawClient.connect(test.port);
    const slow = client.call(PROGRAM, 3, Echo.later, bytes('slow'));
    await test.waits(1);
    expect(await client.call(PROGRAM, 3, Echo.echo, bytes('fast'))).toMatchObject({ body: bytes('fast') });
    test.waiting[0]!();
    expect(await slow).toMatchObject({ status: 'SUCCESS', body: bytes('slow') });
  });

  it('keeps the arguments of waiting calls although the same buffer receives others', async () => {
    await using test = await serve();
    const client = await RawClient.connect(test.port);
    const slow = Array.from({ length: 200 }, (_, index) =>
      client.call(PROGRAM, 3, Echo.later, bytes(`slow ${index}`)),
    );
    await test.waits(200);
    for (let i = 0; i < 50; i++) await client.call(PROGRAM, 3, Echo.echo, counted(Buffer.alloc(9000, 'y')));
    for (const answer of test.waiting) answer();
    const replies = await Promise.all(slow);
    expect(replies.map(({ body }) => body)).toEqual(slow.map((_, index) => bytes(`slow ${index}`)));
  });

  it('keeps retained data: a copy of a small record, a large one by reference', async () => {
    await using test = await serve();
    const client = await RawClient.connect(test.port);
    const small = Buffer.alloc(4096, 's');
    const large = Buffer.alloc(1024 * 1024, 'l');
    await client.call(PROGRAM, 3, Echo.keep, counted(small));
    await client.call(PROGRAM, 3, Echo.keep, counted(large));
    for (let i = 0; i < 20; i++) await client.call(PROGRAM, 3, Echo.echo, counted(Buffer.alloc(60_000)));
    await client.call(PROGRAM, 3, Echo.echo, counted(Buffer.alloc(1024 * 1024)));
    expect(test.kept[0]!.equals(small)).toBe(true);
    expect(test.kept[1]!.equals(large)).toBe(true);
    expect(test.kept[1]!.byteOffset).toBeGreaterThan(0);
    expect(test.kept[1]!.buffer.byteLength).toBeGreaterThan(large.length);
  });

  it('carries payloads much larger than the socket takes at once', async () => {
    await using test = await serve();
    const client = await RawClient.connect(test.port);
    const replies = await Promise.all(
      Array.from({ length: 12 }, () => client.call(PROGRAM, 3, Echo.payload, words(3_000_001))),
    );
    const expected = Buffer.concat([
      words(3_000_001),
      Buffer.alloc(1, 1),
      Buffer.alloc(3_000_000, 2),
      Buffer.alloc(3),
    ]);
    for (const { body } of replies) expect(body.equals(expected)).toBe(true);
  });

  it('answers what a client asked before it closed its side', async () => {
    await using test = await serve();
    const client = await RawClient.connect(test.port);
    const slow = client.call(PROGRAM, 3, Echo.later, bytes('last'));
    await test.waits(1);
    client.socket.end();
    await once(client.socket, 'finish');
    test.waiting[0]!();
    expect(await slow).toMatchObject({ body: bytes('last') });
    await client.closed();
  });

  it('is closed with the reason in the log when it sends something else than calls', async () => {
    await using test = await serve();
    const cases: [bytes: Buffer, reason: string][] = [
      [record(words(7, 1, 0, 0, 0, 0)), 'it sent a reply'],
      [record(words(7, 2)), 'unknown type 2'],
      [record(Buffer.alloc(7)), 'a record of 7 bytes is no RPC message'],
      [record(Buffer.alloc(0)), 'a record of 0 bytes is no RPC message'],
      [record(words(7, 0, 2, PROGRAM, 3)), 'without a header'],
      [Buffer.from('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n'), 'are allowed'],
    ];
    for (const [sent, reason] of cases) {
      const client = await RawClient.connect(test.port);
      const before = client.call(PROGRAM, 3, Echo.echo, bytes('before'));
      expect(await before).toMatchObject({ status: 'SUCCESS' });
      client.send(sent);
      await client.closed();
      expect(test.log.at(-1)!.message).toMatch(/^Closed connection of 127\.0\.0\.1: /);
      expect(test.log.at(-1)!.message).toContain(reason);
    }
    expect(test.server.statistics.connectionsClosed).toBe(cases.length);
  });

  it('still sends the replies to calls in front of what it is closed for', async () => {
    await using test = await serve();
    const client = await RawClient.connect(test.port);
    const reply = client.reply(5);
    client.send(Buffer.concat([call(5, Echo.echo, bytes('first')), record(words(7, 1, 0, 0, 0, 0))]));
    expect(await reply).toMatchObject({ body: bytes('first') });
    await client.closed();
  });

  it('that is closed for what it sent needs no answers any more', async () => {
    await using test = await serve();
    const client = await RawClient.connect(test.port);
    const lost = client.call(PROGRAM, 3, Echo.later, bytes('lost'));
    await test.waits(1);
    client.send(record(words(7, 1, 0, 0, 0, 0)));
    await expect(lost).rejects.toThrow('closed');
    test.waiting[0]!();
    const other = await RawClient.connect(test.port);
    expect(await other.call(PROGRAM, 3, Echo.null)).toMatchObject({ status: 'SUCCESS' });
    expect(test.log.map(({ level }) => level)).toEqual(['warn']);
    expect(test.server.statistics.callsInFlight).toBe(0);
  });

  it('that vanishes with calls in flight leaves nothing behind', async () => {
    await using test = await serve();
    const client = await RawClient.connect(test.port);
    const lost = client.call(PROGRAM, 3, Echo.later, bytes('lost'));
    await test.waits(1);
    client.socket.resetAndDestroy();
    await expect(lost).rejects.toThrow('closed');
    const other = await RawClient.connect(test.port);
    test.waiting[0]!();
    expect(await other.call(PROGRAM, 3, Echo.null)).toMatchObject({ status: 'SUCCESS' });
    expect(test.server.statistics.callsInFlight).toBe(0);
  });
});

describe('memory', () => {
  it('is not held by idle connections that sent a large record', async () => {
    await using test = await serve();
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const clients = await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(test.port)));
    for (const client of clients) await client.call(PROGRAM, 3, Echo.null);
    collect();
    const before = process.memoryUsage().arrayBuffers;
    for (const client of clients) {
      expect(await client.call(PROGRAM, 3, Echo.null, Buffer.alloc(1_000_000))).toMatchObject({
        status: 'SUCCESS',
      });
    }
    // What is collected is counted as free a little later.
    const held = () => {
      collect();
      return process.memoryUsage().arrayBuffers - before;
    };
    await expect.poll(held, { timeout: 4000 }).toBeLessThan(40_000_000);
    expect(test.server.clients().length).toBe(100);
  });
});

describe('limits', () => {
  it('closes a connection over the limit at once, and serves the others', async () => {
    await using test = await serve({ connectionsMax: 2 });
    const clients = [await RawClient.connect(test.port), await RawClient.connect(test.port)];
    const third = await RawClient.connect(test.port);
    await third.closed();
    expect((await test.logged('2 are open, which is the limit')).level).toBe('warn');
    for (const client of clients) await client.call(PROGRAM, 3, Echo.null);
    await clients[0]!.close();
    expect(test.server.statistics).toMatchObject({ connectionsAccepted: 2, connectionsRefused: 1 });
  });

  it('stops reading at the limit of calls in flight, and drops nothing', async () => {
    await using test = await serve({ callsInFlightMax: 4 });
    const client = await RawClient.connect(test.port);
    const calls = Array.from({ length: 20 }, (_, index) =>
      client.call(PROGRAM, 3, Echo.later, bytes(`${index}`)),
    );
    for (let done = 0; done < 20; done++) {
      await test.waits(Math.min(done + 4, 20));
      expect(test.server.statistics.callsInFlight).toBeLessThanOrEqual(4);
      test.waiting[done]!();
      expect(await calls[done]).toMatchObject({ body: bytes(`${done}`) });
    }
    expect(test.waiting.length).toBe(20);
  });

  it('stops reading at the limit of bytes in flight', async () => {
    await using test = await serve({ callBytesInFlightMax: 100_000 });
    const client = await RawClient.connect(test.port);
    const calls = Array.from({ length: 9 }, () =>
      client.call(PROGRAM, 3, Echo.later, counted(Buffer.alloc(40_000))),
    );
    await test.waits(3);
    await (await RawClient.connect(test.port)).call(PROGRAM, 3, Echo.null);
    expect(test.waiting.length).toBe(3);
    for (let done = 0; done < 9; done++) {
      await test.waits(done + 1);
      test.waiting[done]!();
    }
    for (const reply of calls) expect(await reply).toMatchObject({ status: 'SUCCESS' });
  });

  it('stops reading all connections at the limit of bytes in flight together, until there is room', async () => {
    await using test = await serve({ callBytesInFlightTotalMax: 50_000 });
    const [one, two] = [await RawClient.connect(test.port), await RawClient.connect(test.port)];
    const first = one.call(PROGRAM, 3, Echo.later, counted(Buffer.alloc(60_000)));
    await test.waits(1);
    const second = two.call(PROGRAM, 3, Echo.later, bytes('second'));
    const third = two.call(PROGRAM, 3, Echo.null);
    test.waiting[0]!();
    await first;
    expect(test.waiting.length).toBeLessThanOrEqual(2);
    await test.waits(2);
    test.waiting[1]!();
    expect(await second).toMatchObject({ body: bytes('second') });
    expect(await third).toMatchObject({ status: 'SUCCESS' });
  });

  it('reads no more calls of a client that takes no replies, and goes on when it does', async () => {
    await using test = await serve({ replyBacklogBytesMax: 4_000_000 });
    const slow = await RawClient.connect(test.port);
    slow.socket.pause();
    const calls = Array.from({ length: 60 }, () => slow.call(PROGRAM, 3, Echo.payload, words(1_000_000)));
    const other = await RawClient.connect(test.port);
    const { statistics } = test.server;
    const payloads = statistics.programs[0]!.procedures[Echo.payload]!;
    let before = -1;
    while (before < payloads.calls) {
      before = payloads.calls;
      for (let i = 0; i < 20; i++) await other.call(PROGRAM, 3, Echo.null);
    }
    expect(payloads.calls).toBeLessThan(60);
    slow.socket.resume();
    for (const reply of calls) expect((await reply).body.length).toBe(1_000_004);
  });

  describe('on replies that calls in flight may take', () => {
    const MB = 1_000_000;
    const payloads = (client: RawClient, count: number) =>
      Array.from({ length: count }, () => client.call(PROGRAM, 3, Echo.payloadLater, words(MB)));
    /** Answers each as it comes, until all of them have. */
    const answer = async ({ waiting, waits }: TestServer, count: number) => {
      for (let done = 0; done < count; done++) {
        await waits(done + 1);
        waiting[done]!();
      }
    };

    it('stops reading a connection at its limit, and goes on', async () => {
      await using test = await serve({ replyBacklogBytesMax: 3 * MB });
      const client = await RawClient.connect(test.port);
      const calls = payloads(client, 20);
      await test.waits(4);
      const other = await RawClient.connect(test.port);
      for (let i = 0; i < 20; i++) await other.call(PROGRAM, 3, Echo.null);
      expect(test.waiting.length).toBe(4);
      await answer(test, 20);
      for (const reply of calls) expect((await reply).body.length).toBe(MB + 4);
    });

    it('reads no more calls of a client that does not take what was answered later', async () => {
      await using test = await serve({ replyBacklogBytesMax: 3 * MB });
      const slow = await RawClient.connect(test.port);
      slow.socket.pause();
      const calls = payloads(slow, 60);
      const other = await RawClient.connect(test.port);
      let answered = -1;
      while (answered < test.waiting.length) {
        answered = Math.max(answered, 0);
        expect(test.waiting.length - answered).toBeLessThanOrEqual(4);
        for (const later of test.waiting.slice(answered)) later();
        answered = test.waiting.length;
        for (let i = 0; i < 20; i++) await other.call(PROGRAM, 3, Echo.null);
      }
      expect(answered).toBeGreaterThan(3);
      expect(answered).toBeLessThan(60);
      slow.socket.resume();
      for (let done = answered; done < 60; done++) {
        await test.waits(done + 1);
        test.waiting[done]!();
      }
      for (const reply of calls) expect((await reply).body.length).toBe(MB + 4);
    });

    it('leaves room for other connections when some want all of it', async () => {
      await using test = await serve({ callBytesInFlightTotalMax: 10 * MB });
      const greedy = [await RawClient.connect(test.port), await RawClient.connect(test.port)];
      const calls = greedy.flatMap((client) => payloads(client, 30));
      await test.waits(8);
      const small = await RawClient.connect(test.port);
      for (let i = 0; i < 20; i++) await small.call(PROGRAM, 3, Echo.null);
      expect(test.waiting.length).toBe(8);
      const last = small.call(PROGRAM, 3, Echo.later, bytes('small'));
      await test.waits(9);
      await answer(test, 61);
      for (const reply of calls) expect((await reply).body.length).toBe(MB + 4);
      expect(await last).toMatchObject({ body: bytes('small') });
    });

    it('holds up nobody for ever when all of it is taken', async () => {
      await using test = await serve({ callBytesInFlightTotalMax: 3 * MB });
      const clients = await Promise.all(Array.from({ length: 12 }, () => RawClient.connect(test.port)));
      const calls = clients.flatMap((client) => payloads(client, 5));
      await test.waits(3);
      const nothing = (await RawClient.connect(test.port)).call(PROGRAM, 3, Echo.null);
      for (let done = 0; done < 60; done++) {
        await test.waits(done + 1);
        expect(test.waiting.length - done).toBeLessThanOrEqual(4);
        test.waiting[done]!();
      }
      for (const reply of calls) expect((await reply).body.length).toBe(MB + 4);
      expect(await nothing).toMatchObject({ status: 'SUCCESS' });
    });

    it('takes a call whose reply alone is past every limit', async () => {
      await using test = await serve({ replyBacklogBytesMax: 100_000, callBytesInFlightTotalMax: 500_000 });
      const client = await RawClient.connect(test.port);
      const calls = payloads(client, 3);
      for (let done = 0; done < 3; done++) {
        await test.waits(done + 1);
        expect(test.waiting.length).toBe(done + 1);
        test.waiting[done]!();
        expect((await calls[done])!.body.length).toBe(MB + 4);
      }
    });
  });

  it('closes the connection that stalls longest when unfinished records use up the memory', async () => {
    const clock = new ManualClock();
    await using test = await serve({ stalledBytesMax: 2_500_000 }, clock);
    const stalled: RawClient[] = [];
    for (let i = 0; i < 3; i++) {
      const client = await RawClient.connect(test.port);
      await client.call(PROGRAM, 3, Echo.null);
      clock.advance(1000);
      await client.write(Buffer.concat([words(0x80000000 + 1_000_000), Buffer.alloc(100)]));
      stalled.push(client);
      if (i < 2) await (await RawClient.connect(test.port)).call(PROGRAM, 3, Echo.null);
    }
    await stalled[0]!.closed();
    expect((await test.logged('it stalls longest')).level).toBe('warn');
    expect(stalled[1]!.socket.destroyed).toBe(false);
    expect(stalled[2]!.socket.destroyed).toBe(false);
  });

  it('closes a connection without a call for the idle time, but not one that waits for an answer', async () => {
    const clock = new ManualClock();
    await using test = await serve({ idleMs: 600_000 }, clock);
    const idle = await RawClient.connect(test.port);
    await idle.call(PROGRAM, 3, Echo.null);
    const waiting = await RawClient.connect(test.port);
    const slow = waiting.call(PROGRAM, 3, Echo.later, bytes('slow'));
    await test.waits(1);
    const half = await RawClient.connect(test.port);
    await half.call(PROGRAM, 3, Echo.null);
    await half.write(words(0x80000100, 1));
    clock.advance(599_000);
    await idle.call(PROGRAM, 3, Echo.null);
    clock.advance(590_000);
    await half.closed();
    expect(idle.socket.destroyed).toBe(false);
    clock.advance(40_000);
    await idle.closed();
    expect((await test.logged('it has sent no call for')).level).toBe('info');
    test.waiting[0]!();
    expect(await slow).toMatchObject({ status: 'SUCCESS' });
  });
});

describe('a server', () => {
  it('says who is connected', async () => {
    const clock = new ManualClock();
    await using test = await serve({}, clock);
    const client = await RawClient.connect(test.port);
    await client.call(PROGRAM, 3, Echo.null);
    clock.advance(5000);
    await client.call(PROGRAM, 3, Echo.null);
    clock.advance(7000);
    expect(test.server.clients()).toEqual([
      {
        address: '127.0.0.1',
        port: client.socket.localPort,
        connectedForMs: 12_000,
        calls: 2,
        sinceLastCallMs: 7000,
      },
    ]);
  });

  it('counts calls, bytes and time of each procedure', async () => {
    await using test = await serve();
    const client = await RawClient.connect(test.port);
    for (let i = 0; i < 5; i++) await client.call(PROGRAM, 3, Echo.echo, bytes('abc'));
    await client.call(PROGRAM, 3, Echo.bug);
    await client.call(PROGRAM, 9, 0);
    const { programs, bytesReceived, bytesSent, callsRefused } = test.server.statistics;
    const [, echo] = programs[0]!.procedures;
    expect(programs[0]).toMatchObject({ program: PROGRAM, version: 3, name: 'ECHO' });
    expect(echo).toMatchObject({ name: 'ECHO', calls: 5, refusals: 0, bytesReceived: 5 * 72 });
    expect(echo!.latencyBuckets.reduce((sum, count) => sum + count)).toBe(5);
    expect(programs[0]!.procedures[Echo.bug]).toMatchObject({ calls: 1, refusals: 1 });
    expect(callsRefused).toBe(1);
    expect(bytesReceived).toBe(5 * 76 + 68 + 68);
    expect(bytesSent).toBe(5 * 36 + 28 + 36);
  });

  it('answers the calls in flight before it closes', async () => {
    const test = await serve();
    const client = await RawClient.connect(test.port);
    const slow = client.call(PROGRAM, 3, Echo.later, bytes('slow'));
    await test.waits(1);
    const closed = test.server.close(60_000);
    await expect(RawClient.connect(test.port)).rejects.toThrow('ECONNREFUSED');
    test.waiting[0]!();
    expect(await slow).toMatchObject({ body: bytes('slow') });
    await closed;
    await client.closed();
  });

  it('closes at the deadline whatever is still in flight', async () => {
    const clock = new ManualClock();
    const test = await serve({}, clock);
    const client = await RawClient.connect(test.port);
    const slow = client.call(PROGRAM, 3, Echo.later, bytes('slow'));
    await test.waits(1);
    const closed = test.server.close(5000);
    clock.advance(5000);
    await closed;
    await expect(slow).rejects.toThrow('closed');
  });

  it('names an endpoint that is taken', async () => {
    await using test = await serve();
    const again = TcpServer.listen(
      { programs: [], log: { debug() {}, info() {}, warn() {}, error() {} }, clock: new ManualClock() },
      { host: '127.0.0.1', port: test.port },
    );
    await expect(again).rejects.toThrow(ListenError);
    await expect(again).rejects.toMatchObject({
      code: 'EADDRINUSE',
      port: test.port,
      message: `Cannot listen on 127.0.0.1:${test.port}: the port is taken by another program`,
    });
  });
});
