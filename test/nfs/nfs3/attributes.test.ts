// GETATTR, SETATTR and ACCESS over a socket.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nfs } from '../calls.ts';
import { counted } from '../raw-client.ts';
import { ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, type Sattr, Status } from './nfs3-client.ts';

const [READ, LOOKUP, MODIFY, EXTEND, DELETE, EXECUTE] = [1, 2, 4, 8, 16, 32];
const ALICE = { uid: 1000, gid: 1000 };
const BOB = { uid: 1001, gid: 1001 };

let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;
let files = 0;

beforeAll(async () => {
  served = await ServedVolume.start();
  ({ client, root } = await Nfs3Client.mount(served));
});
afterAll(() => served.stop());

const newFile = (changes: Sattr = {}): Promise<Buffer> =>
  madeBy(client.create(root, `file${files++}`, { guarded: changes }));
const statOf = async (handle: Buffer) => (await client.getattr(handle)).attributes!;

describe('GETATTR', () => {
  it('shows a new file as it was made', async () => {
    const handle = await newFile({ mode: 0o640, uid: 7, gid: 8, mtime: { seconds: 1, nanoseconds: 2 } });
    expect(await statOf(handle)).toMatchObject({
      type: 1,
      mode: 0o640,
      nlink: 1,
      uid: 7,
      gid: 8,
      size: 0n,
      used: 0n,
      rdev: [0, 0],
      mtime: { seconds: 1, nanoseconds: 2 },
    });
  });

  it('answers BADHANDLE to what was never a handle of this server', async () => {
    const handle = await newFile();
    const forged = Buffer.from(handle);
    forged[20]! ^= 1;
    for (const bad of [forged, Buffer.alloc(0), handle.subarray(4), Buffer.alloc(handle.length)])
      expect((await client.getattr(bad)).status).toBe(Status.BADHANDLE);
  });

  it('answers STALE when the file is gone, and still does after a restart', async () => {
    const handle = await madeBy(client.create(root, 'gone', { guarded: {} }));
    await client.remove(root, 'gone');
    expect((await client.getattr(handle)).status).toBe(Status.STALE);
    const kept = await newFile();
    await served.restart();
    ({ client } = await Nfs3Client.mount(served));
    expect((await client.getattr(handle)).status).toBe(Status.STALE);
    expect((await client.getattr(kept)).status).toBe(Status.OK);
  });

  it('refuses arguments that are no handle', async () => {
    const raw = await served.client();
    await expect(nfs(raw, 1, counted(Buffer.alloc(68)))).rejects.toThrow('GARBAGE_ARGS');
  });
});

describe('SETATTR', () => {
  it('sets what it names and leaves the rest, with the attributes around it', async () => {
    const handle = await newFile({ mode: 0o644 });
    const before = await statOf(handle);
    const changes = {
      mode: 0o600,
      uid: 12,
      gid: 13,
      mtime: { seconds: 2 ** 31 - 1, nanoseconds: 999_999_999 },
    };
    const { status, wcc } = await client.setattr(handle, changes);
    expect(status).toBe(Status.OK);
    expect(wcc.before).toEqual({ size: before.size, mtime: before.mtime, ctime: before.ctime });
    expect(wcc.after).toEqual({ ...before, ...changes, ctime: wcc.after!.ctime });
    expect(wcc.after!.ctime).not.toEqual(before.ctime);
    expect(await statOf(handle)).toEqual(wcc.after);
  });

  it('takes the time from the server where the client says so', async () => {
    const handle = await newFile({
      mtime: { seconds: 1, nanoseconds: 1 },
      atime: { seconds: 2, nanoseconds: 2 },
    });
    const { wcc } = await client.setattr(handle, { mtime: 'now' });
    expect(wcc.after!.mtime).toEqual(wcc.after!.ctime);
    expect(wcc.after!.atime).toEqual({ seconds: 2, nanoseconds: 2 });
  });

  it('changes nothing when the guard is an older ctime', async () => {
    const handle = await newFile({ mode: 0o644 });
    const { ctime } = await statOf(handle);
    expect((await client.setattr(handle, { mode: 0o600 }, ctime)).status).toBe(Status.OK);
    const current = await statOf(handle);
    const { status, wcc } = await client.setattr(handle, { mode: 0o777 }, ctime);
    expect(status).toBe(Status.NOT_SYNC);
    expect(wcc.after).toEqual(current);
    expect(await statOf(handle)).toEqual(current);
  });

  it('sets sizes to 2^53-1, and answers FBIG beyond', async () => {
    const handle = await newFile();
    const max = 2n ** 53n - 1n;
    expect((await client.setattr(handle, { size: max })).status).toBe(Status.OK);
    for (const size of [max + 1n, 2n ** 63n, 2n ** 64n - 1n])
      expect((await client.setattr(handle, { size })).status, `${size}`).toBe(Status.FBIG);
    expect((await statOf(handle)).size).toBe(max);
  });

  it.each(['atime', 'mtime'])(
    'answers INVAL to an %s whose nanoseconds make another second',
    async (time) => {
      const handle = await newFile();
      const before = await statOf(handle);
      const { status } = await client.setattr(handle, { [time]: { seconds: 1, nanoseconds: 1_000_000_000 } });
      expect(status).toBe(Status.INVAL);
      expect(await statOf(handle)).toEqual(before);
    },
  );

  it('answers INVAL to the size of a directory, PERM to a mode of another user', async () => {
    expect((await client.setattr(root, { size: 0n })).status).toBe(Status.INVAL);
    const handle = await newFile({ uid: ALICE.uid });
    expect((await client.as(BOB).setattr(handle, { mode: 0o777 })).status).toBe(Status.PERM);
    expect((await client.as(ALICE).setattr(handle, { mode: 0o777 })).status).toBe(Status.OK);
  });
});

describe('ACCESS', () => {
  it.each([
    ['the owner', ALICE, READ! | MODIFY! | EXTEND!],
    ['the group', { uid: 5, gid: 6, groups: [ALICE.gid] }, READ!],
    ['others', BOB, 0],
    ['root', {}, READ! | MODIFY! | EXTEND!],
  ])('grants what the mode grants to %s', async (_, options, granted) => {
    const handle = await newFile({ mode: 0o640, ...ALICE });
    const asked = READ! | MODIFY! | EXTEND! | EXECUTE!;
    const { status, access, attributes } = await client.as(options).access(handle, asked);
    expect({ status, access }).toEqual({ status: Status.OK, access: granted });
    expect(attributes).toEqual(await statOf(handle));
  });

  it('answers only what was asked', async () => {
    expect((await client.access(root, LOOKUP!)).access).toBe(LOOKUP);
    expect((await client.access(root, READ! | DELETE!)).access).toBe(READ! | DELETE!);
    expect((await client.access(root, 0)).access).toBe(0);
    expect((await client.access(root, 0xffffffc0)).access).toBe(0);
  });

  it('takes a caller without a credential for nobody', async () => {
    const handle = await newFile({ mode: 0o604 });
    expect((await client.as({ anonymous: true }).access(handle, READ! | MODIFY!)).access).toBe(READ);
    expect((await client.as({ uid: 0 }).access(handle, READ! | MODIFY!)).access).toBe(READ! | MODIFY!);
  });
});
