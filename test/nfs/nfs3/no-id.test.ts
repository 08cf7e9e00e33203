// uid and gid 0xffffffff, which are "-1" and no ids: a Linux client cannot read a reply with such an owner in it, and a
// directory that lists one hangs. They are neither stored nor sent.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMINISTRATOR } from '../../../src/fs/file-system.ts';
import { OPEN_TO_ALL, ServedVolume } from '../served-volume.ts';
import { type Made, madeBy, Nfs3Client, type Sattr, Status } from './nfs3-client.ts';

const NO_ID = 0xffff_ffff;
const NO_OWNER = { uid: NO_ID, gid: NO_ID };
const ALICE = { uid: 1000, gid: 100 };
/** Not the ids that nobody has by default. */
const ANONYMOUS = { uid: 4000, gid: 4001 };
const NOBODY = { uid: 65534, gid: 65534 };

let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;
let names = 0;

beforeAll(async () => {
  served = await ServedVolume.start([
    { ...OPEN_TO_ALL, anonuid: ANONYMOUS.uid, anongid: ANONYMOUS.gid, squash: 'none' },
  ]);
  ({ client, root } = await Nfs3Client.mount(served));
  await client.setattr(root, { mode: 0o777 });
});
afterAll(() => served.stop());

const newName = (): string => `name${names++}`;
const statOf = async (handle: Buffer) => (await client.getattr(handle)).attributes!;

const MAKERS: [string, (by: Nfs3Client, changes: Sattr) => Promise<Made>][] = [
  ['UNCHECKED CREATE', (by, changes) => by.create(root, newName(), { unchecked: changes })],
  ['GUARDED CREATE', (by, changes) => by.create(root, newName(), { guarded: changes })],
  ['MKDIR', (by, changes) => by.mkdir(root, newName(), changes)],
  ['SYMLINK', (by, changes) => by.symlink(root, newName(), 'target', changes)],
  ['MKNOD', (by, changes) => by.mknod(root, newName(), 7, undefined, changes)],
];

describe.each(MAKERS)('%s', (_, make) => {
  it('with the owner -1 makes what belongs to the caller', async () => {
    const alice = await make(client.as(ALICE), NO_OWNER);
    expect(alice.attributes).toMatchObject(ALICE);
    expect(await statOf(alice.handle!)).toMatchObject(ALICE);
    expect((await make(client, NO_OWNER)).attributes).toMatchObject({ uid: 0, gid: 0 });
    expect((await make(client, { uid: NO_ID, gid: 7 })).attributes).toMatchObject({ uid: 0, gid: 7 });
  });

  it('of the caller -1 makes what belongs to nobody', async () => {
    expect((await make(client.as(NO_OWNER), {})).attributes).toMatchObject(ANONYMOUS);
    expect((await make(client.as({ uid: 1000, gid: NO_ID }), {})).attributes).toMatchObject({
      uid: 1000,
      gid: ANONYMOUS.gid,
    });
    expect((await make(client.as({ uid: NO_ID, gid: 100 }), {})).attributes).toMatchObject({
      uid: ANONYMOUS.uid,
      gid: 100,
    });
  });
});

describe('SETATTR', () => {
  it('leaves an owner and a group that shall be -1, and does the rest', async () => {
    const file = await madeBy(client.create(root, newName(), { guarded: ALICE }));
    expect((await client.setattr(file, NO_OWNER)).status).toBe(Status.OK);
    expect(await statOf(file)).toMatchObject(ALICE);
    expect((await client.setattr(file, { uid: NO_ID, gid: 7, mode: 0o600 })).status).toBe(Status.OK);
    expect(await statOf(file)).toMatchObject({ uid: 1000, gid: 7, mode: 0o600 });
    expect((await client.as(ALICE).setattr(file, NO_OWNER)).status).toBe(Status.OK);
  });
});

describe('the group -1 among the others of a caller', () => {
  it('is the anonymous one', async () => {
    const directory = await madeBy(
      client.mkdir(root, newName(), { uid: 0, gid: ANONYMOUS.gid, mode: 0o770 }),
    );
    const member = client.as({ ...ALICE, groups: [5, NO_ID] });
    expect((await member.create(directory, 'file', { guarded: {} })).status).toBe(Status.OK);
    const file = await madeBy(member.create(directory, 'other', { guarded: { gid: NO_ID } }));
    expect(await statOf(file)).toMatchObject(ALICE);
  });
});

describe('an owner -1 that was stored before', () => {
  it('is shown as nobody by every procedure', async () => {
    const directory = await madeBy(client.mkdir(root, newName()));
    const file = await madeBy(client.create(directory, 'file', { guarded: {} }));
    const { fileSystem } = served.datasets.defaultDataset();
    const { ino, generation } = await nodeAt(directory, 'file');
    const { ticket } = await fileSystem.setattr({ caller: ADMINISTRATOR }, { ino, generation }, NO_OWNER);
    await fileSystem.settled(ticket);

    expect(await nodeAt(directory, 'file')).toMatchObject(NO_OWNER);
    expect(await statOf(file)).toMatchObject(NOBODY);
    expect((await client.lookup(directory, 'file')).attributes).toMatchObject(NOBODY);
    expect((await client.access(file, 1)).attributes).toMatchObject(NOBODY);
    expect((await client.write(file, 0n, Buffer.from('x'), 2)).wcc.after).toMatchObject(NOBODY);
    // Listed three times: what is asked for again is kept as it was encoded.
    for (let time = 0; time < 3; time++) {
      const { entries } = await client.readdirplus(directory, 0n, 4096, 8192);
      expect(entries.find(({ name }) => name === 'file')!.attributes).toMatchObject(NOBODY);
    }
    expect((await client.setattr(file, ALICE)).wcc.after).toMatchObject(ALICE);
  });
});

/** As the file system has it. */
async function nodeAt(directory: Buffer, name: string) {
  const { fileSystem } = served.datasets.defaultDataset();
  const { attributes } = await client.getattr(directory);
  const [at] = await fileSystem.attributesOf([Number(attributes!.fileid)]);
  return (await fileSystem.lookup(ADMINISTRATOR, at!, Buffer.from(name)))!;
}
