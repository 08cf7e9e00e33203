// What every procedure answers to a handle that is none of ours, or no longer one.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  entry,
  guardedCreate,
  mkdirArgs,
  modeChange,
  Nfs,
  NO_CHANGES,
  nfs,
  bytes as text,
} from '../calls.ts';
import { counted, type RawClient, words } from '../raw-client.ts';
import { ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';

interface Case {
  readonly procedure: number;
  /** Arguments that have the handle in them once, or a good one as well. */
  args(handle: Buffer, good: Buffer): Buffer;
  /** Words behind the status: "does not follow" for each attribute, unless a good handle's are there. */
  readonly absent: number | undefined;
}

const all = (...parts: Buffer[]): Buffer => Buffer.concat(parts);
const CASES: Record<string, Case> = {
  GETATTR: { procedure: Nfs.getattr, args: counted, absent: 0 },
  SETATTR: {
    procedure: Nfs.setattr,
    args: (handle) => all(counted(handle), modeChange(0), words(0)),
    absent: 2,
  },
  LOOKUP: { procedure: Nfs.lookup, args: (handle) => entry(handle, 'name'), absent: 1 },
  'LOOKUP of .': { procedure: Nfs.lookup, args: (handle) => entry(handle, '.'), absent: 1 },
  ACCESS: { procedure: Nfs.access, args: (handle) => all(counted(handle), words(1)), absent: 1 },
  READLINK: { procedure: Nfs.readlink, args: counted, absent: 1 },
  READ: { procedure: Nfs.read, args: (handle) => all(counted(handle), words(0, 0, 10)), absent: 1 },
  WRITE: {
    procedure: Nfs.write,
    args: (handle) => all(counted(handle), words(0, 0, 1, 2), text('x')),
    absent: 2,
  },
  CREATE: { procedure: Nfs.create, args: (handle) => guardedCreate(handle, 'name'), absent: 2 },
  MKDIR: { procedure: Nfs.mkdir, args: (handle) => mkdirArgs(handle, 'name'), absent: 2 },
  SYMLINK: {
    procedure: Nfs.symlink,
    args: (handle) => all(entry(handle, 'name'), NO_CHANGES, text('target')),
    absent: 2,
  },
  MKNOD: {
    procedure: Nfs.mknod,
    args: (handle) => all(entry(handle, 'name'), words(7), NO_CHANGES),
    absent: 2,
  },
  REMOVE: { procedure: Nfs.remove, args: (handle) => entry(handle, 'name'), absent: 2 },
  RMDIR: { procedure: Nfs.rmdir, args: (handle) => entry(handle, 'name'), absent: 2 },
  'RENAME from it': {
    procedure: Nfs.rename,
    args: (handle, good) => all(entry(handle, 'name'), entry(good, 'name')),
    absent: undefined,
  },
  'RENAME into it': {
    procedure: Nfs.rename,
    args: (handle, good) => all(entry(good, 'here'), entry(handle, 'name')),
    absent: undefined,
  },
  'RENAME within it': {
    procedure: Nfs.rename,
    args: (handle) => all(entry(handle, 'name'), entry(handle, 'other')),
    absent: 4,
  },
  'LINK of it': {
    procedure: Nfs.link,
    args: (handle, good) => all(counted(handle), entry(good, 'name')),
    absent: undefined,
  },
  'LINK into it': {
    procedure: Nfs.link,
    args: (handle, good) => all(counted(good), entry(handle, 'name')),
    absent: undefined,
  },
  READDIR: {
    procedure: Nfs.readdir,
    args: (handle) => all(counted(handle), words(0, 0, 0, 0, 4096)),
    absent: 1,
  },
  READDIRPLUS: {
    procedure: Nfs.readdirplus,
    args: (handle) => all(counted(handle), words(0, 0, 0, 0, 4096, 4096)),
    absent: 1,
  },
  FSSTAT: { procedure: Nfs.fsstat, args: counted, absent: 1 },
  FSINFO: { procedure: Nfs.fsinfo, args: counted, absent: 1 },
  PATHCONF: { procedure: Nfs.pathconf, args: counted, absent: 1 },
  COMMIT: { procedure: Nfs.commit, args: (handle) => all(counted(handle), words(0, 0, 0)), absent: 2 },
};

let served: ServedVolume;
let raw: RawClient;
let root: Buffer;
let forged: [what: string, handle: Buffer][];
let stale: [what: string, handle: Buffer][];

beforeAll(async () => {
  const other = await ServedVolume.start();
  const { root: foreign } = await Nfs3Client.mount(other);
  await other.stop();
  served = await ServedVolume.start();
  await served.datasets.create('brief', {});
  const mounted = await Nfs3Client.mount(served);
  const { client } = mounted;
  root = mounted.root;
  const file = await madeBy(client.create(root, 'file', { guarded: {} }));
  const directory = await madeBy(client.mkdir(root, 'directory'));
  await client.create(root, 'here', { guarded: {} });
  const { root: brief } = await Nfs3Client.mount(served, '/brief');
  const inBrief = await madeBy(client.create(brief, 'file', { guarded: {} }));
  await client.remove(root, 'file');
  await client.rmdir(root, 'directory');
  await served.datasets.delete('brief', false);
  const wrongMac = Buffer.from(root);
  wrongMac[wrongMac.length - 1]! ^= 1;
  forged = [
    ['another volume', foreign],
    ['a wrong MAC', wrongMac],
    ['no bytes', Buffer.alloc(0)],
    ['bytes missing', root.subarray(0, -4)],
    ['bytes too many', all(root, Buffer.alloc(28))],
    ['zeros', Buffer.alloc(root.length)],
  ];
  stale = [
    ['a removed file', file],
    ['a removed directory', directory],
    ['a deleted dataset', brief],
    ['a file in a deleted dataset', inBrief],
  ];
  raw = await served.client();
});
afterAll(() => served.stop());

async function expectRefused(
  { procedure, args, absent }: Case,
  handles: [string, Buffer][],
  status: number,
): Promise<void> {
  for (const [what, handle] of handles) {
    const { body } = await nfs(raw, procedure, args(handle, root));
    expect(body.readUInt32BE(0), what).toBe(status);
    if (absent !== undefined) expect(body.subarray(4), what).toEqual(Buffer.alloc(4 * absent));
  }
}

describe.each(Object.entries(CASES))('%s', (_, asked) => {
  it('is BADHANDLE for what was never given out, without attributes', async () => {
    await expectRefused(asked, forged, Status.BADHANDLE);
  });

  it('is STALE for what is gone, without attributes', async () => {
    await expectRefused(asked, stale, Status.STALE);
  });
});

describe('after a restart', () => {
  beforeAll(async () => {
    await served.restart();
    raw = await served.client();
  });

  it('a handle is what it was', async () => {
    const { body, status } = await nfs(raw, Nfs.getattr, counted(root));
    expect(status).toBe(Status.OK);
    expect(body.readUInt32BE(4)).toBe(2);
    for (const asked of Object.values(CASES)) {
      await expectRefused(asked, forged, Status.BADHANDLE);
      await expectRefused(asked, stale, Status.STALE);
    }
  });
});
