// Calls that are sent again because their reply was lost: on a new connection, and after a crash of the server.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createFile,
  entry,
  guardedCreate,
  lookup,
  mkdir,
  mkdirArgs,
  mnt,
  modeChange,
  NFS,
  Nfs,
  nfs,
  bytes as text,
  unguardedCreate,
} from './calls.ts';
import { callMessage, counted, record, words } from './raw-client.ts';
import { ServedVolume } from './served-volume.ts';

const [OK, NOENT, EXIST] = [0, 2, 17];

interface Case {
  readonly procedure: number;
  /** Makes what the call needs in a new directory, and then its arguments. */
  args(directory: Buffer): Promise<Buffer>;
  /** What the same call is answered when it is not known for what it is. */
  readonly again: number;
}

let served: ServedVolume;

beforeAll(async () => {
  served = await ServedVolume.start();
});
afterAll(() => served.stop());

const file = async (directory: Buffer, name: string): Promise<Buffer> =>
  createFile(await served.client(), directory, name);
const folder = async (directory: Buffer, name: string): Promise<Buffer> =>
  mkdir(await served.client(), directory, name);

const CASES: Record<string, Case> = {
  REMOVE: {
    procedure: Nfs.remove,
    again: NOENT,
    async args(directory) {
      await file(directory, 'f');
      return entry(directory, 'f');
    },
  },
  RMDIR: {
    procedure: Nfs.rmdir,
    again: NOENT,
    async args(directory) {
      await folder(directory, 'd');
      return entry(directory, 'd');
    },
  },
  RENAME: {
    procedure: Nfs.rename,
    again: NOENT,
    async args(directory) {
      await file(directory, 'from');
      return Buffer.concat([entry(directory, 'from'), entry(directory, 'to')]);
    },
  },
  LINK: {
    procedure: Nfs.link,
    again: EXIST,
    args: async (directory) => Buffer.concat([counted(await file(directory, 'f')), entry(directory, 'g')]),
  },
  MKDIR: { procedure: Nfs.mkdir, again: EXIST, args: async (directory) => mkdirArgs(directory, 'd') },
  SYMLINK: {
    procedure: Nfs.symlink,
    again: EXIST,
    args: async (directory) =>
      Buffer.concat([entry(directory, 's'), words(0, 0, 0, 0, 0, 0), text('target')]),
  },
  'guarded CREATE': {
    procedure: Nfs.create,
    again: EXIST,
    args: async (directory) => guardedCreate(directory, 'f'),
  },
};

let xid = 0x7000;
let directories = 0;

async function newDirectory(): Promise<Buffer> {
  const client = await served.client();
  const { handle } = await mnt(client, '/');
  directories++;
  return mkdir(client, handle, `d${directories}`);
}

describe.each(Object.entries(CASES))('%s', (_, { procedure, args, again }) => {
  it('is done once when it comes again from a new connection', async () => {
    const body = await args(await newDirectory());
    xid++;
    const first = await nfs(await served.client(), procedure, body, { xid });
    expect(first.status).toBe(OK);
    expect(await nfs(await served.client(), procedure, body, { xid })).toEqual(first);
    expect((await nfs(await served.client(), procedure, body)).status).toBe(again);
  });

  it('is done once when it comes again after a crash of the server', async () => {
    const body = await args(await newDirectory());
    xid++;
    const first = await nfs(await served.client(), procedure, body, { xid });
    expect(first.status).toBe(OK);
    await served.restart();
    expect(await nfs(await served.client(), procedure, body, { xid })).toEqual(first);
    expect((await nfs(await served.client(), procedure, body)).status).toBe(again);
  });

  it('is done once when it comes twice at once', async () => {
    const body = await args(await newDirectory());
    xid++;
    const message = record(callMessage({ xid, program: NFS, version: 3, procedure }, body));
    const client = await served.client();
    const replies = [client.reply(xid), client.reply(xid)];
    client.send(Buffer.concat([message, message]));
    const [one, other] = await Promise.all(replies);
    expect(one!.body.readUInt32BE(0)).toBe(OK);
    expect(other).toEqual(one);
  });
});

describe('SETATTR with a guard', () => {
  it('is done once when it comes again after a crash: its own change does not fail its guard', async () => {
    const directory = await newDirectory();
    const handle = await file(directory, 'f');
    const client = await served.client();
    const { body: attributes } = await nfs(client, Nfs.getattr, counted(handle));
    const ctime = attributes.subarray(-8);
    const args = Buffer.concat([counted(handle), modeChange(0o600), words(1), ctime]);
    xid++;
    const first = await nfs(client, Nfs.setattr, args, { xid });
    expect(first.status).toBe(OK);
    await served.restart();
    expect(await nfs(await served.client(), Nfs.setattr, args, { xid })).toEqual(first);
    expect((await nfs(await served.client(), Nfs.setattr, args)).status).toBe(10002);
  });
});

describe('a retransmission', () => {
  it('of an old call does not undo what was done since', async () => {
    const directory = await newDirectory();
    const client = await served.client();
    xid++;
    const remove = entry(directory, 'f');
    await createFile(client, directory, 'f');
    const first = await nfs(client, Nfs.remove, remove, { xid });
    const handle = await createFile(client, directory, 'f');
    expect(await nfs(client, Nfs.remove, remove, { xid })).toEqual(first);
    expect(await lookup(client, directory, 'f')).toEqual(handle);
  });

  it('is none when the caller is another, or the arguments are', async () => {
    const directory = await newDirectory();
    const client = await served.client();
    xid++;
    const options = { xid };
    expect((await nfs(client, Nfs.mkdir, mkdirArgs(directory, 'a'), options)).status).toBe(OK);
    expect((await nfs(client, Nfs.mkdir, mkdirArgs(directory, 'b'), options)).status).toBe(OK);
    expect((await nfs(client, Nfs.mkdir, mkdirArgs(directory, 'b'), { xid, groups: [5] })).status).toBe(
      EXIST,
    );
  });

  it('of a call that failed gets the failure, though it would succeed now', async () => {
    const directory = await newDirectory();
    const client = await served.client();
    xid++;
    const remove = entry(directory, 'f');
    const failed = await nfs(client, Nfs.remove, remove, { xid });
    expect(failed.status).toBe(NOENT);
    expect((await nfs(client, Nfs.create, unguardedCreate(directory, 'f'))).status).toBe(OK);
    expect(await nfs(client, Nfs.remove, remove, { xid })).toEqual(failed);
    await lookup(client, directory, 'f');
  });

  it('is known after several crashes, each with calls of its own', async () => {
    const directory = await newDirectory();
    const sent: { xid: number; args: Buffer; first: unknown }[] = [];
    for (let run = 0; run < 4; run++) {
      const client = await served.client();
      for (let i = 0; i < 5; i++) {
        xid++;
        const args = mkdirArgs(directory, `${run}-${i}`);
        sent.push({ xid, args, first: await nfs(client, Nfs.mkdir, args, { xid }) });
      }
      await served.restart();
    }
    const client = await served.client();
    for (const { xid, args, first } of sent) {
      expect(await nfs(client, Nfs.mkdir, args, { xid })).toEqual(first);
    }
  });
});
