// Hostile input over real sockets. FUZZ_RECORDS sets how many records (20,000 in `npm test`, to 1,000,000 by hand),
// FUZZ_SEED replays a run.

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { nullProcedure, procedure } from '../../../src/nfs/rpc/program.ts';
import { RECORD_BYTES_MAX } from '../../../src/nfs/rpc/record.ts';
import { TcpServer } from '../../../src/nfs/rpc/tcp-server.ts';
import { encodeMessage } from '../../../src/nfs/xdr/message.ts';
import { fixedOpaque, opaque } from '../../../src/nfs/xdr/opaque.ts';
import { bool, u32 } from '../../../src/nfs/xdr/primitives.ts';
import { array, list } from '../../../src/nfs/xdr/sequence.ts';
import { struct } from '../../../src/nfs/xdr/struct.ts';
import { optional, union } from '../../../src/nfs/xdr/union.ts';
import { generator, mutate, mutateCall, type Random } from '../mutation.ts';
import { callMessage, RawClient, record, words } from '../raw-client.ts';

const { FUZZ_RECORDS = '20000', FUZZ_SEED = String(randomInt(2 ** 32)) } = process.env;
const RECORDS = Number(FUZZ_RECORDS);
const SEED = Number(FUZZ_SEED);
const BATCH = 50;
/** What the whole process may grow by, generator and test runner included. */
const GROWTH_BYTES_MAX = 192 * 1024 * 1024;
const PROGRAM = 100003;

/** Everything that arguments are made of; each value has one encoding, so an echo must equal what was sent. */
const args = struct({
  file: opaque(64),
  name: opaque(255),
  how: union('how', { 0: { mode: optional(u32), exact: bool }, 1: { verifier: fixedOpaque(8) }, 2: {} }),
  entries: list(struct({ name: opaque(255), cookie: u32 }), 100),
  groups: array(u32, 16),
  data: opaque(1024 * 1024),
});

const echo = (name: string, later: boolean) =>
  procedure({
    name,
    args,
    result: args,
    run(call, value) {
      const kept = { ...value, data: call.retain(value.data) };
      return later ? Promise.resolve(kept) : kept;
    },
  });

interface Noted {
  readonly port: number;
  readonly message: string;
}

async function listen() {
  const closed: Noted[] = [];
  const bugs: object[] = [];
  const server = await TcpServer.listen(
    {
      programs: [
        {
          program: PROGRAM,
          version: 3,
          name: 'ECHO',
          procedures: [nullProcedure, echo('NOW', false), echo('LATER', true)],
        },
      ],
      log: {
        debug() {},
        info() {},
        warn: (fields, message) => closed.push({ ...(fields as { port: number }), message }),
        error: (fields) => bugs.push(fields),
      },
      clock: systemClock,
      limits: { connectionsMax: 1100 },
      overwriteFreed: true,
    },
    { host: '127.0.0.1', port: 0 },
  );
  return { server, closed, bugs, port: server.endpoint.port };
}

function body(random: Random): Buffer {
  const bytes = (max: number) => Buffer.alloc(random(max + 1), random(256));
  const hows = [
    { how: 0, mode: random(2) ? random(4096) : undefined, exact: true },
    { how: 1, verifier: Buffer.alloc(8) },
    { how: 2 },
  ] as const;
  return encodeMessage(args, {
    file: bytes(64),
    name: bytes(255),
    how: hows[random(3)]!,
    entries: Array.from({ length: random(5) }, (_, cookie) => ({ name: bytes(20), cookie })),
    groups: Array.from({ length: random(17) }, () => random(100)),
    data: bytes(random(40) === 0 ? 200_000 : 500),
  });
}

function message(random: Random, xid: number): Buffer {
  const groups = Array.from({ length: random(17) }, () => random(1000));
  const numbers = { xid, program: PROGRAM, version: 3, procedure: 1 + random(2) };
  return callMessage(numbers, body(random), { uid: random(5), groups });
}

describe(`hostile input (FUZZ_SEED=${SEED})`, () => {
  it('is answered call by call, or ends the connection with a logged reason', {
    timeout: 600_000,
  }, async () => {
    const random = generator(SEED);
    const { server, closed, bugs, port } = await listen();
    const innocent = await RawClient.connect(port);
    const honest = body(random);
    await innocent.call(PROGRAM, 3, 1, honest);
    const before = process.memoryUsage().rss;
    let client = await RawClient.connect(port);
    let sent = 0;
    let ends = 0;
    while (sent < RECORDS) {
      const batch: Buffer[] = [];
      const expected = new Map<number, Buffer>();
      const answers: Promise<unknown>[] = [];
      for (let i = 0; i < BATCH; i++, sent++) {
        const bytes = mutateCall(random, message(random, sent));
        if (bytes.length >= 4) bytes.writeUInt32BE(sent, 0);
        expected.set(sent, bytes);
        answers.push(client.reply(sent));
        batch.push(record(bytes, random(4) ? undefined : 1 + random(bytes.length + 1)));
      }
      const { localPort } = client.socket;
      client.send(Buffer.concat(batch));
      const results = await Promise.allSettled(answers);
      for (const reply of client.replies.splice(0)) {
        const bytes = expected.get(reply.xid)!;
        if (reply.status === 'SUCCESS' && reply.body.length > 0)
          expect(reply.body.equals(bytes.subarray(bytes.length - reply.body.length))).toBe(true);
      }
      if (results.some(({ status }) => status === 'rejected')) {
        ends++;
        expect(
          closed.some((line) => line.port === localPort && line.message.startsWith('Closed connection')),
        ).toBe(true);
        client = await RawClient.connect(port);
      }
      expect(await innocent.call(PROGRAM, 3, 1, honest)).toMatchObject({ status: 'SUCCESS' });
      innocent.replies.length = 0;
    }
    expect(ends).toBeGreaterThan(0);
    expect(bugs).toEqual([]);
    expect(server.statistics.callsInFlight).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(GROWTH_BYTES_MAX);
    await server.close(0);
  });

  it('may be wrong in its record marks, and still closes when the client does', {
    timeout: 600_000,
  }, async () => {
    const random = generator(SEED + 1);
    const { server, bugs, port } = await listen();
    const innocent = await RawClient.connect(port);
    for (let sent = 0; sent < RECORDS / 4; sent += BATCH) {
      const client = await RawClient.connect(port);
      const stream = Buffer.concat(Array.from({ length: BATCH }, (_, xid) => record(message(random, xid))));
      client.socket.end(mutate(random, stream));
      await client.closed();
      expect(await innocent.call(PROGRAM, 3, 0)).toMatchObject({ status: 'SUCCESS' });
    }
    expect(bugs).toEqual([]);
    expect(server.clients().length).toBe(1);
    await server.close(0);
  });

  it('is 1,000 connections that each begin a record and stop', { timeout: 60_000 }, async () => {
    const { server, port } = await listen();
    const innocent = await RawClient.connect(port);
    const before = process.memoryUsage().rss;
    const stalled = await Promise.all(Array.from({ length: 1000 }, () => RawClient.connect(port)));
    await Promise.all(
      stalled.map((client) =>
        client.write(Buffer.concat([words(0x80000000 + RECORD_BYTES_MAX), Buffer.alloc(200)])),
      ),
    );
    expect(await innocent.call(PROGRAM, 3, 0)).toMatchObject({ status: 'SUCCESS' });
    expect(process.memoryUsage().rss - before).toBeLessThan(GROWTH_BYTES_MAX);
    for (const client of stalled) client.socket.resetAndDestroy();
    await Promise.all(stalled.map((client) => client.closed()));
    await once(innocent.socket.end(), 'close');
    await server.close(0);
  });
});
