// A dataset within another: a directory to those who look, a file system of its own to those who work in it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPEN_TO_ALL, ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';

let served: ServedVolume;
let client: Nfs3Client;
/** Roots of the datasets `outer` and `outer/inner`. */
let outer: Buffer;
let inner: Buffer;

beforeAll(async () => {
  served = await ServedVolume.start();
  await served.datasets.create('outer', {});
  await served.datasets.create('outer/inner', { uid: 7, mode: 0o750 });
  ({ client, root: outer } = await Nfs3Client.mount(served, '/outer'));
  inner = (await client.lookup(outer, 'inner')).handle;
});
afterAll(() => served.stop());

const statOf = async (handle: Buffer) => (await client.getattr(handle)).attributes!;

describe('a nested dataset', () => {
  it('is entered by LOOKUP: its own root, under a file system id of its own', async () => {
    const found = await client.lookup(outer, 'inner');
    expect(found.handle).toEqual((await Nfs3Client.mount(served, '/outer/inner')).root);
    expect(found.attributes).toEqual(await statOf(inner));
    expect(found.attributes).toMatchObject({ type: 2, uid: 7, mode: 0o750 });
    expect(found.directory).toEqual(await statOf(outer));
    expect(found.attributes!.fsid).not.toBe(found.directory!.fsid);
  });

  it('ends there for who goes up', async () => {
    expect((await client.lookup(inner, '..')).handle).toEqual(inner);
    const { entries } = await client.readdir(inner, 0n, 4096);
    const { fileid } = await statOf(inner);
    expect(entries.slice(0, 2).map((entry) => entry.fileid)).toEqual([fileid, fileid]);
  });

  it('is listed by its parent, and left to LOOKUP', async () => {
    const listed = (await client.readdirplus(outer, 0n, 4096, 4096)).entries;
    const shown = listed.find(({ name }) => name === 'inner');
    expect(shown).toMatchObject({ attributes: undefined, handle: undefined });
    const names = (await client.readdir(outer, 0n, 4096)).entries.map(({ name }) => name);
    expect(names).toEqual(['.', '..', 'inner']);
  });

  it('is neither removed nor renamed nor replaced by a client', async () => {
    await madeBy(client.mkdir(outer, 'directory'));
    const { ACCES, EXIST } = Status;
    expect((await client.rmdir(outer, 'inner')).status).toBe(ACCES);
    expect([ACCES, Status.ISDIR]).toContain((await client.remove(outer, 'inner')).status);
    expect((await client.rename(outer, 'inner', outer, 'other')).status).toBe(ACCES);
    expect((await client.rename(outer, 'directory', outer, 'inner')).status).toBe(ACCES);
    expect((await client.mkdir(outer, 'inner')).status).toBe(EXIST);
    expect((await client.create(outer, 'inner', { unchecked: {} })).status).toBe(EXIST);
    expect((await client.lookup(outer, 'inner')).handle).toEqual(inner);
    await client.rmdir(outer, 'directory');
  });

  it('is another file system to RENAME and LINK', async () => {
    const file = await madeBy(client.create(outer, 'file', { guarded: {} }));
    const renamed = await client.rename(outer, 'file', inner, 'file');
    expect(renamed.status).toBe(Status.XDEV);
    expect(renamed.from.after).toEqual(await statOf(outer));
    expect(renamed.to.after).toEqual(await statOf(inner));
    const linked = await client.link(file, inner, 'file');
    expect(linked).toMatchObject({ status: Status.XDEV, attributes: await statOf(file) });
    expect((await client.lookup(inner, 'file')).status).toBe(Status.NOENT);
    await client.remove(outer, 'file');
  });

  it('is closed to whom it is not exported', async () => {
    await served.datasets.create('outer/private', {});
    const { handle } = await client.lookup(outer, 'private');
    served.server.exports.reload([{ ...OPEN_TO_ALL, datasets: ['outer/inner'] }]);
    expect((await client.lookup(inner, '.')).status).toBe(Status.OK);
    for (const closed of [handle, outer]) {
      expect(await client.getattr(closed)).toMatchObject({ status: Status.ACCES, attributes: undefined });
      expect((await client.mkdir(closed, 'x')).status).toBe(Status.ACCES);
    }
    served.server.exports.reload([OPEN_TO_ALL]);
    expect((await client.getattr(handle)).status).toBe(Status.OK);
  });

  it('is gone, with all that is in it, when it is deleted', async () => {
    await served.datasets.create('outer/brief', {});
    const { handle } = await client.lookup(outer, 'brief');
    const file = await madeBy(client.create(handle, 'file', { guarded: {} }));
    await served.datasets.delete('outer/brief', false);
    expect((await client.lookup(outer, 'brief')).status).toBe(Status.NOENT);
    for (const stale of [handle, file]) {
      expect((await client.getattr(stale)).status).toBe(Status.STALE);
      expect((await client.setattr(stale, { mode: 0 })).status).toBe(Status.STALE);
    }
  });
});
