// snapdir-write=on: MKDIR and RMDIR in `.snapshots` make and delete snapshots of the dataset.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { entry, Nfs } from '../calls.ts';
import { words } from '../raw-client.ts';
import { OPEN_TO_ALL, ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';

const [MODIFY, DELETE] = [4, 16];

let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;
let deep: Buffer;
/** The `.snapshots` of `deep`. */
let snapshots: Buffer;

beforeAll(async () => {
  served = await ServedVolume.start();
  await served.datasets.create('data', {});
  ({ client, root } = await Nfs3Client.mount(served, '/data'));
  deep = await madeBy(client.mkdir(root, 'deep'));
  snapshots = (await client.lookup(deep, '.snapshots')).handle;
});
afterAll(() => served.stop());

beforeEach(() => served.datasets.set('data', { 'snapdir-write': 'on' }));

const statOf = async (handle: Buffer) => (await client.getattr(handle)).attributes!;
const names = () => served.snapshots.of(served.datasets.get('data')!.id).map(({ name }) => name);

describe('MKDIR in .snapshots', () => {
  it('snapshots the whole dataset, and answers with the handle of that entry', async () => {
    await madeBy(client.mkdir(root, 'beside'));
    const before = await statOf(snapshots);
    const made = await client.mkdir(snapshots, 'by-hand', { mode: 0o700, uid: 5 });
    expect(made.status).toBe(Status.OK);
    const found = await client.lookup(snapshots, 'by-hand');
    expect(made.handle).toEqual(found.handle);
    expect(made.attributes).toEqual(found.attributes);
    expect(made.attributes!.fsid).not.toBe(before.fsid);
    expect(made.attributes!.fileid).toBe((await statOf(deep)).fileid);
    const after = await statOf(snapshots);
    expect(made.wcc).toEqual({ before: undefined, after });
    expect(after.mtime).not.toEqual(before.mtime);
    expect(names()).toEqual(['by-hand']);
    const whole = (await Nfs3Client.mount(served, '/data@by-hand')).root;
    expect((await client.lookup(whole, 'beside')).status).toBe(Status.OK);
  });

  it('answers EXIST for a snapshot that is there, and ACCES for what is no name of one', async () => {
    expect((await client.mkdir(snapshots, 'by-hand')).status).toBe(Status.EXIST);
    expect((await client.mkdir(snapshots, '..')).status).toBe(Status.EXIST);
    for (const name of ['-1h', '.hidden', 'a b', 'a@b', 'a%b', '', Buffer.from([0xc3, 0xa9])]) {
      expect((await client.mkdir(snapshots, name)).status, String(name)).toBe(Status.ACCES);
    }
    expect((await client.mkdir(snapshots, 'n'.repeat(256))).status).toBe(Status.NAMETOOLONG);
    expect(names()).toEqual(['by-hand']);
  });

  it('is done once, though the call comes twice', async () => {
    const raw = await served.client();
    const args = Buffer.concat([entry(snapshots, 'once'), words(0, 0, 0, 0, 0, 0)]);
    const first = await raw.call(100003, 3, Nfs.mkdir, args, { xid: 77 });
    const again = await raw.call(100003, 3, Nfs.mkdir, args, { xid: 77 });
    expect(first.body.readUInt32BE(0)).toBe(Status.OK);
    expect(again.body).toEqual(first.body);
    expect(names()).toEqual(['by-hand', 'once']);
  });
});

describe('RMDIR in .snapshots', () => {
  it('deletes the snapshot, which is not empty, and makes its handles stale', async () => {
    const { handle } = await client.lookup(snapshots, 'once');
    expect((await client.rmdir(snapshots, 'once')).status).toBe(Status.OK);
    expect((await client.getattr(handle)).status).toBe(Status.STALE);
    expect(names()).toEqual(['by-hand']);
  });

  it('answers NOENT for what is not listed there', async () => {
    const late = await madeBy(client.mkdir(root, 'late'));
    const { handle } = await client.lookup(late, '.snapshots');
    expect((await client.rmdir(handle, 'by-hand')).status).toBe(Status.NOENT);
    expect((await client.rmdir(snapshots, 'nothing')).status).toBe(Status.NOENT);
    expect((await client.rmdir(snapshots, 'by-hand%by-hand')).status).toBe(Status.NOENT);
    expect(names()).toEqual(['by-hand']);
  });

  it('answers ACCES for a snapshot that is held', async () => {
    await served.snapshots.hold('data@by-hand', 'test');
    expect((await client.rmdir(snapshots, 'by-hand')).status).toBe(Status.ACCES);
    await served.snapshots.release('data@by-hand', 'test');
    expect(names()).toEqual(['by-hand']);
  });
});

describe('who may', () => {
  it('is whoever may write to the root of the dataset, as ACCESS says', async () => {
    const user = client.as({ uid: 1000, gid: 1000 });
    const granted = async () => (await user.access(snapshots, MODIFY | DELETE)).access;
    expect(await statOf(snapshots)).toMatchObject({ mode: 0o755, uid: 0 });
    expect(await granted()).toBe(0);
    expect((await user.mkdir(snapshots, 'mine')).status).toBe(Status.ACCES);
    expect((await user.rmdir(snapshots, 'by-hand')).status).toBe(Status.ACCES);
    await client.setattr(root, { uid: 1000 });
    expect(await granted()).toBe(MODIFY | DELETE);
    expect((await user.mkdir(snapshots, 'mine')).status).toBe(Status.OK);
    expect((await user.rmdir(snapshots, 'mine')).status).toBe(Status.OK);
    await client.setattr(root, { uid: 0 });
  });

  it('is nobody through a read-only export, on a read-only dataset, or without the property', async () => {
    const refused = async () => {
      expect((await client.mkdir(snapshots, 'no')).status).toBe(Status.ROFS);
      expect((await client.rmdir(snapshots, 'by-hand')).status).toBe(Status.ROFS);
      expect((await client.access(snapshots, MODIFY | DELETE)).access).toBe(0);
    };
    served.server.exports.reload([{ ...OPEN_TO_ALL, access: 'ro' }]);
    await refused();
    served.server.exports.reload([OPEN_TO_ALL]);
    await served.datasets.set('data', { readonly: 'on' });
    await refused();
    await served.datasets.inherit('data', 'readonly');
    await served.datasets.set('data', { 'snapdir-write': 'off' });
    await refused();
    expect((await statOf(snapshots)).mode).toBe(0o555);
    expect(names()).toEqual(['by-hand']);
  });
});

describe('everything else', () => {
  it('stays read-only in .snapshots, and in the snapshots', async () => {
    const { ROFS, XDEV } = Status;
    const file = await madeBy(client.create(deep, 'file', { guarded: {} }));
    const { handle: inside } = await client.lookup(snapshots, 'by-hand');
    expect((await client.create(snapshots, 'x', { unchecked: {} })).status).toBe(ROFS);
    expect((await client.symlink(snapshots, 'x', 'y')).status).toBe(ROFS);
    expect((await client.mknod(snapshots, 'x', 7)).status).toBe(ROFS);
    expect((await client.setattr(snapshots, { mode: 0 })).status).toBe(ROFS);
    expect((await client.remove(snapshots, 'by-hand')).status).toBe(ROFS);
    expect((await client.rename(snapshots, 'by-hand', snapshots, 'x')).status).toBe(ROFS);
    expect((await client.rename(deep, 'file', snapshots, 'x')).status).toBe(XDEV);
    expect((await client.rename(snapshots, 'by-hand', deep, 'x')).status).toBe(XDEV);
    expect((await client.link(file, snapshots, 'x')).status).toBe(XDEV);
    expect((await client.mkdir(inside, 'x')).status).toBe(ROFS);
    expect((await client.rmdir(inside, 'deep')).status).toBe(ROFS);
    expect(names()).toEqual(['by-hand']);
    expect((await client.lookup(deep, 'file')).handle).toEqual(file);
  });
});
