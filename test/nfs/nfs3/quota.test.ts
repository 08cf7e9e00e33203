// What a client sees of quota and refquota: DQUOT at the write, the right df, and always a way back.

import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';

const MIB = 2 ** 20;
const DATA = Buffer.alloc(MIB, 'quota');
const [UNSTABLE, FILE_SYNC] = [0, 2];

const served = await ServedVolume.start();
let datasets = 0;
let name: string;
let client: Nfs3Client;
let root: Buffer;
let file: Buffer;

afterAll(() => served.stop());

beforeEach(async () => {
  name = `limited${datasets++}`;
  await served.datasets.create(name, { properties: { quota: '4MiB' } });
  ({ client, root } = await Nfs3Client.mount(served, `/${name}`));
  file = await madeBy(client.create(root, 'file', { guarded: {} }));
});

/** Writes whole MiB until one is refused; returns how many were taken. */
async function fill(stable: number): Promise<number> {
  for (let i = 0; i < 8; i++) {
    const { status, wcc } = await client.write(file, BigInt(i * MIB), DATA, stable);
    if (status === Status.OK) continue;
    expect(status).toBe(Status.DQUOT);
    expect(wcc.after).toEqual((await client.getattr(file)).attributes);
    return i;
  }
  return 8;
}

const available = async (): Promise<bigint> => (await client.fsstat(root)).bytes[2]!;

describe.each([
  ['unstable', UNSTABLE!],
  ['stable', FILE_SYNC!],
])('a dataset full to its quota by %s writes', (_, stable) => {
  it('answers DQUOT to the WRITE itself, and keeps what it took', async () => {
    expect(await fill(stable)).toBe(4);
    expect(await available()).toBe(0n);
    expect((await client.commit(file)).status).toBe(Status.OK);
    await served.restart();
    ({ client, root } = await Nfs3Client.mount(served, `/${name}`));
    expect((await client.getattr(file)).attributes).toMatchObject({ size: BigInt(4 * MIB) });
    const { data } = await client.read(file, BigInt(3 * MIB), MIB);
    expect(data.equals(DATA)).toBe(true);
  });

  it('takes nothing more anywhere in it, and everything elsewhere', async () => {
    await fill(stable);
    const other = await madeBy(client.create(root, 'other', { guarded: {} }));
    expect((await client.write(other, 0n, DATA, stable)).status).toBe(Status.DQUOT);
    const { root: elsewhere } = await Nfs3Client.mount(served, '/root');
    const free = await madeBy(client.create(elsewhere, name, { guarded: {} }));
    expect((await client.write(free, 0n, DATA, stable)).status).toBe(Status.OK);
  });

  it('can be written over, cut off and emptied', async () => {
    await fill(stable);
    expect((await client.write(file, 0n, DATA, stable)).status).toBe(Status.OK);
    expect((await client.setattr(file, { size: BigInt(2 * MIB) })).status).toBe(Status.OK);
    expect(await available()).toBe(BigInt(2 * MIB));
    expect((await client.write(file, BigInt(2 * MIB), DATA, stable)).status).toBe(Status.OK);
    expect((await client.remove(root, 'file')).status).toBe(Status.OK);
    expect(await available()).toBe(BigInt(4 * MIB));
  });
});

describe('a hole', () => {
  it('counts for nothing until it is written', async () => {
    expect((await client.setattr(file, { size: BigInt(100 * MIB) })).status).toBe(Status.OK);
    expect(await available()).toBe(BigInt(4 * MIB));
    expect((await client.write(file, BigInt(99 * MIB), DATA, UNSTABLE!)).status).toBe(Status.OK);
    expect(await available()).toBe(BigInt(3 * MIB));
  });
});

describe('a quota that is set meanwhile', () => {
  it('counts from the next call on', async () => {
    await client.write(file, 0n, DATA, FILE_SYNC!);
    await served.datasets.set(name, { quota: '1MiB' });
    expect((await client.write(file, BigInt(MIB), DATA, FILE_SYNC!)).status).toBe(Status.DQUOT);
    await served.datasets.set(name, { quota: 'none' });
    expect((await client.write(file, BigInt(MIB), DATA, FILE_SYNC!)).status).toBe(Status.OK);
  });

  it('of a dataset above counts for those nested in it, and refquota does not', async () => {
    await served.datasets.create(`${name}/inner`, {});
    const { handle: inner } = await client.lookup(root, 'inner');
    const below = await madeBy(client.create(inner, 'file', { guarded: {} }));
    await served.datasets.set(name, { quota: '1MiB' });
    expect((await client.write(below, 0n, DATA, FILE_SYNC!)).status).toBe(Status.OK);
    expect((await client.write(below, BigInt(MIB), DATA, FILE_SYNC!)).status).toBe(Status.DQUOT);
    await served.datasets.set(name, { quota: 'none', refquota: '1MiB' });
    expect((await client.write(below, BigInt(MIB), DATA, FILE_SYNC!)).status).toBe(Status.OK);
    expect((await client.write(file, 0n, DATA, FILE_SYNC!)).status).toBe(Status.OK);
    expect((await client.write(file, BigInt(MIB), DATA, FILE_SYNC!)).status).toBe(Status.DQUOT);
  });
});
