import { once } from 'node:events';
import { createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { askOnce, ClosedLoop } from '../../bench/closed-loop.mjs';
import { readyCall } from '../../bench/load-calls.mjs';
import { getattr } from '../../test/rig/nfs-calls.mjs';

const HEAD_BYTES = 32;
const call = () => readyCall('getattr', getattr(Buffer.alloc(16, 7)));
const servers = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Answers each call with `status` and so many bytes, in pieces. Answers the port and the xids it was asked with. */
async function serve({ status = 0, bytes = 0, pieceBytes = Number.POSITIVE_INFINITY }) {
  const xids = [];
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', async (record) => {
      xids.push(record.readUInt32BE(4));
      const reply = Buffer.alloc(HEAD_BYTES + bytes);
      reply.writeUInt32BE((0x80000000 + reply.length - 4) >>> 0);
      reply.writeUInt32BE(status, HEAD_BYTES - 4);
      for (let at = 0; at < reply.length; at += pieceBytes) {
        socket.write(reply.subarray(at, at + pieceBytes));
        await turn();
      }
    });
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: server.address().port, xids };
}

describe('a closed loop', () => {
  it('makes so many calls, each with an xid of its own', async () => {
    const { port, xids } = await serve({});
    const loop = await ClosedLoop.connect(port, [call()]);
    const { getattr: times } = await loop.run({ count: 5 });
    loop.close();
    expect([times.length, new Set(xids).size]).toEqual([5, 5]);
  });

  it('waits for the end of a reply that comes in pieces', async () => {
    const { port } = await serve({ bytes: 100, pieceBytes: 5 });
    const loop = await ClosedLoop.connect(port, [call()]);
    expect((await loop.run({ count: 3 })).getattr).toHaveLength(3);
    loop.close();
  });

  it('fails by a call that is refused', async () => {
    const { port } = await serve({ status: 70 });
    const loop = await ClosedLoop.connect(port, [call()]);
    await expect(loop.run({ count: 3 })).rejects.toThrow('getattr answered status 70');
    loop.close();
  });

  it('sends each of many calls once', async () => {
    const { port, xids } = await serve({});
    await askOnce({ port, calls: Array.from({ length: 10 }, call), depth: 4 });
    expect(xids).toHaveLength(10);
  });
});
