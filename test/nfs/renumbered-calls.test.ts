// Two kinds of clients use an xid again on a new connection, from another port: one repeats the calls whose replies it has
// missed, the other numbers its calls from the same xid each time. The first must get the replies of the first time, the
// second must have everything done.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFile, entry, guardedCreate, handleIn, mkdir, mkdirArgs, mnt, NFS, Nfs, nfs } from './calls.ts';
import { callMessage, counted, type RawClient, record } from './raw-client.ts';
import { ServedVolume } from './served-volume.ts';

const [OK, NOENT, EXIST] = [0, 2, 17];

let served: ServedVolume;
let directories = 0;
/** Above what RawClient counts from, so that only what a test numbers has these. */
let xids = 0x4000_0000;

beforeAll(async () => {
  served = await ServedVolume.start();
});
afterAll(() => served.stop());

/** The first of a hundred that no other test uses. */
function newXids(): number {
  xids += 100;
  return xids;
}

async function newDirectory(): Promise<Buffer> {
  const client = await served.client();
  const { handle } = await mnt(client, '/');
  return mkdir(client, handle, `d${directories++}`);
}

/** Makes a file, looks at it and removes it, as a program that counts its calls from `first`. */
async function makeAndRemove(client: RawClient, directory: Buffer, first: number): Promise<number[]> {
  const made = await nfs(client, Nfs.create, guardedCreate(directory, 'f'), { xid: first });
  const file = handleIn(made.body, 8);
  const looked = await nfs(client, Nfs.getattr, counted(file), { xid: first + 1 });
  const removed = await nfs(client, Nfs.remove, entry(directory, 'f'), { xid: first + 2 });
  const again = await nfs(client, Nfs.getattr, counted(file), { xid: first + 3 });
  return [made.status, looked.status, removed.status, again.status];
}

describe('a client that numbers its calls from the same xid on each connection', () => {
  it.each([0, 1, 10, 0x1234_5678])('has all of them done, from %i on', async (first) => {
    const directory = await newDirectory();
    for (let run = 0; run < 3; run++) {
      const client = await served.client();
      expect(await makeAndRemove(client, directory, first), `run ${run}`).toEqual([OK, OK, OK, 70]);
      await client.close();
    }
  });

  it('has them done while its other connections are open, and whatever their last call was', async () => {
    const directory = await newDirectory();
    const observer = await served.client();
    const steps = [
      [Nfs.mkdir, mkdirArgs(directory, 'd'), OK],
      [Nfs.rmdir, entry(directory, 'd'), NOENT],
    ] as const;
    const xid = newXids();
    for (let run = 0; run < 3; run++) {
      const client = await served.client();
      for (const [at, [procedure, args, found]] of steps.entries()) {
        expect((await nfs(client, procedure, args, { xid: xid + at })).status, `run ${run}`).toBe(OK);
        expect((await nfs(observer, Nfs.lookup, entry(directory, 'd'))).status, `run ${run}`).toBe(found);
      }
    }
  });

  it('has them done when another procedure had the number', async () => {
    const directory = await newDirectory();
    const xid = newXids();
    const one = await served.client();
    expect((await nfs(one, Nfs.mkdir, mkdirArgs(directory, 'a'), { xid })).status).toBe(OK);
    expect((await nfs(one, Nfs.rmdir, entry(directory, 'a'), { xid: xid + 1 })).status).toBe(OK);
    const other = await served.client();
    expect((await nfs(other, Nfs.remove, entry(directory, 'a'), { xid })).status).toBe(NOENT);
    expect((await nfs(other, Nfs.rmdir, entry(directory, 'a'), { xid: xid + 1 })).status).toBe(NOENT);
  });

  it('gets the kept replies on one and the same connection', async () => {
    const directory = await newDirectory();
    const xid = newXids();
    const one = await served.client();
    await makeAndRemove(one, directory, xid);
    const other = await served.client();
    await makeAndRemove(other, directory, xid);
    expect((await nfs(other, Nfs.create, guardedCreate(directory, 'f'), { xid })).status).toBe(OK);
    expect((await nfs(other, Nfs.lookup, entry(directory, 'f'))).status).toBe(NOENT);
  });
});

/** Sends calls of CREATE at once: they come before any of their replies leaves. */
function send(client: RawClient, first: number, calls: readonly Buffer[]): void {
  const records = calls.map((args, at) =>
    record(callMessage({ xid: first + at, program: NFS, version: 3, procedure: Nfs.create }, args)),
  );
  client.send(Buffer.concat(records));
}

const creates = (directory: Buffer, count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => guardedCreate(directory, `f${i}`));

/** The same, and their statuses. */
async function statuses(client: RawClient, first: number, calls: readonly Buffer[]): Promise<number[]> {
  const replies = calls.map((_, at) => client.reply(first + at));
  send(client, first, calls);
  return (await Promise.all(replies)).map(({ body }) => body.readUInt32BE(0));
}

/** Until the server has done it. */
async function made(directory: Buffer, name: string): Promise<void> {
  const client = await served.client();
  await expect.poll(async () => (await nfs(client, Nfs.lookup, entry(directory, name))).status).toBe(OK);
}

describe('a client that repeats from another port what it had no reply to', () => {
  it.each([1, 16])('gets the replies of its last %i calls, after a connection that broke', async (count) => {
    const directory = await newDirectory();
    const xid = newXids();
    const calls = creates(directory, count);
    const broken = await served.client();
    await createFile(broken, directory, 'before');
    broken.socket.pause();
    send(broken, xid, calls);
    await made(directory, `f${count - 1}`);
    broken.socket.resetAndDestroy();
    await sleep(20);
    const client = await served.client();
    expect(await statuses(client, xid, calls)).toEqual(calls.map(() => OK));
    expect((await nfs(client, Nfs.create, calls[0]!)).status).toBe(EXIST);
  });

  it.each([1, 16])('gets them after a connection that it ended in order', async (count) => {
    const directory = await newDirectory();
    const xid = newXids();
    const calls = creates(directory, count);
    const ended = await served.client();
    send(ended, xid, calls);
    ended.socket.end();
    await ended.closed();
    const client = await served.client();
    expect(await statuses(client, xid, calls)).toEqual(calls.map(() => OK));
    expect((await nfs(client, Nfs.create, calls[0]!)).status).toBe(EXIST);
  });

  it('gets them when the first connection is still open, and again from a third', async () => {
    const directory = await newDirectory();
    const xid = newXids();
    const calls = creates(directory, 4);
    expect(await statuses(await served.client(), xid, calls)).toEqual(calls.map(() => OK));
    for (let time = 0; time < 2; time++)
      expect(await statuses(await served.client(), xid, calls)).toEqual(calls.map(() => OK));
  });

  it('gets them when it had many calls under way, and some came behind a reply that was lost', async () => {
    const directory = await newDirectory();
    const xid = newXids();
    const calls = creates(directory, 6);
    const broken = await served.client();
    await statuses(broken, newXids(), creates(await newDirectory(), 4));
    for (const [at, call] of calls.entries()) {
      send(broken, xid + at, [call]);
      await made(directory, `f${at}`);
    }
    broken.socket.resetAndDestroy();
    expect(await statuses(await served.client(), xid + 2, calls.slice(2))).toEqual([OK, OK, OK, OK]);
    expect(await statuses(await served.client(), xid, calls.slice(0, 2))).toEqual([OK, OK]);
  });

  it('gets them when the replies to many were lost on a slow line, though each was answered before the next came', async () => {
    const directory = await newDirectory();
    const xid = newXids();
    const calls = creates(directory, 8);
    const broken = await served.client();
    await createFile(broken, await newDirectory(), 'before');
    for (const [at, call] of calls.entries()) {
      send(broken, xid + at, [call]);
      await made(directory, `f${at}`);
    }
    broken.socket.resetAndDestroy();
    expect(await statuses(await served.client(), xid, calls)).toEqual(calls.map(() => OK));
  });

  it('does not get those that are so long ago that it must have had them', async () => {
    const directory = await newDirectory();
    const xid = newXids();
    const calls = creates(directory, 2);
    const first = await served.client();
    await createFile(first, await newDirectory(), 'before');
    await statuses(first, xid, calls);
    for (let call = 0; call < 64; call++) await nfs(first, Nfs.lookup, entry(directory, 'f0'));
    expect(await statuses(await served.client(), xid, calls)).toEqual(calls.map(() => EXIST));
  });

  it('gets them after a restart of the server, though other calls had followed', async () => {
    const directory = await newDirectory();
    const xid = newXids();
    const calls = creates(directory, 3);
    const before = await served.client();
    for (const [at, call] of calls.entries()) await nfs(before, Nfs.create, call, { xid: xid + at });
    await served.restart();
    expect(await statuses(await served.client(), xid, calls)).toEqual([OK, OK, OK]);
  });
});
