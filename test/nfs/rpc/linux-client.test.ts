// Calls as a Linux client sends them, byte for byte, each with what a reading by hand of RFC 5531 and RFC 1813 finds in
// it.

import { describe, expect, it } from 'vitest';
import { RpcCall } from '../../../src/nfs/rpc/call.ts';
import { CredentialReader } from '../../../src/nfs/rpc/credential.ts';
import { XdrReader } from '../../../src/nfs/xdr/reader.ts';

const parse = (text: string) => {
  const bytes = Buffer.from(text.replaceAll(/\s|#.*$/gm, ''), 'hex');
  const call = new RpcCall({ address: '192.0.2.7', port: 716 });
  call.begin(new XdrReader(bytes, 4), new CredentialReader(), false);
  return { call, mark: bytes.readUInt32BE(0), length: bytes.length };
};

const NULL = `
  80000028  # last fragment, 40 bytes
  4a1fc3b2  # xid
  00000000  # CALL
  00000002  # RPC version 2
  000186a3 00000003 00000000  # NFS 3 NULL
  00000000 00000000  # credential AUTH_NONE
  00000000 00000000  # verifier AUTH_NONE`;

const MNT = `
  8000005c
  7d01a2f3 00000000 00000002
  000186a5 00000003 00000001  # MOUNT 3 MNT
  00000001 00000028  # AUTH_SYS, 40 bytes
  000f4f12  # stamp
  00000007 636c69656e743100  # "client1"
  00000000 00000000  # uid 0, gid 0
  00000003 00000000 00000004 0000001b  # groups 0, 4, 27
  00000000 00000000
  00000006 2f746573 74310000  # "/test1"`;

const GETATTR = `
  8000006c
  5c6b0f1e 00000000 00000002
  000186a3 00000003 00000001  # NFS 3 GETATTR
  00000001 00000024
  00000000  # stamp
  00000007 636c69656e743100
  000003e8 000003e8  # uid 1000, gid 1000
  00000002 000003e8 0000001b  # groups 1000, 27
  00000000 00000000
  0000001c  # a handle of 28 bytes
  01000700 8e1c0b00 00000000 f2c4a1d0 11223344 55667788 99aabbcc`;

describe('calls of a Linux client', () => {
  it('NULL, as the mount command pings', () => {
    const { call, mark, length } = parse(NULL);
    expect(mark).toBe(0x80000000 + length - 4);
    expect(call).toMatchObject({ xid: 0x4a1fc3b2, program: 100003, version: 3, procedure: 0 });
    expect(call.credential).toMatchObject({ flavor: 0 });
    expect(call.body.length).toBe(0);
  });

  it('MNT, as root', () => {
    const { call, mark, length } = parse(MNT);
    expect(mark).toBe(0x80000000 + length - 4);
    expect(call).toMatchObject({ xid: 0x7d01a2f3, program: 100005, version: 3, procedure: 1 });
    expect(call.credential).toEqual({ flavor: 1, uid: 0, gid: 0, groups: [0, 4, 27], machine: 'client1' });
    expect(call.body.toString('latin1')).toBe('\0\0\0\u0006/test1\0\0');
  });

  it('GETATTR, as a user', () => {
    const { call, mark, length } = parse(GETATTR);
    expect(mark).toBe(0x80000000 + length - 4);
    expect(call).toMatchObject({ xid: 0x5c6b0f1e, program: 100003, version: 3, procedure: 1 });
    expect(call.credential).toEqual({
      flavor: 1,
      uid: 1000,
      gid: 1000,
      groups: [1000, 27],
      machine: 'client1',
    });
    expect(call.body.length).toBe(32);
  });

  it('keep their checksum under another xid, and change it with any other byte', () => {
    const { call } = parse(GETATTR);
    expect(parse(GETATTR.replace('5c6b0f1e', '5c6b0f1f')).call.checksum()).toBe(call.checksum());
    expect(parse(GETATTR.replace('000003e8 000003e8', '000003e9 000003e8')).call.checksum()).not.toBe(
      call.checksum(),
    );
    expect(parse(GETATTR.replace('99aabbcc', '99aabbcd')).call.checksum()).not.toBe(call.checksum());
  });
});
