// What a reading by hand of RFC 5531 and RFC 1813 finds in calls that a Linux client sent.

import { describe, expect, it } from 'vitest';
import { RpcCall } from '../../../src/nfs/rpc/call.ts';
import { CredentialReader } from '../../../src/nfs/rpc/credential.ts';
import { RecordReader } from '../../../src/nfs/rpc/record.ts';
import { RegionPool } from '../../../src/nfs/rpc/region.ts';
import { XdrReader } from '../../../src/nfs/xdr/reader.ts';
import { capturesOf } from '../captures.ts';

const captured = capturesOf('linux-6.1');

function parse(record: Buffer): RpcCall {
  const records = new RecordReader(new RegionPool({ overwriteFreed: false }));
  record.copy(records.space());
  records.received(record.length);
  expect(records.next()).toBe(true);
  const call = new RpcCall({ address: '192.0.2.7', port: 716 });
  call.begin(
    new XdrReader(records.bytes, records.start, records.end),
    new CredentialReader(),
    records.shared,
  );
  return call;
}

const first = (program: string, procedure: string): Buffer =>
  captured.find((one) => one.program === program && one.procedure === procedure)!.record;

const root = { flavor: 1, uid: 0, gid: 0, machine: 'kc-run-16746' };

describe('calls of a Linux client', () => {
  it('NULL, as the mount command and the kernel ping', () => {
    const mount = parse(first('MOUNT', 'NULL'));
    expect(mount).toMatchObject({ xid: 0x8357c398, program: 100005, version: 3, procedure: 0 });
    expect(mount.credential).toMatchObject({ flavor: 0 });
    expect(mount.body.length).toBe(0);
    expect(parse(first('NFS', 'NULL'))).toMatchObject({
      xid: 0x78b2a796,
      program: 100003,
      version: 3,
      procedure: 0,
    });
  });

  it('MNT of the kernel and UMNT of umount.nfs, as root', () => {
    const mount = parse(first('MOUNT', 'MNT'));
    expect(mount).toMatchObject({ xid: 0x8457c398, program: 100005, version: 3, procedure: 1 });
    expect(mount.credential).toEqual({ ...root, groups: [] });
    expect(mount.body.toString('latin1')).toBe('\0\0\0\x0b/srv/export\0');
    const unmount = parse(first('MOUNT', 'UMNT'));
    expect(unmount).toMatchObject({ program: 100005, procedure: 3 });
    expect(unmount.credential).toEqual({ ...root, groups: [0] });
  });

  it('GETATTR of a handle of 24 bytes', () => {
    const call = parse(first('NFS', 'GETATTR'));
    expect(call).toMatchObject({ xid: 0x7db2a796, program: 100003, version: 3, procedure: 1 });
    expect(call.credential).toEqual({ ...root, groups: [] });
    expect(call.body.toString('hex')).toBe(`00000018${'4300004d1244dcf5537d369a059d013e200c0075ddba9100'}`);
  });

  it.each(captured)('$program $procedure', ({ program, procedure, record }) => {
    const call = parse(record);
    expect(call).toMatchObject({ program: program === 'NFS' ? 100003 : 100005, version: 3 });
    expect(call.length).toBe(record.length - 4);
    expect(procedure === 'NULL').toBe(call.procedure === 0);
  });

  it('keep their checksum under another xid, and change it with any other byte', () => {
    const record = first('NFS', 'REMOVE');
    const checksum = parse(record).checksum();
    for (let at = 4; at < 8; at++) expect(parse(flipped(record, at)).checksum()).toBe(checksum);
    for (const at of [19, 27, 63, 87, record.length - 4])
      expect(parse(flipped(record, at)).checksum()).not.toBe(checksum);
  });
});

function flipped(record: Buffer, at: number): Buffer {
  const copy = Buffer.from(record);
  copy[at]! ^= 1;
  return copy;
}
