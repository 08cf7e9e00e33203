// What clients are told while the store is slow, when it fails, and when we do.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetaReadError } from '../../../src/kv/meta-store.ts';
import { OPEN_TO_ALL, ServedVolume } from '../served-volume.ts';
import { HeldMetaStore } from './held-meta-store.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';

let meta: HeldMetaStore;
let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;
let file: Buffer;
let directory: Buffer;

beforeEach(async () => {
  meta = new HeldMetaStore();
  served = await ServedVolume.start([OPEN_TO_ALL], meta);
  ({ client, root } = await Nfs3Client.mount(served));
  file = await madeBy(client.create(root, 'file', { guarded: {} }));
  directory = await madeBy(client.mkdir(root, 'directory'));
});
afterEach(async () => {
  meta.release();
  await served.stop();
});

const STABLE_CALLS: [string, () => Promise<{ readonly status: number }>][] = [
  ['SETATTR', () => client.setattr(file, { mode: 0o600 })],
  ['WRITE that is stable', () => client.write(file, 0n, Buffer.from('x'), 2)],
  ['large WRITE that is stable', () => client.write(file, 0n, Buffer.alloc(100_000), 2)],
  ['CREATE', () => client.create(root, 'new', { guarded: {} })],
  ['MKDIR', () => client.mkdir(root, 'new')],
  ['SYMLINK', () => client.symlink(root, 'new', 'target')],
  ['MKNOD', () => client.mknod(root, 'new', 7)],
  ['REMOVE', () => client.remove(root, 'file')],
  ['RMDIR', () => client.rmdir(root, 'directory')],
  ['RENAME', () => client.rename(root, 'file', directory, 'file')],
  ['LINK', () => client.link(file, directory, 'file')],
];

describe.each(STABLE_CALLS)('%s', (_, send) => {
  it('is answered when it is on stable storage, and not before', async () => {
    meta.hold();
    let answered = false;
    const reply = send().then((result) => {
      answered = true;
      return result;
    });
    // Those behind it on the same connection are served meanwhile, and see it.
    for (let i = 0; i < 5; i++) expect((await client.getattr(root)).status).toBe(Status.OK);
    expect(answered).toBe(false);
    meta.release();
    expect((await reply).status).toBe(Status.OK);
  });

  it('is answered IO when the store failed to write it, and so is all that comes after', async () => {
    meta.hold();
    const reply = send();
    await client.getattr(root);
    meta.fail(new Error('no such disk'));
    expect((await reply).status).toBe(Status.IO);
    expect((await client.mkdir(root, 'later')).status).toBe(Status.IO);
    expect((await client.getattr(directory)).status).not.toBe(Status.IO);
  });
});

describe('a large WRITE whose batch fails', () => {
  it('shows the attributes of its own file, though the memory of its call has the next call by then', async () => {
    const other = await madeBy(client.create(root, 'other', { guarded: {} }));
    const own = (await client.getattr(file)).attributes!.fileid;
    meta.hold();
    const { flushes } = served;
    const reply = client.write(file, 0n, Buffer.alloc(100_000, 1), 2);
    await expect.poll(() => served.flushes).toBe(flushes + 1);
    await client.write(other, 0n, Buffer.alloc(100_000, 2), 0);
    meta.fail(new Error('no such disk'));
    const { status, wcc } = await reply;
    expect([status, wcc.after?.fileid]).toEqual([Status.IO, own]);
  });
});

describe('COMMIT', () => {
  it('is answered when all that was written is on stable storage', async () => {
    expect((await client.write(file, 0n, Buffer.alloc(50_000), 0)).committed).toBe(0);
    meta.hold();
    let answered = false;
    const reply = client.commit(file).then((result) => {
      answered = true;
      return result;
    });
    for (let i = 0; i < 5; i++) await client.getattr(root);
    expect(answered).toBe(false);
    meta.release();
    expect((await reply).status).toBe(Status.OK);
  });
});

describe('a query', () => {
  it('is answered IO when what it needs is damaged', async () => {
    meta.broken = new MetaReadError('a block with a wrong checksum');
    expect((await client.lookup(root, 'not in memory')).status).toBe(Status.IO);
    meta.broken = undefined;
    expect((await client.lookup(root, 'not in memory')).status).toBe(Status.NOENT);
  });

  it('is answered SERVERFAULT, and logged, when there is a bug', async () => {
    meta.broken = new TypeError('undefined is not an inode');
    expect((await client.lookup(root, 'not in memory')).status).toBe(Status.SERVERFAULT);
    meta.broken = undefined;
    expect(served.log.lines).toContain('Cannot serve an NFS call: this is a bug');
    expect((await client.lookup(root, 'file')).handle).toEqual(file);
  });
});
