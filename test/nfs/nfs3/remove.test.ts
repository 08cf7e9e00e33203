// REMOVE, RMDIR, RENAME and LINK over a socket.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';
import type { Stat, Wcc } from './wire-reader.ts';

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
const newFile = (directory: Buffer, name: string): Promise<Buffer> =>
  madeBy(client.create(directory, name, { guarded: {} }));
const statOf = async (handle: Buffer): Promise<Stat> => (await client.getattr(handle)).attributes!;

function expectChange({ before, after }: Wcc, was: Stat, is: Stat): void {
  expect(before).toEqual({ size: was.size, mtime: was.mtime, ctime: was.ctime });
  expect(after).toEqual(is);
  expect(is.ctime).not.toEqual(was.ctime);
}

function expectNoChange({ before, after }: Wcc, is: Stat): void {
  expect(before).toEqual({ size: is.size, mtime: is.mtime, ctime: is.ctime });
  expect(after).toEqual(is);
}

describe('REMOVE', () => {
  it('takes the name away, and the file with its last name', async () => {
    const directory = await newDirectory();
    const file = await newFile(directory, 'a');
    await client.link(file, directory, 'b');
    const before = await statOf(directory);
    const { status, wcc } = await client.remove(directory, 'a');
    expect(status).toBe(Status.OK);
    expectChange(wcc, before, await statOf(directory));
    expect(await statOf(file)).toMatchObject({ nlink: 1 });
    await client.remove(directory, 'b');
    expect((await client.getattr(file)).status).toBe(Status.STALE);
    expect((await client.read(file, 0n, 1)).status).toBe(Status.STALE);
    expect((await client.write(file, 0n, Buffer.from('x'), 0)).status).toBe(Status.STALE);
  });

  it.each([
    ['a directory', 'sub', Status.ISDIR],
    ['nothing', 'absent', Status.NOENT],
    ['.', '.', Status.ACCES],
    ['..', '..', Status.ACCES],
    ['a name of 256 bytes', 'x'.repeat(256), Status.NAMETOOLONG],
  ])('does not remove %s', async (_, name, status) => {
    const directory = await newDirectory();
    await client.mkdir(directory, 'sub');
    const removed = await client.remove(directory, name);
    expect(removed.status).toBe(status);
    expectNoChange(removed.wcc, await statOf(directory));
  });
});

describe('RMDIR', () => {
  it('takes an empty directory away, and its link to the directory above', async () => {
    const directory = await newDirectory();
    const sub = await madeBy(client.mkdir(directory, 'sub'));
    const before = await statOf(directory);
    const { status, wcc } = await client.rmdir(directory, 'sub');
    expect(status).toBe(Status.OK);
    expectChange(wcc, before, await statOf(directory));
    expect(wcc.after!.nlink).toBe(before.nlink - 1);
    expect((await client.getattr(sub)).status).toBe(Status.STALE);
  });

  it.each([
    ['a file', 'file', Status.NOTDIR],
    ['a full directory', 'full', Status.NOTEMPTY],
    ['nothing', 'absent', Status.NOENT],
    ['.', '.', Status.INVAL],
    ['..', '..', Status.EXIST],
  ])('does not remove %s', async (_, name, status) => {
    const directory = await newDirectory();
    await newFile(directory, 'file');
    await newFile(await madeBy(client.mkdir(directory, 'full')), 'file');
    const removed = await client.rmdir(directory, name);
    expect(removed.status).toBe(status);
    expectNoChange(removed.wcc, await statOf(directory));
  });
});

describe('RENAME', () => {
  it('moves between directories, with both of them around it', async () => {
    const [from, to] = [await newDirectory(), await newDirectory()];
    const file = await newFile(from, 'a');
    const before = [await statOf(from), await statOf(to)] as const;
    const renamed = await client.rename(from, 'a', to, 'b');
    expect(renamed.status).toBe(Status.OK);
    expectChange(renamed.from, before[0], await statOf(from));
    expectChange(renamed.to, before[1], await statOf(to));
    expect((await client.lookup(from, 'a')).status).toBe(Status.NOENT);
    expect((await client.lookup(to, 'b')).handle).toEqual(file);
  });

  it('replaces a file, whose handle is stale then', async () => {
    const directory = await newDirectory();
    const [mover, replaced] = [await newFile(directory, 'a'), await newFile(directory, 'b')];
    const renamed = await client.rename(directory, 'a', directory, 'b');
    expect(renamed.status).toBe(Status.OK);
    expect(renamed.from).toEqual(renamed.to);
    expect((await client.lookup(directory, 'b')).handle).toEqual(mover);
    expect((await client.getattr(replaced)).status).toBe(Status.STALE);
  });

  it.each([
    ['a file over a directory', 'file', 'empty', [Status.ISDIR, Status.EXIST]],
    ['a directory over a file', 'empty', 'file', [Status.NOTDIR, Status.EXIST]],
    ['a directory over a full one', 'empty', 'full', [Status.NOTEMPTY, Status.EXIST]],
    ['what is not there', 'absent', 'x', [Status.NOENT]],
    ['to .snapshots', 'file', '.snapshots', [Status.ACCES]],
    ['.', '.', 'x', [Status.INVAL]],
    ['over ..', 'file', '..', [Status.INVAL]],
    ['to an empty name', 'file', '', [Status.ACCES]],
  ])('does not move %s', async (_, from, to, statuses) => {
    const directory = await newDirectory();
    await newFile(directory, 'file');
    await client.mkdir(directory, 'empty');
    await newFile(await madeBy(client.mkdir(directory, 'full')), 'file');
    const renamed = await client.rename(directory, from, directory, to);
    expect(statuses).toContain(renamed.status);
    expectNoChange(renamed.from, await statOf(directory));
    expectNoChange(renamed.to, await statOf(directory));
  });

  it('does not move a directory into itself', async () => {
    const directory = await newDirectory();
    const outer = await madeBy(client.mkdir(directory, 'outer'));
    const inner = await madeBy(client.mkdir(outer, 'inner'));
    expect((await client.rename(directory, 'outer', inner, 'x')).status).toBe(Status.INVAL);
  });
});

describe('LINK', () => {
  it('gives a file another name, with file and directory around it', async () => {
    const [here, there] = [await newDirectory(), await newDirectory()];
    const file = await newFile(here, 'a');
    const before = await statOf(there);
    const linked = await client.link(file, there, 'b');
    expect(linked.status).toBe(Status.OK);
    expect(linked.attributes).toEqual(await statOf(file));
    expect(linked.attributes).toMatchObject({ nlink: 2 });
    expectChange(linked.wcc, before, await statOf(there));
    expect((await client.lookup(there, 'b')).handle).toEqual(file);
  });

  it.each([
    ['over a name that is there', 'a', Status.EXIST],
    ['as .snapshots', '.snapshots', Status.ACCES],
    ['without a name', '', Status.ACCES],
  ])('does not link %s', async (_, name, status) => {
    const directory = await newDirectory();
    const file = await newFile(directory, 'a');
    const linked = await client.link(file, directory, name);
    expect(linked.status).toBe(status);
    expect(linked.attributes).toEqual(await statOf(file));
    expectNoChange(linked.wcc, await statOf(directory));
  });

  it('does not link a directory', async () => {
    const directory = await newDirectory();
    const linked = await client.link(directory, directory, 'loop');
    expect([Status.ISDIR, Status.PERM, Status.INVAL]).toContain(linked.status);
  });
});
