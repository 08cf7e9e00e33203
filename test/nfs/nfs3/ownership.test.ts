// Whom things belong to, and who may take them away, as clients with several users see it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';

const ALICE = { uid: 1000, gid: 100 };
const BOB = { uid: 1001, gid: 101 };
const [SETUID, SETGID, STICKY] = [0o4000, 0o2000, 0o1000];
const FILE_SYNC = 2;

let served: ServedVolume;
let client: Nfs3Client;
let alice: Nfs3Client;
let bob: Nfs3Client;
let root: Buffer;
let directories = 0;

beforeAll(async () => {
  served = await ServedVolume.start();
  ({ client, root } = await Nfs3Client.mount(served));
  [alice, bob] = [client.as(ALICE), client.as(BOB)];
});
afterAll(() => served.stop());

const newDirectory = (mode: number, gid = 0): Promise<Buffer> =>
  madeBy(client.mkdir(root, `directory${directories++}`, { mode, gid }));
const statOf = async (handle: Buffer) => (await client.getattr(handle)).attributes!;

describe('a sticky directory', () => {
  it('gives up an entry to its owner, the owner of the directory and root alone', async () => {
    const directory = await newDirectory(STICKY! | 0o777);
    const file = await madeBy(alice.create(directory, 'file', { guarded: { mode: 0o666 } }));
    await madeBy(bob.create(directory, 'his', { guarded: {} }));
    const before = await statOf(directory);
    for (const { status } of [
      await bob.remove(directory, 'file'),
      await bob.rename(directory, 'file', directory, 'other'),
      await bob.rename(directory, 'his', directory, 'file'),
    ])
      expect(status).toBe(Status.ACCES);
    expect(await statOf(directory)).toEqual(before);
    expect((await alice.rename(directory, 'file', directory, 'other')).status).toBe(Status.OK);
    expect((await alice.remove(directory, 'other')).status).toBe(Status.OK);
    expect((await client.remove(directory, 'his')).status).toBe(Status.OK);
    expect((await client.getattr(file)).status).toBe(Status.STALE);
  });
});

describe('a setgid directory', () => {
  it('gives its group to what is made in it, and setgid to directories', async () => {
    const directory = await newDirectory(SETGID! | 0o777, 77);
    const made = [
      alice.create(directory, 'file', { guarded: { mode: 0o644 } }),
      alice.create(directory, 'exclusive', { exclusive: Buffer.alloc(8, 1) }),
      alice.symlink(directory, 'link', 'target'),
      alice.mknod(directory, 'pipe', 7),
    ];
    for (const { attributes } of await Promise.all(made))
      expect(attributes).toMatchObject({ uid: ALICE.uid, gid: 77 });
    const { attributes } = await alice.mkdir(directory, 'directory', { mode: 0o755 });
    expect(attributes).toMatchObject({ uid: ALICE.uid, gid: 77, mode: SETGID! | 0o755 });
  });

  it('is the only one that does', async () => {
    const directory = await newDirectory(0o777, 77);
    const { attributes } = await alice.create(directory, 'file', { guarded: {} });
    expect(attributes).toMatchObject({ uid: ALICE.uid, gid: ALICE.gid });
  });
});

describe('setuid and setgid of a file', () => {
  it.each([
    ['a WRITE', (file: Buffer) => bob.write(file, 0n, Buffer.from('x'), FILE_SYNC)],
    ['a truncation', (file: Buffer) => bob.setattr(file, { size: 0n })],
  ])('go with %s of another user', async (_, send) => {
    const directory = await newDirectory(0o777);
    const mode = SETUID! | SETGID! | 0o777;
    const file = await madeBy(alice.create(directory, 'program', { guarded: {} }));
    await client.setattr(file, { mode });
    expect((await statOf(file)).mode).toBe(mode);
    expect((await send(file)).status).toBe(Status.OK);
    expect((await statOf(file)).mode).toBe(0o777);
  });

  it('go when the file is given to another', async () => {
    const directory = await newDirectory(0o777);
    const file = await madeBy(alice.create(directory, 'program', { guarded: {} }));
    await client.setattr(file, { mode: SETUID! | SETGID! | 0o755 });
    expect((await client.setattr(file, { uid: BOB.uid, gid: BOB.gid })).status).toBe(Status.OK);
    expect(await statOf(file)).toMatchObject({ ...BOB, mode: 0o755 });
  });
});

describe('the owner of a file', () => {
  it('may not give it away, nor to a group that is not theirs', async () => {
    const directory = await newDirectory(0o777);
    const file = await madeBy(alice.create(directory, 'file', { guarded: {} }));
    expect((await alice.setattr(file, { uid: BOB.uid })).status).toBe(Status.PERM);
    expect((await alice.setattr(file, { gid: BOB.gid })).status).toBe(Status.PERM);
    const member = client.as({ ...ALICE, groups: [BOB.gid] });
    expect((await member.setattr(file, { gid: BOB.gid })).status).toBe(Status.OK);
    expect(await statOf(file)).toMatchObject({ uid: ALICE.uid, gid: BOB.gid });
  });
});

describe('the sixteen groups of AUTH_SYS', () => {
  it('all count, the last as well', async () => {
    const directory = await newDirectory(0o770, 116);
    const member = client.as({ uid: 5, gid: 5, groups: Array.from({ length: 16 }, (_, i) => 101 + i) });
    expect((await member.create(directory, 'file', { guarded: {} })).status).toBe(Status.OK);
    const stranger = client.as({ uid: 5, gid: 5, groups: Array.from({ length: 15 }, (_, i) => 101 + i) });
    expect((await stranger.lookup(directory, 'file')).status).toBe(Status.ACCES);
  });
});
