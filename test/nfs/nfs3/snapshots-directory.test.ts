// `.snapshots` over a socket: how it is found, what it shows, and that nothing in it can be changed.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NFS, Nfs } from '../calls.ts';
import { counted, words } from '../raw-client.ts';
import { OPEN_TO_ALL, ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';

const READ_WRITE = 63;
const INO_MAX = 2n ** 53n - 1n;

let served: ServedVolume;
let client: Nfs3Client;
/** Live: the dataset's root, `one` and `one/two` in it. */
let root: Buffer;
let one: Buffer;
let two: Buffer;

beforeAll(async () => {
  served = await ServedVolume.start();
  await served.datasets.create('data', {});
  ({ client, root } = await Nfs3Client.mount(served, '/data'));
  one = await madeBy(client.mkdir(root, 'one'));
  two = await madeBy(client.mkdir(one, 'two'));
  const file = await madeBy(client.create(two, 'file', { guarded: { mode: 0o600, uid: 7 } }));
  await client.write(file, 0n, Buffer.from('as it was'), 2);
  await madeBy(client.symlink(two, 'link', 'file'));
  await served.snapshots.create('data', 'first', {});
});
afterAll(() => served.stop());

const snapshotsOf = async (directory: Buffer) => (await client.lookup(directory, '.snapshots')).handle;
const at = async (directory: Buffer, name: string) =>
  (await client.lookup(await snapshotsOf(directory), name)).handle;
const statOf = async (handle: Buffer) => (await client.getattr(handle)).attributes!;
const namesIn = async (directory: Buffer) =>
  (await client.readdir(directory, 0n, 65_536)).entries.map(({ name }) => name);

describe('.snapshots', () => {
  it('is in every directory, and leads to that directory as it was, under the same inode number', async () => {
    for (const directory of [root, one, two]) {
      const found = await client.lookup(await snapshotsOf(directory), 'first');
      expect(found.attributes).toEqual(await statOf(found.handle));
      expect(found.attributes!.fileid).toBe((await statOf(directory)).fileid);
    }
    expect(await at(two, 'first')).toEqual(
      (await client.lookup((await client.lookup(await at(root, 'first'), 'one')).handle, 'two')).handle,
    );
  });

  it('shows files as they were, with all attributes', async () => {
    const { handle: live } = await client.lookup(two, 'file');
    const before = await statOf(live);
    await client.write(live, 0n, Buffer.from('AS IT IS NOW, and longer'), 2);
    await client.setattr(live, { mode: 0o644 });
    const { handle, attributes } = await client.lookup(await at(two, 'first'), 'file');
    expect(attributes).toEqual({ ...before, fsid: attributes!.fsid });
    expect((await client.read(handle, 0n, 100)).data.toString()).toBe('as it was');
    expect((await client.read(live, 0n, 100)).data.toString()).toBe('AS IT IS NOW, and longer');
    const link = await client.lookup(await at(two, 'first'), 'link');
    expect((await client.readlink(link.handle)).target!.toString()).toBe('file');
  });

  it('has the live fsid, a number that no inode has, and one for each directory', async () => {
    const stats = await Promise.all([root, one, two].map(async (each) => statOf(await snapshotsOf(each))));
    expect(new Set(stats.map(({ fsid }) => fsid))).toEqual(new Set([(await statOf(root)).fsid]));
    expect(new Set(stats.map(({ fileid }) => fileid)).size).toBe(3);
    for (const stat of stats) {
      expect(stat).toMatchObject({ type: 2, mode: 0o555, size: 4096n });
      expect(stat.fileid).toBeGreaterThan(INO_MAX);
    }
    const { attributes } = await client.lookup(one, '.snapshots');
    expect(attributes).toEqual(stats[1]);
  });

  it('gives each snapshot a file system id of its own, the same in every directory', async () => {
    await served.snapshots.create('data', 'second', {});
    await served.datasets.create('other', {});
    await served.snapshots.create('other', 'first', {});
    const other = (await Nfs3Client.mount(served, '/other')).root;
    const ids = [root, other, await at(root, 'first'), await at(root, 'second'), await at(other, 'first')];
    const fsids = await Promise.all(ids.map(async (handle) => (await statOf(handle)).fsid));
    expect(new Set(fsids).size).toBe(5);
    expect((await statOf(await at(two, 'first'))).fsid).toBe((await statOf(await at(root, 'first'))).fsid);
    await served.snapshots.delete('data@second');
  });

  it('ends at `..` where it hangs, and a snapshot at its root', async () => {
    expect((await client.lookup(await snapshotsOf(two), '..')).handle).toEqual(two);
    expect((await client.lookup(await snapshotsOf(two), '.')).handle).toEqual(await snapshotsOf(two));
    expect((await client.lookup(await at(two, 'first'), '..')).handle).toEqual(await at(one, 'first'));
    expect((await client.lookup(await at(root, 'first'), '..')).handle).toEqual(await at(root, 'first'));
    const { entries } = await client.readdir(await snapshotsOf(two), 0n, 4096);
    expect(entries.slice(0, 2).map(({ fileid }) => fileid)).toEqual([
      (await statOf(await snapshotsOf(two))).fileid,
      (await statOf(two)).fileid,
    ]);
  });

  it('is not in a snapshot, so that no walk loops', async () => {
    expect((await client.lookup(await at(root, 'first'), '.snapshots')).status).toBe(Status.NOENT);
    expect((await client.lookup(await snapshotsOf(root), '.snapshots')).status).toBe(Status.NOENT);
    expect(await namesIn(await at(root, 'first'))).toEqual(['.', '..', 'one']);
  });

  it('finds a directory by its inode under whatever name, and lists no snapshot that has it not', async () => {
    const late = await madeBy(client.mkdir(root, 'late'));
    expect(await namesIn(await snapshotsOf(late))).toEqual(['.', '..']);
    expect((await client.lookup(await snapshotsOf(late), 'first')).status).toBe(Status.NOENT);
    await client.rename(root, 'one', late, 'renamed');
    expect(await namesIn(await at(one, 'first'))).toEqual(['.', '..', 'two']);
    expect((await client.lookup(await at(root, 'first'), 'one')).handle).toEqual(await at(one, 'first'));
    await client.rename(late, 'renamed', root, 'one');
    await client.rmdir(root, 'late');
    expect((await client.getattr(late)).status).toBe(Status.STALE);
  });

  it('moves its mtime with the list of snapshots, and is stale with its directory', async () => {
    const brief = await madeBy(client.mkdir(root, 'brief'));
    const snapshots = await snapshotsOf(brief);
    const before = await statOf(snapshots);
    await served.snapshots.create('data', 'moving', {});
    const between = await statOf(snapshots);
    expect(between.mtime).not.toEqual(before.mtime);
    expect(between.ctime).toEqual(between.mtime);
    const handle = await at(brief, 'moving');
    await served.snapshots.delete('data@moving');
    expect((await statOf(snapshots)).mtime).not.toEqual(between.mtime);
    expect((await client.getattr(handle)).status).toBe(Status.STALE);
    expect((await client.lookup(snapshots, 'moving')).status).toBe(Status.NOENT);
    await client.rmdir(root, 'brief');
    expect((await client.getattr(snapshots)).status).toBe(Status.STALE);
  });

  it('answers what a client asks of a file system, within a snapshot and above', async () => {
    for (const handle of [await snapshotsOf(root), await at(one, 'first')]) {
      const attributes = await statOf(handle);
      expect(await client.fsstat(handle)).toMatchObject({ status: 0, attributes });
      expect(await client.fsinfo(handle)).toMatchObject({ status: 0, attributes, fileBytesMax: INO_MAX });
      expect(await client.pathconf(handle)).toMatchObject({ status: 0, attributes, nameMax: 255 });
    }
    expect((await client.read(await snapshotsOf(root), 0n, 10)).status).toBe(Status.ISDIR);
    expect((await client.readlink(await snapshotsOf(root))).status).toBe(Status.INVAL);
  });

  it('is listed as the root of the dataset is owned, and is open to read to all', async () => {
    await client.setattr(root, { mode: 0o711, uid: 7 });
    const user = client.as({ uid: 1000, gid: 1000 });
    const snapshots = await snapshotsOf(root);
    expect(await statOf(snapshots)).toMatchObject({ mode: 0o555, uid: 7 });
    expect((await user.lookup(root, '.snapshots')).status).toBe(0);
    expect((await user.readdir(snapshots, 0n, 4096)).status).toBe(0);
    await client.setattr(root, { mode: 0o700 });
    expect((await user.lookup(root, '.snapshots')).status).toBe(Status.ACCES);
    await client.setattr(root, { mode: 0o755, uid: 0 });
  });

  it('has names that are checked, and is in no file', async () => {
    const snapshots = await snapshotsOf(root);
    const { handle: file } = await client.lookup(two, 'file');
    expect((await client.lookup(file, '.snapshots')).status).toBe(Status.NOTDIR);
    expect((await client.lookup(snapshots, '')).status).toBe(Status.ACCES);
    expect((await client.lookup(snapshots, 'n'.repeat(256))).status).toBe(Status.NAMETOOLONG);
    expect((await client.lookup(snapshots, Buffer.from([0xff, 0]))).status).toBe(Status.ACCES);
    expect((await client.lookup(snapshots, Buffer.from([0xff, 0x66]))).status).toBe(Status.NOENT);
  });

  it('is closed to whom the dataset is not exported', async () => {
    const [snapshots, inside] = [await snapshotsOf(root), await at(root, 'first')];
    served.server.exports.reload([{ ...OPEN_TO_ALL, datasets: ['other'] }]);
    expect((await client.getattr(snapshots)).status).toBe(Status.ACCES);
    expect((await client.getattr(inside)).status).toBe(Status.ACCES);
    served.server.exports.reload([OPEN_TO_ALL]);
    expect((await client.getattr(inside)).status).toBe(0);
  });
});

describe('whatever changes something', () => {
  let places: Record<string, { directory: Buffer; file: Buffer }>;

  beforeAll(async () => {
    const { handle: file } = await client.lookup(await at(two, 'first'), 'file');
    places = {
      'in .snapshots': { directory: await snapshotsOf(two), file: await at(two, 'first') },
      'in a snapshot': { directory: await at(two, 'first'), file },
    };
  });

  describe.each(['in .snapshots', 'in a snapshot'])('%s', (place) => {
    it.each([
      ['SETATTR', ({ file }) => client.setattr(file, { mode: 0 })],
      ['SETATTR of the directory', ({ directory }) => client.setattr(directory, { mtime: 'now' })],
      ['WRITE', ({ file }) => client.write(file, 0n, Buffer.from('x'), 2)],
      ['CREATE', ({ directory }) => client.create(directory, 'new', { unchecked: {} })],
      ['CREATE of what is there', ({ directory }) => client.create(directory, 'file', { unchecked: {} })],
      ['MKDIR', ({ directory }) => client.mkdir(directory, 'new')],
      ['MKDIR of .snapshots', ({ directory }) => client.mkdir(directory, '.snapshots')],
      ['SYMLINK', ({ directory }) => client.symlink(directory, 'new', 'target')],
      ['MKNOD', ({ directory }) => client.mknod(directory, 'new', 7)],
      ['REMOVE', ({ directory }) => client.remove(directory, 'file')],
      ['RMDIR', ({ directory }) => client.rmdir(directory, 'first')],
      ['RENAME', ({ directory }) => client.rename(directory, 'file', directory, 'new')],
      ['RENAME out of it', ({ directory }) => client.rename(directory, 'file', two, 'new')],
      ['RENAME into it', ({ directory }) => client.rename(two, 'file', directory, 'new')],
      ['LINK out of it', ({ file }) => client.link(file, two, 'new')],
      [
        'LINK into it',
        async ({ directory }) => client.link((await client.lookup(two, 'file')).handle, directory, 'new'),
      ],
    ] satisfies [string, (at: { directory: Buffer; file: Buffer }) => Promise<{ status: number }>][])(
      '%s answers ROFS',
      async (_name, call) => {
        const live = await namesIn(two);
        expect((await call(places[place]!)).status).toBe(Status.ROFS);
        expect(await namesIn(two)).toEqual(live);
      },
    );

    it('is not granted by ACCESS', async () => {
      const { directory, file } = places[place]!;
      expect((await client.access(directory, READ_WRITE)).access).toBe(1 | 2);
      expect((await client.access(file, READ_WRITE)).access & (4 | 8 | 16)).toBe(0);
    });
  });
});

describe('in a live directory, the name .snapshots', () => {
  it('cannot be taken away, renamed or replaced', async () => {
    const { ACCES } = Status;
    expect((await client.remove(root, '.snapshots')).status).toBe(ACCES);
    expect((await client.rmdir(root, '.snapshots')).status).toBe(ACCES);
    expect((await client.rename(root, '.snapshots', root, 'x')).status).toBe(ACCES);
    expect((await client.rename(root, 'one', root, '.snapshots')).status).toBe(ACCES);
    expect((await client.mkdir(root, '.snapshots')).status).toBe(ACCES);
  });

  it('keeps no directory from being removed', async () => {
    const empty = await madeBy(client.mkdir(root, 'empty'));
    await snapshotsOf(empty);
    expect((await client.rmdir(root, 'empty')).status).toBe(0);
  });
});

describe('snapdir', () => {
  beforeEach(() => served.datasets.set('data', { snapdir: 'hidden' }));
  afterAll(() => served.datasets.set('data', { snapdir: 'hidden' }));

  it('hidden leaves it out of listings', async () => {
    expect(await namesIn(one)).toEqual(['.', '..', 'two']);
    expect((await client.readdirplus(one, 0n, 4096, 4096)).entries.map(({ name }) => name)).toEqual([
      '.',
      '..',
      'two',
    ]);
  });

  it('visible lists it behind `..`, with the number that GETATTR says, and leaves it to LOOKUP', async () => {
    await served.datasets.set('data', { snapdir: 'visible' });
    const { entries, eof } = await client.readdir(one, 0n, 4096);
    expect(entries.map(({ name }) => name)).toEqual(['.', '..', '.snapshots', 'two']);
    expect(entries[2]!.fileid).toBe((await statOf(await snapshotsOf(one))).fileid);
    expect(eof).toBe(true);
    const plus = (await client.readdirplus(one, 0n, 4096, 4096)).entries;
    expect(plus[2]).toMatchObject({ name: '.snapshots', attributes: undefined, handle: undefined });
    expect(plus[3]).toMatchObject({ name: 'two', handle: two });
    for (const [index, { cookie }] of entries.entries()) {
      const rest = (await client.readdir(one, cookie, 4096)).entries.map(({ name }) => name);
      expect(rest).toEqual(entries.slice(index + 1).map(({ name }) => name));
    }
    expect(await namesIn(await at(one, 'first'))).toEqual(['.', '..', 'two']);
    expect(await namesIn(await snapshotsOf(one))).toEqual(['.', '..', 'first']);
  });

  it('disabled makes it an ordinary name, which nobody sees when it is not that any more', async () => {
    const snapshots = await snapshotsOf(one);
    const inside = await at(one, 'first');
    await served.datasets.set('data', { snapdir: 'disabled' });
    expect((await client.lookup(one, '.snapshots')).status).toBe(Status.NOENT);
    expect((await client.getattr(snapshots)).status).toBe(Status.STALE);
    expect((await client.getattr(inside)).status).toBe(0);
    const mine = await madeBy(client.mkdir(one, '.snapshots'));
    expect((await client.lookup(one, '.snapshots')).handle).toEqual(mine);
    expect((await namesIn(one)).toSorted()).toEqual(['.', '..', '.snapshots', 'two']);

    await served.datasets.set('data', { snapdir: 'visible' });
    expect(await snapshotsOf(one)).toEqual(snapshots);
    expect(await namesIn(one)).toEqual(['.', '..', '.snapshots', 'two']);
    await served.datasets.set('data', { snapdir: 'hidden' });
    expect(await namesIn(one)).toEqual(['.', '..', 'two']);
    expect((await client.getattr(mine)).status).toBe(0);

    await served.datasets.set('data', { snapdir: 'disabled' });
    expect((await client.rename(one, '.snapshots', one, 'mine')).status).toBe(0);
    expect((await client.rename(one, 'mine', one, '.snapshots')).status).toBe(0);
    expect((await client.rmdir(one, '.snapshots')).status).toBe(0);
  });

  it('is inherited', async () => {
    await served.datasets.create('data/inner', {});
    const inner = (await Nfs3Client.mount(served, '/data/inner')).root;
    await served.datasets.set('data', { snapdir: 'visible' });
    expect(await namesIn(inner)).toEqual(['.', '..', '.snapshots']);
    await served.datasets.set('data/inner', { snapdir: 'hidden' });
    expect(await namesIn(inner)).toEqual(['.', '..']);
    await served.datasets.delete('data/inner', false);
  });
});

describe('a listing of snapshots', () => {
  it('comes in pages of any size, each snapshot once, in the order in which they were taken', async () => {
    await served.datasets.create('many', {});
    const { root: many } = await Nfs3Client.mount(served, '/many');
    const late = await madeBy(client.mkdir(many, 'late'));
    const names = Array.from({ length: 40 }, (_, index) => `s${index}`);
    for (const name of names) await served.snapshots.create('many', name, {});
    await client.rmdir(many, 'late');
    for (const [directory, bytes] of [
      [many, 200],
      [many, 512],
      [many, 65_536],
    ] as const) {
      const seen: string[] = [];
      const snapshots = await snapshotsOf(directory);
      for (let cookie = 0n, done = false; !done; ) {
        const page = await client.readdir(snapshots, cookie, bytes);
        expect(page.status).toBe(0);
        seen.push(...page.entries.map(({ name }) => name));
        cookie = page.entries.at(-1)?.cookie ?? cookie;
        done = page.eof;
      }
      expect(seen).toEqual(['.', '..', ...names]);
    }
    expect((await client.getattr(late)).status).toBe(Status.STALE);
    const plus = await client.readdirplus(await snapshotsOf(many), 0n, 4096, 65_536);
    expect(plus.entries.map(({ name }) => name)).toEqual(['.', '..', ...names]);
    expect(plus.entries.at(-1)).toMatchObject({ attributes: undefined, handle: undefined });
  });

  it('passes over many snapshots without the directory', async () => {
    const { root: many } = await Nfs3Client.mount(served, '/many');
    const young = await madeBy(client.mkdir(many, 'young'));
    await served.snapshots.create('many', 'with', {});
    const snapshots = await snapshotsOf(young);
    expect((await client.readdir(snapshots, 0n, 180)).entries.map(({ name }) => name)).toEqual(['.', '..']);
    expect((await client.readdir(snapshots, 2n, 160)).entries.map(({ name }) => name)).toEqual(['with']);
  });
});

describe('a listing of very many snapshots', () => {
  it('lets other calls be served meanwhile', async () => {
    await served.datasets.create('very-many', {});
    const { root: directory } = await Nfs3Client.mount(served, '/very-many');
    for (let number = 0; number < 600; number++) await served.snapshots.create('very-many', `s${number}`, {});
    const snapshots = await snapshotsOf(directory);
    const answered: string[] = [];
    const ask = async (what: string, procedure: number, args: Buffer): Promise<void> => {
      const connection = await served.client();
      await connection.call(NFS, 3, procedure, args);
      answered.push(what);
    };
    await Promise.all([
      ask('listing', Nfs.readdir, Buffer.concat([counted(snapshots), words(0, 0, 0, 0, 65_536)])),
      ask('other', Nfs.getattr, counted(directory)),
    ]);
    expect(answered).toEqual(['other', 'listing']);
    expect(await namesIn(snapshots)).toHaveLength(2 + 600);
  });
});

describe('in a snapshot of the dataset around, a nested dataset', () => {
  it('is an empty directory of the snapshot', async () => {
    await served.datasets.create('data/nested', {});
    const { root: nested } = await Nfs3Client.mount(served, '/data/nested');
    await madeBy(client.mkdir(nested, 'inside'));
    await served.snapshots.create('data', 'around', {});
    const snapshot = await at(root, 'around');
    const found = await client.lookup(snapshot, 'nested');
    expect(found.attributes!.fsid).toBe((await statOf(snapshot)).fsid);
    expect(await namesIn(found.handle)).toEqual(['.', '..']);
    const { entries } = await client.readdirplus(snapshot, 0n, 4096, 4096);
    expect(entries.find(({ name }) => name === 'nested')).toMatchObject({ handle: found.handle });
  });
});

describe('after a restart of the server', () => {
  it('handles of snapshots and of .snapshots lead where they led, in a volume in which nothing is wrong', async () => {
    const handles = [await snapshotsOf(one), await at(one, 'first'), await at(two, 'first')];
    const before = await Promise.all(handles.map(statOf));
    const names = await namesIn(handles[0]!);
    await served.restart();
    ({ client, root } = await Nfs3Client.mount(served, '/data'));
    expect(await Promise.all(handles.map(statOf))).toEqual(before);
    expect(await namesIn(handles[0]!)).toEqual(names);
    const { handle } = await client.lookup(handles[2]!, 'file');
    expect((await client.read(handle, 0n, 100)).data.toString()).toBe('as it was');
    expect(await served.check()).toEqual([{ summary: expect.objectContaining({ findings: 0 }) }]);
  });
});
