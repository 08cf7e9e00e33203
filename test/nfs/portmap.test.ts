import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { portmapProgram } from '../../src/nfs/portmap.ts';
import { TcpServer } from '../../src/nfs/rpc/tcp-server.ts';
import { RawClient, words } from './raw-client.ts';
import { ServedVolume } from './served-volume.ts';

const PORTMAP = 100000;
const [TCP, UDP] = [6, 17];

let server: TcpServer;
let client: RawClient;

beforeAll(async () => {
  server = await TcpServer.listen(
    {
      programs: [
        portmapProgram(() => [
          { program: PORTMAP, version: 2, port: 111 },
          { program: 100003, version: 3, port: 2049 },
          { program: 100005, version: 3, port: 20048 },
        ]),
      ],
      log: { debug() {}, info() {}, warn() {}, error() {} },
      clock: systemClock,
    },
    { host: '127.0.0.1', port: 0 },
  );
  client = await RawClient.connect(server.endpoint.port);
});

afterAll(async () => {
  await client.close();
  await server.close(0);
});

const call = (procedure: number, args?: Buffer) =>
  client.call(PORTMAP, 2, procedure, args, { anonymous: true });

describe('PORTMAP', () => {
  it('answers NULL', async () => {
    expect(await call(0)).toMatchObject({ status: 'SUCCESS', body: Buffer.alloc(0) });
  });

  it('tells the port of a program, whatever port the question has in it', async () => {
    expect(await call(3, words(100003, 3, TCP, 0))).toMatchObject({ status: 'SUCCESS', body: words(2049) });
    expect(await call(3, words(100005, 3, TCP, 99))).toMatchObject({ body: words(20048) });
  });

  it('tells the port of another version, where the program itself says which it has', async () => {
    expect(await call(3, words(100003, 0, TCP, 0))).toMatchObject({ status: 'SUCCESS', body: words(2049) });
  });

  it('tells 0 for another program or transport', async () => {
    expect(await call(3, words(100021, 4, TCP, 0))).toMatchObject({ status: 'SUCCESS', body: words(0) });
    expect(await call(3, words(100003, 3, UDP, 0))).toMatchObject({ body: words(0) });
  });

  it('lists what is registered', async () => {
    expect(await call(4)).toMatchObject({
      status: 'SUCCESS',
      body: words(1, PORTMAP, 2, TCP, 111, 1, 100003, 3, TCP, 2049, 1, 100005, 3, TCP, 20048, 0),
    });
  });

  it('lets nobody register or unregister', async () => {
    expect(await call(1, words(100003, 3, TCP, 666))).toMatchObject({ status: 'SUCCESS', body: words(0) });
    expect(await call(2, words(100003, 3, TCP, 2049))).toMatchObject({ status: 'SUCCESS', body: words(0) });
    expect(await call(3, words(100003, 3, TCP, 0))).toMatchObject({ body: words(2049) });
  });

  it('calls no program for others', async () => {
    expect(await call(5, words(100003, 3, 0, 0))).toMatchObject({ status: 'PROC_UNAVAIL' });
  });

  it('says that it is version 2 to those who ask for rpcbind 3 and 4', async () => {
    for (const version of [3, 4]) {
      expect(await client.call(PORTMAP, version, 3, words(0))).toMatchObject({
        status: 'PROG_MISMATCH',
        body: words(2, 2),
      });
    }
  });
});

describe('the port of NFS', () => {
  it('has the port mapper too, which tells that port, also when the system has chosen it', async () => {
    const served = await ServedVolume.start();
    const { port } = served.server.endpoint;
    const asking = await served.client();
    for (const program of [PORTMAP, 100003, 100005]) {
      const version = program === PORTMAP ? 2 : 3;
      expect(await asking.call(PORTMAP, 2, 3, words(program, version, TCP, 0))).toMatchObject({
        status: 'SUCCESS',
        body: words(port),
      });
    }
    await served.stop();
  });
});
