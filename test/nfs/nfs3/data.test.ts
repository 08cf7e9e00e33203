// READ, WRITE and COMMIT over a socket.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, type Sattr, Status } from './nfs3-client.ts';

const [UNSTABLE, DATA_SYNC, FILE_SYNC] = [0, 1, 2];
const MIB = 2 ** 20;
const MAX = 2n ** 53n - 1n;

let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;
let files = 0;

beforeAll(async () => {
  served = await ServedVolume.start();
  ({ client, root } = await Nfs3Client.mount(served));
});
afterAll(() => served.stop());

const newFile = (changes: Sattr = {}): Promise<Buffer> =>
  madeBy(client.create(root, `file${files++}`, { guarded: changes }));
const statOf = async (handle: Buffer) => (await client.getattr(handle)).attributes!;
const pattern = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255));

describe('WRITE', () => {
  it.each([
    ['UNSTABLE', UNSTABLE!, [UNSTABLE!, FILE_SYNC!]],
    ['DATA_SYNC', DATA_SYNC!, [DATA_SYNC!, FILE_SYNC!]],
    ['FILE_SYNC', FILE_SYNC!, [FILE_SYNC!]],
  ])('%s promises at least what was asked', async (_, stable, promised) => {
    const file = await newFile();
    const before = await statOf(file);
    const written = await client.write(file, 3n, Buffer.from('data'), stable);
    expect(written).toMatchObject({ status: Status.OK, count: 4 });
    expect(promised).toContain(written.committed);
    expect(written.wcc.before).toEqual({ size: 0n, mtime: before.mtime, ctime: before.ctime });
    expect(written.wcc.after).toMatchObject({ size: 7n });
    expect(written.wcc.after).toEqual(await statOf(file));
    expect((await client.read(file, 0n, 100)).data).toEqual(Buffer.from('\0\0\0data'));
  });

  it.each([1, 4095, 4096, 20_000, MIB])(
    'keeps %i bytes, stable or committed, over a crash',
    async (length) => {
      const [stable, committed] = [await newFile(), await newFile()];
      const data = pattern(length);
      await client.write(stable, 1n, data, FILE_SYNC!);
      await client.write(committed, 1n, data, UNSTABLE!);
      expect((await client.commit(committed)).status).toBe(Status.OK);
      await served.restart();
      ({ client } = await Nfs3Client.mount(served));
      for (const file of [stable, committed]) {
        const whole = Buffer.concat([Buffer.alloc(1), data]).subarray(0, MIB);
        expect((await client.read(file, 0n, MIB)).data.equals(whole)).toBe(true);
        expect((await client.read(file, BigInt(length), 10)).data).toEqual(data.subarray(-1));
      }
    },
  );

  it('has one verifier with COMMIT, and another after a crash that may have lost data', async () => {
    const file = await newFile();
    const { verifier } = await client.write(file, 0n, Buffer.from('x'), UNSTABLE!);
    expect((await client.write(file, 1n, Buffer.from('y'), FILE_SYNC!)).verifier).toEqual(verifier);
    expect((await client.commit(file)).verifier).toEqual(verifier);
    await served.restart();
    ({ client } = await Nfs3Client.mount(served));
    expect((await client.commit(file)).verifier).not.toEqual(verifier);
  });

  it('does not take bytes of a later call for its own', async () => {
    const file = await newFile();
    const letters = [...'abcdefghijklmnopqrstuvwxyz'];
    await Promise.all(
      letters.map((letter, i) => client.write(file, BigInt(i * 5000), Buffer.alloc(5000, letter), UNSTABLE!)),
    );
    const { data } = await client.read(file, 0n, MIB);
    expect(data.equals(Buffer.concat(letters.map((letter) => Buffer.alloc(5000, letter))))).toBe(true);
  });

  it('answers FBIG where a file ends, and writes up to there', async () => {
    const file = await newFile();
    const data = Buffer.from('0123');
    for (const offset of [MAX, MAX + 1n, 2n ** 64n - 1n])
      expect((await client.write(file, offset, data, UNSTABLE!)).status, `${offset}`).toBe(Status.FBIG);
    expect(await client.write(file, MAX - 2n, data, FILE_SYNC!)).toMatchObject({ status: 0, count: 2 });
    expect(await statOf(file)).toMatchObject({ size: MAX });
    const end = await client.read(file, MAX - 2n, 100);
    expect(end).toMatchObject({ count: 2, eof: true, data: Buffer.from('01') });
  });

  it('writes nothing where nothing is to be written', async () => {
    const file = await newFile();
    const before = await statOf(file);
    const written = await client.write(file, 5n, Buffer.alloc(0), FILE_SYNC!);
    expect(written).toMatchObject({ status: Status.OK, count: 0 });
    expect(await statOf(file)).toEqual(before);
  });

  it('answers INVAL when its count is not that of its data, and to a stability that is none', async () => {
    const file = await newFile();
    expect((await client.write(file, 0n, Buffer.from('data'), UNSTABLE!, 3)).status).toBe(Status.INVAL);
    expect((await client.write(file, 0n, Buffer.from('data'), 3)).status).toBe(Status.INVAL);
    expect(await statOf(file)).toMatchObject({ size: 0n });
  });

  it.each([1, 4, 32 * 1024])('writes only wtmax of wtmax and %i bytes', async (more) => {
    const file = await newFile();
    const data = pattern(MIB + more);
    expect(await client.write(file, 5n, data, FILE_SYNC!)).toMatchObject({ status: Status.OK, count: MIB });
    expect(await statOf(file)).toMatchObject({ size: BigInt(MIB + 5) });
    expect((await client.read(file, 5n, MIB)).data.equals(data.subarray(0, MIB))).toBe(true);
    expect((await client.write(file, 0n, data, UNSTABLE!, MIB)).status).toBe(Status.INVAL);
  });

  it('needs permission, but not the owner', async () => {
    const alice = client.as({ uid: 1000, gid: 1000 });
    const file = await newFile({ mode: 0o000, uid: 1000 });
    expect((await alice.write(file, 0n, Buffer.from('mine'), FILE_SYNC!)).status).toBe(Status.OK);
    expect((await alice.read(file, 0n, 10)).data.toString()).toBe('mine');
    const bob = client.as({ uid: 1001, gid: 1001 });
    const refused = await bob.write(file, 0n, Buffer.from('his'), FILE_SYNC!);
    expect(refused.status).toBe(Status.ACCES);
    expect(refused.wcc.after).toEqual(await statOf(file));
    expect(await bob.read(file, 0n, 10)).toMatchObject({
      status: Status.ACCES,
      attributes: await statOf(file),
    });
  });
});

describe('READ', () => {
  it('says how much there was, and where the file ends', async () => {
    const file = await newFile();
    const data = pattern(10_000);
    await client.write(file, 0n, data, FILE_SYNC!);
    const attributes = await statOf(file);
    const cases = [
      { offset: 0, count: 100, eof: false },
      { offset: 1, count: 9999, eof: true },
      { offset: 9_999, count: 1, eof: true },
      { offset: 5, count: MIB, eof: true },
      { offset: 10_000, count: 1, eof: true },
      { offset: 2 ** 53, count: 1, eof: true },
      { offset: 0, count: 0, eof: false },
    ];
    for (const { offset, count, eof } of cases) {
      const bytes = data.subarray(offset, offset + count);
      const read = await client.read(file, BigInt(offset), count);
      expect(read).toEqual({ status: Status.OK, attributes, count: bytes.length, eof, data: bytes });
    }
  });

  it('gives at most rtmax', async () => {
    const file = await newFile();
    await client.setattr(file, { size: BigInt(3 * MIB) });
    const read = await client.read(file, 0n, 2 * MIB);
    expect(read).toMatchObject({ count: MIB, eof: false });
    expect(read.data.equals(Buffer.alloc(MIB))).toBe(true);
  });

  it('shows zeros in holes and nothing of what a truncation cut off', async () => {
    const file = await newFile();
    await client.write(file, 0n, Buffer.alloc(100, 'x'), FILE_SYNC!);
    await client.setattr(file, { size: 10n });
    await client.setattr(file, { size: 50n });
    await client.write(file, 200_000n, Buffer.from('end'), UNSTABLE!);
    const { data, eof } = await client.read(file, 0n, MIB);
    const expected = Buffer.concat([Buffer.alloc(10, 'x'), Buffer.alloc(199_990), Buffer.from('end')]);
    expect(eof).toBe(true);
    expect(data.equals(expected)).toBe(true);
  });

  it('answers ISDIR for a directory and INVAL for a link, with their attributes', async () => {
    const link = await madeBy(client.symlink(root, 'link', 'x'));
    expect(await client.read(root, 0n, 1)).toMatchObject({
      status: Status.ISDIR,
      attributes: await statOf(root),
    });
    expect(await client.read(link, 0n, 1)).toMatchObject({
      status: Status.INVAL,
      attributes: await statOf(link),
    });
  });
});

describe('COMMIT', () => {
  it('answers INVAL for a directory', async () => {
    const committed = await client.commit(root);
    expect(committed.status).toBe(Status.INVAL);
    expect(committed.wcc.after).toEqual(await statOf(root));
  });
});
