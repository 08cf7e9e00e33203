// FSSTAT, FSINFO and PATHCONF over a socket.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';

const MIB = 2n ** 20n;

let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;

beforeAll(async () => {
  served = await ServedVolume.start();
  await served.datasets.create('limited', { properties: { quota: '64MiB' } });
  ({ client, root } = await Nfs3Client.mount(served, '/limited'));
});
afterAll(() => served.stop());

const statOf = async (handle: Buffer) => (await client.getattr(handle)).attributes!;

describe('FSSTAT', () => {
  it('counts down from the quota as files are written, at once', async () => {
    const before = await client.fsstat(root);
    const [total, free, available] = before.bytes as [bigint, bigint, bigint];
    expect({ total, free, available }).toEqual({ total: 64n * MIB, free: 64n * MIB, available: 64n * MIB });
    const file = await madeBy(client.create(root, 'file', { guarded: {} }));
    await client.write(file, 0n, Buffer.alloc(Number(MIB), 'x'), 0);
    const after = await client.fsstat(root);
    expect(after.bytes).toEqual([total, free - MIB, available - MIB]);
    expect(after.files[1]).toBeLessThan(before.files[1]!);
    expect(after.files[0]! - after.files[1]!).toBe(before.files[0]! - before.files[1]! + 1n);
    expect(after.attributes).toEqual(await statOf(root));
  });
});

describe('FSINFO', () => {
  it('tells the limits that are tested elsewhere', async () => {
    expect(await client.fsinfo(root)).toEqual({
      status: Status.OK,
      attributes: await statOf(root),
      read: [2 ** 20, 2 ** 20, 4096],
      write: [2 ** 20, 2 ** 20, 4096],
      directoryPreferred: 65_536,
      fileBytesMax: 2n ** 53n - 1n,
      timeDelta: { seconds: 0, nanoseconds: 1 },
      // FSF3_LINK, FSF3_SYMLINK, FSF3_HOMOGENEOUS, FSF3_CANSETTIME
      properties: 0x1b,
    });
  });
});

describe('PATHCONF', () => {
  it('tells the limits of names and links', async () => {
    expect(await client.pathconf(root)).toEqual({
      status: Status.OK,
      attributes: await statOf(root),
      linkMax: 65_000,
      nameMax: 255,
      noTruncation: true,
      chownRestricted: true,
      caseInsensitive: false,
      casePreserving: true,
    });
  });
});

it('is refused for a handle that is none, in each of them', async () => {
  const bad = Buffer.alloc(36);
  for (const asked of [client.fsstat(bad), client.fsinfo(bad), client.pathconf(bad)])
    expect(await asked).toMatchObject({ status: Status.BADHANDLE, attributes: undefined });
});
