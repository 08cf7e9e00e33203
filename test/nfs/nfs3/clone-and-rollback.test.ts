// What clients see of clones and rollbacks: handles, `.snapshots`, and the directories of nested datasets.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatasetEntry } from '../../../src/datasets/dataset-entry.ts';
import { withFields } from '../../../src/fs/inode-record.ts';
import { Turn } from '../../../src/fs/turn.ts';
import { ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';

let served: ServedVolume;
let client: Nfs3Client;

beforeAll(async () => {
  served = await ServedVolume.start();
  client = new Nfs3Client(await served.client());
});
afterAll(() => served.stop());

const rootOf = async (path: string): Promise<Buffer> => (await Nfs3Client.mount(served, path)).root;
const statOf = async (handle: Buffer) => (await client.getattr(handle)).attributes!;
const statusOf = async (handle: Buffer) => (await client.getattr(handle)).status;
const snapshotsOf = async (directory: Buffer) => (await client.lookup(directory, '.snapshots')).handle;
const namesIn = async (directory: Buffer) =>
  (await client.readdir(directory, 0n, 65_536)).entries.map(({ name }) => name).slice(2);

describe('a clone', () => {
  let origin: Buffer;
  let clone: Buffer;

  beforeAll(async () => {
    await served.datasets.create('origin', {});
    await served.datasets.create('origin/inner', {});
    origin = await rootOf('/origin');
    await madeBy(client.mkdir(origin, 'dir'));
    await madeBy(client.mkdir(await rootOf('/origin/inner'), 'inside'));
    await served.snapshots.create('origin', 'then', {});
    await served.snapshots.clone('origin@then', 'clone', {});
    clone = await rootOf('/clone');
  });

  it('has a file system id of its own, and no snapshots but its own', async () => {
    expect((await statOf(clone)).fsid).not.toBe((await statOf(origin)).fsid);
    expect(await namesIn(await snapshotsOf(clone))).toEqual([]);
    await served.snapshots.create('clone', 'mine', {});
    const { handle: dir } = await client.lookup(clone, 'dir');
    expect(await namesIn(await snapshotsOf(dir))).toEqual(['mine']);
    expect(await namesIn(await snapshotsOf(origin))).toEqual(['then']);
  });

  it('has an empty directory where a dataset is nested in its origin, which may be removed', async () => {
    const found = await client.lookup(clone, 'inner');
    expect(found.attributes!.fsid).toBe((await statOf(clone)).fsid);
    expect(await namesIn(found.handle)).toEqual([]);
    expect((await client.lookup(found.handle, '..')).handle).toEqual(clone);
    expect(await rootOf('/clone/inner')).toEqual(found.handle);
    await madeBy(client.mkdir(found.handle, 'mine'));
    expect(await namesIn(await rootOf('/origin/inner'))).toEqual(['inside']);
    expect((await client.rmdir(clone, 'inner')).status).toBe(Status.NOTEMPTY);
    await client.rmdir(found.handle, 'mine');
    expect((await client.rename(clone, 'inner', clone, 'renamed')).status).toBe(Status.OK);
    expect((await client.rmdir(clone, 'renamed')).status).toBe(Status.OK);
    expect((await client.rmdir(origin, 'inner')).status).toBe(Status.ACCES);
  });

  it('has that directory also when its record has become its own', async () => {
    await served.snapshots.clone('origin@then', 'owner', {});
    const owner = await rootOf('/owner');
    const nested = served.datasets.get('origin/inner')!.id;
    const { records, clock } = (served.datasets.get('owner') as DatasetEntry).operations;
    const fileid = Number((await client.lookup(owner, 'inner')).attributes!.fileid);
    const turn = new Turn(records, clock.now());
    turn.put(withFields(turn.find(fileid)!, { mountedDataset: nested }));
    turn.commit();
    const found = await client.lookup(owner, 'inner');
    expect(found.attributes!.fsid).toBe((await statOf(owner)).fsid);
    expect(await rootOf('/owner/inner')).toEqual(found.handle);
    expect((await client.rmdir(owner, 'inner')).status).toBe(Status.OK);
  });
});

describe('a rollback', () => {
  it('leaves handles of what still is, snapshots before and after, and nested datasets where they are', async () => {
    await served.datasets.create('data', {});
    const root = await rootOf('/data');
    const kept = await madeBy(client.mkdir(root, 'kept'));
    await served.snapshots.create('data', 'one', {});
    const late = await madeBy(client.mkdir(kept, 'late'));
    await served.datasets.create('data/nested', {});
    await served.snapshots.create('data', 'two', {});
    const before = await Promise.all([root, kept].map(statOf));
    const lists = await Promise.all([root, kept, late].map(snapshotsOf));

    await served.snapshots.rollback('data@one', true);
    const after = await Promise.all([root, kept].map(statOf));
    expect(after.map(({ fsid, fileid }) => [fsid, fileid])).toEqual(
      before.map(({ fsid, fileid }) => [fsid, fileid]),
    );
    expect(await rootOf('/data')).toEqual(root);
    expect(await namesIn(kept)).toEqual([]);
    expect(await statusOf(late)).toBe(Status.STALE);
    expect(await statusOf(lists[2]!)).toBe(Status.STALE);
    expect(await namesIn(lists[0]!)).toEqual(['one', 'two']);
    expect(await namesIn(lists[1]!)).toEqual(['one', 'two']);
    const { handle: two } = await client.lookup(lists[1]!, 'two');
    expect(await namesIn(two)).toEqual(['late']);
    expect((await client.lookup(two, '..')).handle).toEqual((await client.lookup(lists[0]!, 'two')).handle);
    expect((await client.lookup(root, 'nested')).handle).toEqual(await rootOf('/data/nested'));
    expect((await client.rmdir(root, 'nested')).status).toBe(Status.ACCES);
  });

  it('keeps what was there in a snapshot that is reached like others', async () => {
    const root = await rootOf('/data');
    const lost = await madeBy(client.mkdir(root, 'lost'));
    const { before } = await served.snapshots.rollback('data@two', false);
    expect(await statusOf(lost)).toBe(Status.STALE);
    const name = before!.slice('data@'.length);
    const { handle } = await client.lookup(await snapshotsOf(root), name);
    expect((await client.lookup(handle, 'lost')).status).toBe(Status.OK);
    expect(await rootOf(`/${before}`)).toEqual(handle);
    expect(await namesIn((await client.lookup(root, 'kept')).handle)).toEqual(['late']);
  });

  it('leaves a volume in which nothing is wrong', async () => {
    expect(await served.check()).toEqual([{ summary: expect.objectContaining({ findings: 0 }) }]);
  });
});
