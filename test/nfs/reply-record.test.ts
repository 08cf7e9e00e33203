import { describe, expect, it } from 'vitest';
import { decodeReply, encodeReply } from '../../src/nfs/reply-record.ts';

const record = {
  sequence: 2 ** 40 + 3,
  seconds: 1_800_000_000,
  address: 'fe80::1%eth0',
  xid: 0xfffffffe,
  procedure: 14,
  checksum: 0x80000001,
  reply: Buffer.from([0, 0, 0, 0, 9, 8, 7, 6]),
};

describe('a kept reply', () => {
  it('is what it was, after encoding and decoding', () => {
    expect(decodeReply(encodeReply(record))).toEqual(record);
  });

  it('may be empty', () => {
    const empty = { ...record, reply: Buffer.alloc(0) };
    expect(decodeReply(encodeReply(empty))).toEqual(empty);
  });

  it('has the bytes that its layout says', () => {
    const value = encodeReply({ ...record, address: '::1', reply: Buffer.from('ok') });
    expect(value.subarray(0, -4).toString('hex')).toBe(
      [
        '01',
        '0000010000000003',
        '000000006b49d200',
        'fffffffe',
        '80000001',
        '0e',
        '03',
        '3a3a31',
        '6f6b',
      ].join(''),
    );
  });

  it('is nothing when any bit of it is flipped', () => {
    const value = encodeReply(record);
    for (let bit = 0; bit < value.length * 8; bit++) {
      const damaged = Buffer.from(value);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeReply(damaged)).toBeUndefined();
    }
  });

  it('is nothing when it is cut off anywhere', () => {
    const value = encodeReply(record);
    for (let length = 0; length < value.length; length++) {
      expect(decodeReply(value.subarray(0, length))).toBeUndefined();
    }
  });
});
