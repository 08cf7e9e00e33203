// LOOKUP and READLINK over a socket.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';

let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;

beforeAll(async () => {
  served = await ServedVolume.start();
  ({ client, root } = await Nfs3Client.mount(served));
});
afterAll(() => served.stop());

const statOf = async (handle: Buffer) => (await client.getattr(handle)).attributes!;

describe('LOOKUP', () => {
  it('gives the handle that CREATE gave, with both attributes', async () => {
    const handle = await madeBy(client.create(root, 'file', { guarded: {} }));
    const found = await client.lookup(root, 'file');
    expect(found).toEqual({
      status: Status.OK,
      handle,
      attributes: await statOf(handle),
      directory: await statOf(root),
    });
  });

  it('answers NOENT, with the directory that it looked in', async () => {
    const found = await client.lookup(root, 'absent');
    expect(found.status).toBe(Status.NOENT);
    expect(found.directory).toEqual(await statOf(root));
  });

  it('answers NOTDIR, with the attributes of what is none', async () => {
    const file = await madeBy(client.create(root, 'no directory', { guarded: {} }));
    const found = await client.lookup(file, 'x');
    expect(found.status).toBe(Status.NOTDIR);
    expect(found.directory).toEqual(await statOf(file));
  });

  it('answers . and .., at the root by the root itself', async () => {
    const directory = await madeBy(client.mkdir(root, 'directory'));
    expect((await client.lookup(directory, '.')).handle).toEqual(directory);
    expect((await client.lookup(directory, '..')).handle).toEqual(root);
    expect((await client.lookup(root, '..')).handle).toEqual(root);
  });

  it('finds names of any 255 bytes, and by these bytes alone', async () => {
    const name = Buffer.from(Array.from({ length: 255 }, (_, i) => (i === 0x2f ? 1 : i) || 0xff));
    const handle = await madeBy(client.create(root, name, { guarded: {} }));
    expect((await client.lookup(root, name)).handle).toEqual(handle);
    await madeBy(client.create(root, 'caf\u00e9', { guarded: {} }));
    expect((await client.lookup(root, 'cafe\u0301')).status).toBe(Status.NOENT);
    expect((await client.lookup(root, 'CAF\u00c9')).status).toBe(Status.NOENT);
  });

  it.each([
    ['an empty name', '', Status.ACCES],
    ['a slash', 'a/b', Status.ACCES],
    ['a NUL', 'a\0b', Status.ACCES],
    ['256 bytes', 'x'.repeat(256), Status.NAMETOOLONG],
    ['4097 bytes', 'x'.repeat(4097), Status.NAMETOOLONG],
    ['1 MiB', 'x'.repeat(2 ** 20), Status.NAMETOOLONG],
  ])('refuses %s', async (_, name, status) => {
    expect((await client.lookup(root, name)).status).toBe(status);
  });

  it('needs search permission, not read permission', async () => {
    const directory = await madeBy(client.mkdir(root, 'searched', { mode: 0o711 }));
    await madeBy(client.create(directory, 'file', { guarded: {} }));
    const other = client.as({ uid: 1000, gid: 1000 });
    expect((await other.lookup(directory, 'file')).status).toBe(Status.OK);
    expect((await other.readdir(directory, 0n, 4096)).status).toBe(Status.ACCES);
    await client.setattr(directory, { mode: 0o744 });
    expect((await other.lookup(directory, 'file')).status).toBe(Status.ACCES);
    expect((await other.readdir(directory, 0n, 4096)).status).toBe(Status.OK);
  });
});

describe('READLINK', () => {
  it('gives the bytes that SYMLINK was given, up to 4095 of them', async () => {
    for (const target of ['../a', 'x'.repeat(4095), '\xff\xfe not UTF-8']) {
      const bytes = Buffer.from(target, 'latin1');
      const link = await madeBy(client.symlink(root, `link ${target.length}`, bytes));
      const read = await client.readlink(link);
      expect(read).toEqual({ status: Status.OK, attributes: await statOf(link), target: bytes });
      expect(read.attributes).toMatchObject({ type: 5, size: BigInt(bytes.length) });
    }
  });

  it('answers INVAL for anything but a link, with its attributes', async () => {
    const read = await client.readlink(root);
    expect(read).toMatchObject({ status: Status.INVAL, attributes: await statOf(root) });
  });
});
