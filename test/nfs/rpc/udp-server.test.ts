import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portmapProgram } from '../../../src/nfs/portmap.ts';
import { ListenError } from '../../../src/nfs/rpc/endpoint.ts';
import { UdpServer } from '../../../src/nfs/rpc/udp-server.ts';
import { callMessage, words } from '../raw-client.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };
const programs = [portmapProgram(() => [{ program: 100003, version: 3, port: 2049 }])];

let server: UdpServer;
const client = createSocket('udp4');

beforeAll(async () => {
  server = await UdpServer.listen({ programs, log }, { host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  client.close();
  await server.close();
});

async function ask(message: Buffer): Promise<Buffer> {
  const reply = once(client, 'message');
  client.send(message, server.endpoint.port, '127.0.0.1');
  return (await reply)[0];
}

describe('the port mapper over UDP', () => {
  it('answers a call with a datagram', async () => {
    const call = callMessage({ xid: 7, program: 100000, version: 2, procedure: 3 }, words(100003, 3, 6, 0));
    expect(await ask(call)).toEqual(words(7, 1, 0, 0, 0, 0, 2049));
  });

  it('refuses calls as over TCP', async () => {
    const numbers = { xid: 8, program: 100000, version: 4, procedure: 3 };
    expect(await ask(callMessage(numbers, words(1)))).toEqual(words(8, 1, 0, 0, 0, 2, 2, 2));
    expect(await ask(callMessage({ ...numbers, version: 2 }, words(1)))).toEqual(words(8, 1, 0, 0, 0, 4));
    expect(await ask(callMessage(numbers, words(1), { rpcVersion: 3 }))).toEqual(words(8, 1, 1, 0, 2, 2));
  });

  it('ignores what is no call, and answers the next one', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(7), words(1, 1, 0, 0, 0, 0)]) {
      client.send(bytes, server.endpoint.port, '127.0.0.1');
    }
    const call = callMessage({ xid: 9, program: 100000, version: 2, procedure: 0 }, Buffer.alloc(0));
    expect(await ask(call)).toEqual(words(9, 1, 0, 0, 0, 0));
  });

  it('names an endpoint that is taken', async () => {
    const again = UdpServer.listen({ programs, log }, { host: '127.0.0.1', port: server.endpoint.port });
    await expect(again).rejects.toThrow(ListenError);
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE', port: server.endpoint.port });
  });
});
