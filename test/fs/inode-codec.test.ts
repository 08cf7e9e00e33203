import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileType } from '../../src/fs/file-system.ts';
import { decodeInode, encodeInode } from '../../src/fs/inode-codec.ts';
import { type InodeRecord, inodeRecord, withFields } from '../../src/fs/inode-record.ts';
import { birthOf, DamageError, seal, verify } from '../../src/fs/versioned-value.ts';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const safe = fc.maxSafeNat();
const seconds = fc.maxSafeInteger().map((value) => value || 0);
const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
const tail = fc
  .array(fc.tuple(u16, bytes(0, 20)), { minLength: 1, maxLength: 3 })
  .map((fields) =>
    Buffer.concat(
      fields.flatMap(([tag, data]) => [Buffer.from([tag >> 8, tag & 255, 0, 0, 0, data.length]), data]),
    ),
  );

const records: fc.Arbitrary<InodeRecord> = fc
  .record({
    ino: safe,
    generation: u32,
    type: fc.constantFrom(...Object.values(FileType)),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    nlink: u32,
    uid: u32,
    gid: u32,
    size: safe,
    allocated: safe,
    rdevMajor: u32,
    rdevMinor: u32,
    atimeSeconds: seconds,
    atimeNanoseconds: u32,
    mtimeSeconds: seconds,
    mtimeNanoseconds: u32,
    ctimeSeconds: seconds,
    ctimeNanoseconds: u32,
    mountedDataset: u32,
    btimeSeconds: seconds,
    btimeNanoseconds: u32,
    change: safe,
    entryCount: safe,
    parents: fc.array(fc.record({ ino: safe, cookieHigh: u32, cookieLow: u32 }), { maxLength: 4 }),
    dataId: safe,
    windowLog2: fc.integer({ min: 12, max: 30 }),
    verifier: fc.option(bytes(8, 8)),
    flags: u32,
    projectId: u32,
    target: fc.option(bytes(0, 4095)),
    tail: fc.option(tail),
  })
  .map(inodeRecord);

const plain = inodeRecord({
  ino: 12,
  generation: 0x0a0b0c0d,
  type: FileType.file,
  mode: 0o644,
  nlink: 1,
  uid: 1000,
  gid: 100,
  size: 2 ** 40 + 5,
  allocated: 4096,
  rdevMajor: 0,
  rdevMinor: 0,
  atimeSeconds: 1_700_000_000,
  atimeNanoseconds: 1,
  mtimeSeconds: -1,
  mtimeNanoseconds: 2,
  ctimeSeconds: 1_700_000_002,
  ctimeNanoseconds: 3,
  mountedDataset: 0,
  btimeSeconds: 1_700_000_003,
  btimeNanoseconds: 999_999_999,
  change: 9,
  entryCount: 0,
  parents: [{ ino: 1, cookieHigh: 0x7fffffff, cookieLow: 0xfffffff0 }],
  dataId: 77,
  windowLog2: 20,
  verifier: Buffer.from('verifier'),
  flags: 0,
  projectId: 0,
  target: null,
  tail: null,
});

describe('an inode record', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(records, u32, (record, birth) => {
        const value = encodeInode(record);
        seal(value, birth);
        verify(value, 'inode');
        expect(birthOf(value)).toBe(birth);
        expect(decodeInode(record.ino, value)).toEqual(record);
        expect(encodeInode(decodeInode(record.ino, value)).subarray(5, -4)).toEqual(value.subarray(5, -4));
      }),
    );
  });

  it('has these bytes, for ever', () => {
    const value = encodeInode(plain);
    seal(value, 3);
    expect(value.toString('hex')).toBe(
      [
        '0100000003', // format, birth
        '01010114', // type, parts, parents, window
        '01a4', // mode
        '00000001000003e8000000640a0b0c0d', // nlink, uid, gid, generation
        '0000000000000000', // rdev
        '000000000000000000000000', // flags, projectId, mountedDataset
        '00000100000000050000000000001000', // size, allocated
        '00000000000000090000000000000000000000000000004d', // change, entryCount, dataId
        '000000006553f10000000001', // atime
        'ffffffffffffffff00000002', // mtime, one second before 1970
        '000000006553f10200000003', // ctime
        '000000006553f1033b9ac9ff', // btime
        '00000000000000017ffffffffffffff0', // parent
        '7665726966696572', // verifier
        'a87f995a', // crc32
      ].join(''),
    );
  });

  it('is refused when cut short', () => {
    fc.assert(
      fc.property(records, fc.nat(), (record, cut) => {
        const value = encodeInode(record);
        const short = value.subarray(0, cut % value.length);
        expect(() => verify(short, 'inode')).toThrow(DamageError);
        expect(outcome(() => decodeInode(1, short))).not.toBe('another error');
      }),
    );
  });

  it('is refused, and with nothing but a DamageError, when its bytes are no inode', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.nat(255), (record, place, byte) => {
        const value = encodeInode(record);
        value[place % value.length] = byte;
        expect(outcome(() => decodeInode(1, value))).not.toBe('another error');
      }),
      { numRuns: 1000 },
    );
    expect(() => decodeInode(12, Buffer.alloc(0))).toThrow('Cannot read inode 12: no record of format 1');
    for (const [at, bytes, why] of [
      [0, '02', 'no record of format 1'],
      [5, '08', 'unknown type 8'],
      [6, '04', 'unknown parts 4'],
      [7, '05', 'its parts do not fit'],
      [7, '00', 'its tagged fields do not fit'],
      [47, '0020000000000000', 'a number is beyond 2^53-1'],
      [87, '8000000000000000', 'a number is beyond 2^53-1'],
      [135, '0020000000000000', 'a parent is beyond 2^53-1'],
    ] as const) {
      const value = encodeInode(plain);
      value.write(bytes, at, 'hex');
      expect(() => decodeInode(12, value)).toThrow(why);
    }
    const symlink = encodeInode(withFields(plain, { target: Buffer.from('ab') }));
    symlink[160] = 3;
    expect(() => decodeInode(12, symlink)).toThrow('its parts do not fit');
  });
});

describe('withFields', () => {
  it('replaces some fields and leaves the record alone', () => {
    const changed = withFields(plain, { mode: 0o600, verifier: null });
    expect(changed).toEqual({ ...plain, mode: 0o600, verifier: null });
    expect(plain.mode).toBe(0o644);
    expect(Object.keys(changed)).toEqual(Object.keys(plain));
  });
});

function outcome(decode: () => unknown): 'a value' | 'damage' | 'another error' {
  try {
    decode();
    return 'a value';
  } catch (error) {
    return error instanceof DamageError ? 'damage' : 'another error';
  }
}
