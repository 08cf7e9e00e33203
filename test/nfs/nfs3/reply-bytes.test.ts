// What procedures with long replies tell the transport that these may take.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RpcCall } from '../../../src/nfs/rpc/call.ts';
import { ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client } from './nfs3-client.ts';

const MIB = 2 ** 20;
const HUGE = 2 ** 32 - 1;
const BLOCKS = 2 * 4096;

let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;
let file: Buffer;

beforeAll(async () => {
  served = await ServedVolume.start();
  ({ client, root } = await Nfs3Client.mount(served));
  file = await madeBy(client.create(root, 'file', { guarded: {} }));
});
afterAll(() => served.stop());

async function replyBytesOf(send: () => Promise<unknown>): Promise<number> {
  const begin = vi.spyOn(RpcCall.prototype, 'begin');
  try {
    await send();
    return (begin.mock.contexts[0] as RpcCall).replyBytes;
  } finally {
    begin.mockRestore();
  }
}

describe('the reply', () => {
  it.each([
    ['READ', 100, 100 + BLOCKS, () => client.read(file, 0n, 100)],
    ['READ', HUGE, MIB + BLOCKS, () => client.read(file, 0n, HUGE)],
    ['READDIR', 1000, 1000, () => client.readdir(root, 0n, 1000)],
    ['READDIR', HUGE, MIB, () => client.readdir(root, 0n, HUGE)],
    ['READDIRPLUS', 1000, 1000, () => client.readdirplus(root, 0n, 500, 1000)],
    ['READDIRPLUS', HUGE, MIB, () => client.readdirplus(root, 0n, HUGE, HUGE)],
  ])('to a %s of %i bytes may take %i', async (_name, _count, bytes, send) => {
    expect(await replyBytesOf(send)).toBe(bytes);
  });

  it('to the next call on the connection is not taken to be as long', async () => {
    await client.read(file, 0n, HUGE);
    expect(await replyBytesOf(() => client.getattr(file))).toBe(0);
  });
});
