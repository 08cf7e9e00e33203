// CREATE, MKDIR, SYMLINK and MKNOD over a socket.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nfs } from '../calls.ts';
import { counted, words } from '../raw-client.ts';
import { ServedVolume } from '../served-volume.ts';
import { type Made, madeBy, type Name, Nfs3Client, Status } from './nfs3-client.ts';

let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;
let directories = 0;

beforeAll(async () => {
  served = await ServedVolume.start();
  ({ client, root } = await Nfs3Client.mount(served));
});
afterAll(() => served.stop());

const newDirectory = (): Promise<Buffer> => madeBy(client.mkdir(root, `directory${directories++}`));
const statOf = async (handle: Buffer) => (await client.getattr(handle)).attributes!;

const MAKERS: [string, number, (directory: Buffer, name: Name) => Promise<Made>][] = [
  ['CREATE', 1, (directory, name) => client.create(directory, name, { guarded: {} })],
  ['MKDIR', 2, (directory, name) => client.mkdir(directory, name)],
  ['SYMLINK', 5, (directory, name) => client.symlink(directory, name, 'target')],
  ['MKNOD of a FIFO', 7, (directory, name) => client.mknod(directory, name, 7)],
];

describe.each(MAKERS)('%s', (_, type, make) => {
  it('gives handle and attributes of what it made, and the directory around it', async () => {
    const directory = await newDirectory();
    const before = await statOf(directory);
    const made = await make(directory, 'new');
    expect(made.status).toBe(Status.OK);
    expect(made.attributes).toMatchObject({ type, nlink: type === 2 ? 2 : 1 });
    expect(made.attributes).toEqual(await statOf(made.handle!));
    expect(made.wcc.before).toEqual({ size: before.size, mtime: before.mtime, ctime: before.ctime });
    expect(made.wcc.after).toEqual(await statOf(directory));
    expect(made.wcc.after!.ctime).not.toEqual(before.ctime);
  });

  it('answers EXIST over anything that is there, with the directory as it is', async () => {
    const directory = await newDirectory();
    await client.mkdir(directory, 'taken');
    const made = await make(directory, 'taken');
    expect(made.status).toBe(Status.EXIST);
    expect(made.wcc.after).toEqual(await statOf(directory));
  });

  it.each([
    ['nothing', '', Status.ACCES],
    ['a slash', 'a/b', Status.ACCES],
    ['a NUL', 'a\0b', Status.ACCES],
    ['.', '.', Status.EXIST],
    ['..', '..', Status.EXIST],
    ['.snapshots', '.snapshots', Status.ACCES],
    ['256 bytes', 'x'.repeat(256), Status.NAMETOOLONG],
    ['5000 bytes', 'x'.repeat(5000), Status.NAMETOOLONG],
  ])('refuses the name %s', async (__, name, status) => {
    expect((await make(await newDirectory(), name)).status).toBe(status);
  });

  it('answers NOTDIR in a file, STALE in a directory that is gone', async () => {
    const directory = await newDirectory();
    const file = await madeBy(client.create(directory, 'file', { guarded: {} }));
    expect((await make(file, 'x')).status).toBe(Status.NOTDIR);
    const gone = await madeBy(client.mkdir(directory, 'gone'));
    await client.rmdir(directory, 'gone');
    expect((await make(gone, 'x')).status).toBe(Status.STALE);
  });
});

describe('CREATE', () => {
  it('UNCHECKED takes the file that is there, and sets nothing of it but the size', async () => {
    const directory = await newDirectory();
    const file = await madeBy(client.create(directory, 'file', { unchecked: { mode: 0o644 } }));
    await client.write(file, 0n, Buffer.from('contents'), 2);
    const again = await client.create(directory, 'file', { unchecked: { mode: 0o600 } });
    expect(again.handle).toEqual(file);
    expect(again.attributes).toMatchObject({ mode: 0o644, size: 8n });
    const cut = await client.create(directory, 'file', { unchecked: { size: 3n } });
    expect(cut.attributes).toMatchObject({ mode: 0o644, size: 3n });
    expect((await client.read(file, 0n, 100)).data.toString()).toBe('con');
  });

  it('UNCHECKED may begin with a size, but not with one beyond the greatest', async () => {
    const directory = await newDirectory();
    const sized = await client.create(directory, 'sized', { unchecked: { size: 5n } });
    expect(sized.attributes).toMatchObject({ size: 5n });
    const big = await client.create(directory, 'big', { unchecked: { size: 2n ** 53n } });
    expect(big.status).toBe(Status.FBIG);
    expect((await client.lookup(directory, 'big')).status).toBe(Status.NOENT);
  });

  it('EXCLUSIVE knows its own verifier again, after a restart too, and no other', async () => {
    const directory = await newDirectory();
    const [mine, other] = [Buffer.from('verifier'), Buffer.from('Verifier')];
    const file = await madeBy(client.create(directory, 'file', { exclusive: mine }));
    expect((await client.create(directory, 'file', { exclusive: mine })).handle).toEqual(file);
    await served.restart();
    ({ client } = await Nfs3Client.mount(served));
    expect((await client.create(directory, 'file', { exclusive: mine })).handle).toEqual(file);
    expect((await client.create(directory, 'file', { exclusive: other })).status).toBe(Status.EXIST);
    expect((await client.create(directory, 'file', { guarded: {} })).status).toBe(Status.EXIST);
  });

  it('EXCLUSIVE has no second winner with the verifier of the first, whose SETATTR has come', async () => {
    const directory = await newDirectory();
    const verifier = Buffer.from('verifier');
    const lock = await madeBy(client.create(directory, 'lock', { exclusive: verifier }));
    await client.setattr(lock, { mode: 0o644, mtime: 'now' });
    const { client: rebooted } = await Nfs3Client.mount(served);
    expect((await rebooted.create(directory, 'lock', { exclusive: verifier })).status).toBe(Status.EXIST);
    await served.restart();
    ({ client } = await Nfs3Client.mount(served));
    expect((await client.create(directory, 'lock', { exclusive: verifier })).status).toBe(Status.EXIST);
  });

  it('EXCLUSIVE that is sent again behind its SETATTR has the reply of the first time', async () => {
    const directory = await newDirectory();
    const raw = await served.client();
    const name = counted(Buffer.from('file'));
    const args = Buffer.concat([counted(directory), name, words(2), Buffer.from('verifier')]);
    const first = await nfs(raw, 8, args, { xid: 77 });
    expect(first.status).toBe(Status.OK);
    const { handle } = await client.lookup(directory, 'file');
    await client.setattr(handle!, { mode: 0o600 });
    expect(await nfs(raw, 8, args, { xid: 77 })).toEqual(first);
    expect((await nfs(raw, 8, args)).status).toBe(Status.EXIST);
  });

  it('has one winner among two clients that create EXCLUSIVE at once', async () => {
    const directory = await newDirectory();
    const { client: rival } = await Nfs3Client.mount(served);
    for (let round = 0; round < 20; round++) {
      const made = await Promise.all([
        client.create(directory, `file${round}`, { exclusive: Buffer.from('client 1') }),
        rival.create(directory, `file${round}`, { exclusive: Buffer.from('client 2') }),
      ]);
      expect(made.map(({ status }) => status).sort()).toEqual([Status.OK, Status.EXIST]);
    }
  });

  it('is refused when its mode is none', async () => {
    const raw = await served.client();
    const args = Buffer.concat([counted(root), counted(Buffer.from('x')), words(3)]);
    await expect(nfs(raw, 8, args)).rejects.toThrow('GARBAGE_ARGS');
  });
});

describe('SYMLINK', () => {
  it.each([
    ['more than 4095 bytes', 'x'.repeat(4096), Status.NAMETOOLONG],
    ['more than 64 KiB', 'x'.repeat(65_537), Status.NAMETOOLONG],
    ['nothing', '', Status.ACCES],
  ])('refuses a target of %s', async (_, target, status) => {
    expect((await client.symlink(root, 'bad link', target)).status).toBe(status);
    expect((await client.lookup(root, 'bad link')).status).toBe(Status.NOENT);
  });
});

describe('MKNOD', () => {
  it.each([
    ['block device', 3],
    ['character device', 4],
  ])('makes a %s with its numbers, for root alone', async (_, type) => {
    const directory = await newDirectory();
    const made = await client.mknod(directory, 'device', type, [0xfff, 0xffff_ffff]);
    expect(made.attributes).toMatchObject({ type, rdev: [0xfff, 0xffff_ffff] });
    await client.setattr(directory, { mode: 0o777 });
    const refused = await client.as({ uid: 1000, gid: 1000 }).mknod(directory, 'other', type, [1, 1]);
    expect(refused.status).toBe(Status.PERM);
  });

  it('makes a socket', async () => {
    expect((await client.mknod(await newDirectory(), 's', 6)).attributes).toMatchObject({ type: 6 });
  });

  it.each([1, 2, 5])('answers BADTYPE to type %i, which other procedures make', async (type) => {
    const directory = await newDirectory();
    const { status, wcc } = await client.mknod(directory, 'x', type);
    expect(status).toBe(Status.BADTYPE);
    expect(wcc.after).toEqual(await statOf(directory));
  });

  it.each([0, 8, 99, 0xffff_ffff])(
    'answers BADTYPE to type %i, which is no ftype3, whatever comes with it',
    async (type) => {
      const directory = await newDirectory();
      const { status, wcc } = await client.mknod(directory, 'x', type);
      expect(status).toBe(Status.BADTYPE);
      expect(wcc.after).toEqual(await statOf(directory));
      const raw = await served.client();
      const bare = Buffer.concat([counted(directory), counted(Buffer.from('x')), words(type)]);
      expect((await nfs(raw, 11, bare)).status).toBe(Status.BADTYPE);
    },
  );
});
