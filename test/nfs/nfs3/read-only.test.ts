// Where nothing may be changed: a dataset that is read-only, and an export that is.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPEN_TO_ALL, ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, Status } from './nfs3-client.ts';

let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;
let file: Buffer;
let gone: Buffer;
let goneDirectory: Buffer;

beforeAll(async () => {
  served = await ServedVolume.start();
  await served.datasets.create('data', {});
  ({ client, root } = await Nfs3Client.mount(served, '/data'));
  file = await madeBy(client.create(root, 'file', { guarded: {} }));
  await client.mkdir(root, 'directory');
  gone = await madeBy(client.create(root, 'gone', { guarded: {} }));
  goneDirectory = await madeBy(client.mkdir(root, 'gone directory'));
  await client.remove(root, 'gone');
  await client.rmdir(root, 'gone directory');
  await client.write(file, 0n, Buffer.from('contents'), 2);
});
afterAll(() => served.stop());

const WAYS: [string, (on: boolean) => Promise<unknown>][] = [
  ['read-only dataset', (on) => served.datasets.set('data', { readonly: on ? 'on' : 'off' })],
  [
    'read-only export',
    async (on) => served.server.exports.reload([{ ...OPEN_TO_ALL, access: on ? 'ro' : 'rw' }]),
  ],
];

describe.each(WAYS)('a %s', (_, setReadOnly) => {
  beforeAll(() => setReadOnly(true));
  afterAll(() => setReadOnly(false));

  const MUTATIONS: [string, () => Promise<{ readonly status: number }>][] = [
    ['SETATTR', () => client.setattr(file, { mode: 0o600 })],
    ['WRITE', () => client.write(file, 0n, Buffer.from('x'), 0)],
    ['CREATE', () => client.create(root, 'new', { guarded: {} })],
    ['CREATE of a file that is there', () => client.create(root, 'file', { unchecked: { size: 0n } })],
    ['MKDIR', () => client.mkdir(root, 'new')],
    ['SYMLINK', () => client.symlink(root, 'new', 'target')],
    ['MKNOD', () => client.mknod(root, 'new', 7)],
    ['REMOVE', () => client.remove(root, 'file')],
    ['RMDIR', () => client.rmdir(root, 'directory')],
    ['RENAME', () => client.rename(root, 'file', root, 'new')],
    ['LINK', () => client.link(file, root, 'new')],
  ];
  it.each(MUTATIONS)('answers ROFS to %s, and nothing is changed', async (__, mutate) => {
    const before = await client.readdirplus(root, 0n, 4096, 8192);
    expect((await mutate()).status).toBe(Status.ROFS);
    expect(await client.readdirplus(root, 0n, 4096, 8192)).toEqual(before);
  });

  const OF_WHAT_IS_GONE: [string, () => Promise<{ readonly status: number }>][] = [
    ['SETATTR', () => client.setattr(gone, { mode: 0o600 })],
    ['WRITE', () => client.write(gone, 0n, Buffer.from('x'), 0)],
    ['CREATE', () => client.create(goneDirectory, 'new', { guarded: {} })],
    ['REMOVE', () => client.remove(goneDirectory, 'file')],
    ['RENAME', () => client.rename(goneDirectory, 'file', root, 'new')],
    ['LINK', () => client.link(gone, root, 'new')],
  ];
  it.each(OF_WHAT_IS_GONE)(
    'answers STALE to %s of what is gone, as it would be otherwise',
    async (__, mutate) => {
      expect((await mutate()).status).toBe(Status.STALE);
    },
  );

  it('grants no access to change, and all of the rest', async () => {
    expect((await client.access(root, 0x3f)).access).toBe(0x01 | 0x02);
    expect((await client.access(file, 0x3f)).access & (0x04 | 0x08 | 0x10)).toBe(0);
  });

  it('is read, and what was written before is committed', async () => {
    expect((await client.read(file, 0n, 100)).data.toString()).toBe('contents');
    expect((await client.commit(file)).status).toBe(Status.OK);
  });
});

describe('what was read-only', () => {
  it('is changed again', async () => {
    expect((await client.setattr(file, { mode: 0o600 })).status).toBe(Status.OK);
    expect((await client.access(root, 0x3f)).access).toBe(0x1f);
  });
});
