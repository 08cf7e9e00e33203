import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { counted, RawClient, words } from '../raw-client.ts';
import { Echo, PROGRAM, serve, type TestServer } from './test-server.ts';

let test: TestServer;
let client: RawClient;

beforeAll(async () => {
  test = await serve();
  client = await RawClient.connect(test.port);
});

afterAll(async () => {
  await client.close();
  await test[Symbol.asyncDispose]();
});

const hello = counted(Buffer.from('hello'));
const authSys = (machine: Buffer, groups: number[], count = groups.length): Buffer => {
  const body = Buffer.concat([words(1), counted(machine), words(1000, 100, count, ...groups)]);
  return Buffer.concat([words(1, body.length), body]);
};

describe('accepted calls', () => {
  it('are answered with their result', async () => {
    expect(await client.call(PROGRAM, 3, Echo.echo, hello)).toMatchObject({ status: 'SUCCESS', body: hello });
    expect(await client.call(PROGRAM, 3, Echo.null)).toMatchObject({
      status: 'SUCCESS',
      body: Buffer.alloc(0),
    });
  });

  it('are answered with result bytes that were encoded before', async () => {
    expect(await client.call(PROGRAM, 3, Echo.encoded, hello)).toMatchObject({
      status: 'SUCCESS',
      body: hello,
    });
  });

  it('are answered with payloads by reference, padded', async () => {
    const { body } = await client.call(PROGRAM, 3, Echo.payload, words(100_001));
    expect(body.length).toBe(4 + 100_004);
    expect(body.subarray(0, 6)).toEqual(Buffer.from([0, 1, 0x86, 0xa1, 1, 2]));
    expect(body.subarray(-4)).toEqual(Buffer.from([2, 0, 0, 0]));
  });

  it('say which programs, versions and procedures are not there', async () => {
    expect(await client.call(PROGRAM + 1, 3, 0)).toMatchObject({
      status: 'PROG_UNAVAIL',
      body: Buffer.alloc(0),
    });
    expect(await client.call(PROGRAM, 4, 0)).toMatchObject({ status: 'PROG_MISMATCH', body: words(2, 3) });
    expect(await client.call(PROGRAM, 3, Echo.payloadLater + 1)).toMatchObject({ status: 'PROC_UNAVAIL' });
    expect(await client.call(PROGRAM, 2, 1)).toMatchObject({ status: 'PROC_UNAVAIL' });
    expect(await client.call(PROGRAM, 3, 0xffffffff)).toMatchObject({ status: 'PROC_UNAVAIL' });
  });

  it('are GARBAGE_ARGS when their arguments are too short, too long or not XDR', async () => {
    expect(await client.call(PROGRAM, 3, Echo.echo, words(5))).toMatchObject({ status: 'GARBAGE_ARGS' });
    expect(await client.call(PROGRAM, 3, Echo.echo, Buffer.concat([hello, words(0)]))).toMatchObject({
      status: 'GARBAGE_ARGS',
    });
    expect(await client.call(PROGRAM, 3, Echo.weak, words(1))).toMatchObject({ status: 'GARBAGE_ARGS' });
  });

  it('of NULL may say whatever they like behind it', async () => {
    expect(await client.call(PROGRAM, 3, Echo.null, words(1, 2))).toMatchObject({
      status: 'SUCCESS',
      body: Buffer.alloc(0),
    });
  });

  it('are SYSTEM_ERR when a procedure fails by a bug, which is logged with the call', async () => {
    expect(await client.call(PROGRAM, 3, Echo.bug, Buffer.alloc(0), { xid: 77 })).toMatchObject({
      status: 'SYSTEM_ERR',
    });
    const { level, fields } = test.log.at(-1)!;
    expect(level).toBe('error');
    expect(fields).toMatchObject({
      program: PROGRAM,
      version: 3,
      procedure: 'BUG',
      xid: 77,
      client: '127.0.0.1',
    });
    expect(fields).toMatchObject({ err: new TypeError('a bug') });
    expect(await client.call(PROGRAM, 3, Echo.lateBug)).toMatchObject({ status: 'SYSTEM_ERR' });
    expect(test.log.at(-1)!.fields).toMatchObject({ err: new TypeError('a late bug') });
  });

  it('are SYSTEM_ERR when a result does not fit its codec, and nothing of it is sent', async () => {
    expect(await client.call(PROGRAM, 3, Echo.badResult)).toMatchObject({
      status: 'SYSTEM_ERR',
      body: Buffer.alloc(0),
    });
    expect(test.log.at(-1)!.fields).toMatchObject({ err: expect.any(RangeError) });
  });
});

describe('denied calls', () => {
  it('are of another RPC version', async () => {
    expect(await client.call(PROGRAM, 3, 0, Buffer.alloc(0), { rpcVersion: 3 })).toMatchObject({
      status: 'RPC_MISMATCH',
      body: words(2, 2),
    });
  });

  it('have a credential of a flavor that is not served', async () => {
    for (const flavor of [2, 3, 6, 0xffffffff]) {
      expect(
        await client.call(PROGRAM, 3, 0, Buffer.alloc(0), { credential: words(flavor, 0) }),
      ).toMatchObject({
        status: 'AUTH_REJECTEDCRED',
      });
    }
  });

  it('have a credential that is not AUTH_SYS although it says so', async () => {
    const bad = {
      'a name of 256 bytes': authSys(Buffer.alloc(256, 97), []),
      '17 groups': authSys(
        Buffer.from('a'),
        Array.from({ length: 17 }, (_, index) => index),
      ),
      'more groups than there are': authSys(Buffer.from('a'), [1, 2], 3),
      'bytes behind its end': authSys(Buffer.from('a'), [1, 2], 1),
      'no bytes': words(1, 0),
      '404 bytes': Buffer.concat([words(1, 404), Buffer.alloc(404)]),
      'more bytes than the call': words(1, 396),
    };
    for (const [what, credential] of Object.entries(bad)) {
      const verifier = what.startsWith('more bytes') ? Buffer.alloc(0) : words(0, 0);
      const reply = await client.call(PROGRAM, 3, 0, Buffer.alloc(0), { credential, verifier });
      expect([what, reply.status]).toEqual([what, 'AUTH_BADCRED']);
    }
  });

  it('have an empty AUTH_SYS credential, also as the first on a connection', async () => {
    const fresh = await RawClient.connect(test.port);
    const reply = await fresh.call(PROGRAM, 3, 0, Buffer.alloc(0), { credential: words(1, 0) });
    expect(reply).toMatchObject({ status: 'AUTH_BADCRED' });
    await fresh.close();
  });

  it('have a verifier where none belongs, or half of one', async () => {
    for (const verifier of [words(6, 0), words(0, 404), words(0, 8), words(0), Buffer.alloc(0)]) {
      expect(await client.call(PROGRAM, 3, 0, Buffer.alloc(0), { verifier })).toMatchObject({
        status: 'AUTH_BADVERF',
      });
    }
  });

  it('are those that a procedure refuses', async () => {
    expect(await client.call(PROGRAM, 3, Echo.weak)).toMatchObject({ status: 'AUTH_TOOWEAK' });
  });
});

describe('credentials', () => {
  const credentialOf = async (options: object) => {
    await client.call(PROGRAM, 3, Echo.echo, hello, options);
    return test.calls.at(-1)!.credential;
  };

  it('carry user, groups and machine of AUTH_SYS', async () => {
    const groups = Array.from({ length: 16 }, (_, index) => 500 + index);
    expect(await credentialOf({ uid: 1000, gid: 100, groups, machine: 'm'.repeat(255) })).toEqual({
      flavor: 1,
      uid: 1000,
      gid: 100,
      groups,
      machine: 'm'.repeat(255),
    });
    expect(await credentialOf({ uid: 0xffffffff, gid: 0, machine: '' })).toMatchObject({
      uid: 0xffffffff,
      machine: '',
    });
  });

  it('are nobody for AUTH_NONE, whatever bytes it carries (RFC 5531 §10.1)', async () => {
    expect(await credentialOf({ anonymous: true })).toMatchObject({
      flavor: 0,
      uid: 65534,
      gid: 65534,
      groups: [],
    });
    expect(
      await credentialOf({ credential: Buffer.concat([words(0, 400), Buffer.alloc(400, 9)]) }),
    ).toMatchObject({ flavor: 0 });
  });

  it('stay the same object while their bytes are the same', async () => {
    const first = await credentialOf({ uid: 5 });
    expect(await credentialOf({ uid: 5 })).toBe(first);
    expect(await credentialOf({ uid: 6 })).not.toBe(first);
    expect(await credentialOf({ uid: 5, machine: 'tesu' })).toMatchObject({ uid: 5, machine: 'tesu' });
  });

  it('do not survive a bad one in between', async () => {
    await credentialOf({ uid: 5 });
    await client.call(PROGRAM, 3, 0, Buffer.alloc(0), { credential: words(1, 0) });
    expect(await credentialOf({ uid: 5 })).toMatchObject({ uid: 5 });
  });
});

describe('a call', () => {
  it('knows its client by address and port', async () => {
    await client.call(PROGRAM, 3, Echo.echo, hello);
    expect(test.calls.at(-1)!.peer).toEqual({ address: '127.0.0.1', port: client.socket.localPort });
  });
});
