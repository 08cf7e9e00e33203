// Hostile input to the real programs. HOSTILE_RECORDS sets how many records (100,000 in `npm test`, to 1,000,000 by
// hand), HOSTILE_SEED replays a run.

import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFile, mnt, NFS, Nfs, nfs } from './calls.ts';
import { honestCalls } from './honest-calls.ts';
import { EDGES, generator, mutateCall } from './mutation.ts';
import { callMessage, counted, RawClient, record, words } from './raw-client.ts';
import { ServedVolume } from './served-volume.ts';

const { HOSTILE_RECORDS = '100000', HOSTILE_SEED = String(randomInt(2 ** 32)) } = process.env;
const RECORDS = Number(HOSTILE_RECORDS);
const SEED = Number(HOSTILE_SEED);
const BATCH = 250;
const MIB = 2 ** 20;
/** What the whole process may grow by: server, stores in memory, and the clients of this test. */
const GROWTH_BYTES_MAX = 384 * MIB;
/** At what the data of the attacked dataset ends, which is in memory too. */
const QUOTA = '32MiB';
const LARGE = Buffer.alloc(MIB, 'abcdefg');
const SLOW_READERS = 12;
/** Of each of them, 1 MiB long. */
const SLOW_READS = 40;
const EXPECTED_LINE = /^Closed connection of 127\.0\.0\.1: /;
const INNOCENT_DATA = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));

let served: ServedVolume;
let innocent: RawClient;
let innocentFile: Buffer;
/** 1 MiB of {@link LARGE}. */
let largeFile: Buffer;
let honest: Buffer[];
let startBytes: number;

beforeAll(async () => {
  served = await ServedVolume.start();
  await served.datasets.create('victim', { properties: { quota: QUOTA, 'snapdir-write': 'on' } });
  await served.datasets.create('innocent', {});
  innocent = await served.client();
  innocentFile = await createFile(innocent, (await mnt(innocent, '/innocent')).handle, 'file');
  largeFile = await createFile(innocent, (await mnt(innocent, '/innocent')).handle, 'large');
  for (const [file, data] of [
    [innocentFile, INNOCENT_DATA],
    [largeFile, LARGE],
  ] as const)
    expect((await nfs(innocent, Nfs.write, writeArgs(file, data))).status).toBe(0);
  honest = await honestCalls(innocent, (await mnt(innocent, '/victim')).handle);
  await served.datasets.inherit('victim', 'snapdir-write');
  startBytes = process.memoryUsage().rss;
});
afterAll(() => served.stop());

const writeArgs = (file: Buffer, data: Buffer): Buffer =>
  Buffer.concat([counted(file), words(0, 0, data.length, 2), counted(data)]);
const nfsRecord = (xid: number, procedure: number, args: Buffer): Buffer =>
  record(callMessage({ xid, program: NFS, version: 3, procedure }, args));
/** The whole of the large file. */
const readRecord = (xid: number): Buffer =>
  nfsRecord(xid, Nfs.read, Buffer.concat([counted(largeFile), words(0, 0, MIB)]));
/** Bytes that are in the innocent file already. */
const writeRecord = (xid: number): Buffer =>
  nfsRecord(xid, Nfs.write, writeArgs(innocentFile, INNOCENT_DATA));
const readsServed = (): number => {
  const nfsStatistics = served.server.statistics.programs.find(({ program }) => program === NFS);
  return nfsStatistics!.procedures[Nfs.read]!.calls;
};

async function expectInnocentServed(): Promise<void> {
  const { body } = await nfs(innocent, Nfs.read, Buffer.concat([counted(innocentFile), words(0, 0, 65_536)]));
  expect(body.subarray(-INNOCENT_DATA.length).equals(INNOCENT_DATA)).toBe(true);
  innocent.replies.length = 0;
}

function expectMemoryBounded(): void {
  expect(process.memoryUsage().rss - startBytes).toBeLessThan(GROWTH_BYTES_MAX);
}

const closings = (): number =>
  served.log.lines.filter((line) => line.startsWith('Closed connection of 127.0.0.1: ')).length;

/** Sends messages, each under an xid of its own, and sees to it that each is answered or ends the connection. */
class Attack {
  ended = 0;
  readonly statuses = new Map<string, number>();
  readonly #before = closings();
  #client: RawClient | undefined;
  #xid = 0;

  async send(messages: readonly Buffer[]): Promise<void> {
    this.#client ??= await RawClient.connect(served.server.endpoint.port);
    const client = this.#client;
    const answers = messages.map((message) => {
      if (message.length >= 4) message.writeUInt32BE(++this.#xid, 0);
      return client.reply(this.#xid);
    });
    client.send(Buffer.concat(messages.map((message) => record(message))));
    const results = await Promise.allSettled(answers);
    const answered = results.filter(({ status }) => status === 'fulfilled').length;
    expect(client.replies).toHaveLength(answered);
    for (const { status } of client.replies.splice(0))
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (answered < messages.length) {
      this.ended++;
      this.#client = undefined;
    }
    expect(closings() - this.#before).toBe(this.ended);
    await expectInnocentServed();
  }

  async end(): Promise<void> {
    await this.#client?.close();
  }
}

describe(`hostile input (HOSTILE_SEED=${SEED})`, () => {
  it('has a good call of every procedure to begin with', async () => {
    const attack = new Attack();
    await attack.send(honest.map((message) => Buffer.from(message)));
    expect(attack).toMatchObject({ ended: 0, statuses: new Map([['SUCCESS', honest.length]]) });
    await attack.end();
  });

  it('may have any word of any call at an edge', { timeout: 600_000 }, async () => {
    const attack = new Attack();
    let batch: Buffer[] = [];
    for (const message of honest) {
      // The first two words say which call it is, and that it is one.
      for (let at = 8; at + 4 <= message.length; at += 4) {
        for (const edge of EDGES) {
          const changed = Buffer.from(message);
          changed.writeUInt32BE(edge, at);
          batch.push(changed);
        }
        if (batch.length < BATCH) continue;
        await attack.send(batch);
        batch = [];
      }
    }
    await attack.send(batch);
    expect(attack.ended).toBe(0);
    expect([...attack.statuses.keys()]).toEqual(
      expect.arrayContaining(['SUCCESS', 'GARBAGE_ARGS', 'PROG_UNAVAIL', 'PROC_UNAVAIL', 'RPC_MISMATCH']),
    );
    expectMemoryBounded();
    await attack.end();
  });

  it('is answered call by call, or ends the connection with a logged reason', {
    timeout: 600_000,
  }, async () => {
    const random = generator(SEED);
    const attack = new Attack();
    for (let sent = 0; sent < RECORDS; sent += BATCH) {
      await attack.send(
        Array.from({ length: BATCH }, () => mutateCall(random, honest[random(honest.length)]!)),
      );
      expectMemoryBounded();
    }
    expect(attack.ended).toBeGreaterThan(0);
    await attack.end();
  });
});

describe('a hostile client', () => {
  it('that ends its side at once is still answered', async () => {
    const client = await RawClient.connect(served.server.endpoint.port);
    const replies = Promise.all(Array.from({ length: 20 }, (_, xid) => client.reply(xid)));
    client.socket.end(Buffer.concat(Array.from({ length: 20 }, (_, xid) => readRecord(xid))));
    for (const { status } of await replies) expect(status).toBe('SUCCESS');
    await client.closed();
  });

  it('may end anywhere in a record, and vanish while it is served', async () => {
    const whole = readRecord(1);
    for (let bytes = 0; bytes < whole.length; bytes += 3) {
      const client = await RawClient.connect(served.server.endpoint.port);
      client.socket.end(whole.subarray(0, bytes));
      await client.closed();
    }
    const writes = Buffer.concat(Array.from({ length: 200 }, (_, xid) => writeRecord(xid)));
    for (let times = 0; times < 20; times++) {
      const client = await RawClient.connect(served.server.endpoint.port);
      await client.write(writes);
      client.socket.resetAndDestroy();
      await client.closed();
    }
    await expectInnocentServed();
  });

  it('may take no replies: no more of its calls are read until it does', { timeout: 60_000 }, async () => {
    const readers = await Promise.all(Array.from({ length: SLOW_READERS }, () => served.client()));
    const before = readsServed();
    const replies = readers.map((reader) => {
      reader.socket.pause();
      reader.send(Buffer.concat(Array.from({ length: SLOW_READS }, (_, xid) => readRecord(xid))));
      return Promise.all(Array.from({ length: SLOW_READS }, (_, xid) => reader.reply(xid)));
    });
    for (let last = -1; last < readsServed(); ) {
      last = readsServed();
      for (let i = 0; i < 20; i++) await nfs(innocent, Nfs.getattr, counted(innocentFile));
    }
    expect(readsServed() - before).toBeLessThan((SLOW_READERS * SLOW_READS) / 2);
    expectMemoryBounded();
    const [patient, ...others] = readers;
    patient!.socket.resume();
    for (const { body } of await replies[0]!) expect(body.subarray(-MIB).equals(LARGE)).toBe(true);
    const gone = Promise.allSettled(replies);
    for (const reader of others) reader.socket.resetAndDestroy();
    await gone;
    await patient!.close();
  });

  it('may have 1,000 connections, each with half a call', { timeout: 60_000 }, async () => {
    const { port } = served.server.endpoint;
    const clients = await Promise.all(Array.from({ length: 1000 }, () => RawClient.connect(port)));
    const whole = writeRecord(1);
    const half = whole.length / 2;
    await Promise.all(clients.map((client) => client.write(whole.subarray(0, half))));
    while (served.server.clients().length < 1001) await expectInnocentServed();
    await expectInnocentServed();
    expectMemoryBounded();
    const replies = clients.map((client) => client.reply(1));
    for (const client of clients) client.send(whole.subarray(half));
    for (const reply of replies) expect((await reply).body.readUInt32BE(0)).toBe(0);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('leaves a volume in which nothing is wrong, and no trace of a bug in the log', async () => {
    while (served.server.clients().length > 1) await expectInnocentServed();
    expect(served.server.statistics.callsInFlight).toBe(0);
    expect(served.log.lines.filter((line) => !EXPECTED_LINE.test(line))).toEqual([]);
    const findings = [{ summary: expect.objectContaining({ findings: 0 }) }];
    expect(await served.check()).toEqual(findings);
    await served.restart();
    innocent = await served.client();
    await expectInnocentServed();
    expect(await served.check()).toEqual(findings);
  });
});
