import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DirectoryBucket,
  decodeBucket,
  encodeBucket,
  findEntry,
  insertEntry,
  removeEntry,
} from '../../src/fs/directory-bucket.ts';
import { FileType } from '../../src/fs/file-system.ts';
import { DamageError, seal, verify } from '../../src/fs/versioned-value.ts';

const type = fc.constantFrom(...Object.values(FileType));
const buckets: fc.Arbitrary<DirectoryBucket> = fc
  .tuple(
    fc.uniqueArray(fc.nat(15), { minLength: 1, maxLength: 16 }),
    fc.array(
      fc.record({
        name: fc.uint8Array({ minLength: 1, maxLength: 255 }).map((bytes) => Buffer.from(bytes)),
        ino: fc.maxSafeNat(),
        type,
      }),
      { minLength: 16, maxLength: 16 },
    ),
  )
  .map(([indexes, entries]) => indexes.sort((a, b) => a - b).map((index, i) => ({ ...entries[i]!, index })));

const file = (name: string, ino: number) => ({ name: Buffer.from(name), ino, type: FileType.file });

describe('a directory bucket', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(buckets, (bucket) => {
        const value = encodeBucket(bucket);
        seal(value, 1);
        verify(value, 'entry');
        expect(decodeBucket(value)).toEqual(bucket);
      }),
    );
  });

  it('has these bytes, for ever', () => {
    const value = encodeBucket([
      { name: Buffer.from('a'), ino: 2, type: FileType.file, index: 0 },
      { name: Buffer.from([0xff, 0x20]), ino: 2 ** 40, type: FileType.directory, index: 3 },
    ]);
    seal(value, 5);
    expect(value.toString('hex')).toBe(
      '0100000005' +
        '02' +
        '0001' +
        '0000000000000002' +
        '0161' +
        '0302' +
        '0000010000000000' +
        '02ff20' +
        '3e81653f',
    );
  });

  it('finds a name by its bytes only', () => {
    const bucket = insertEntry(insertEntry([], file('a', 1))!, file('A', 2))!;
    expect(findEntry(bucket, Buffer.from('a'))?.ino).toBe(1);
    expect(findEntry(bucket, Buffer.from('A'))?.ino).toBe(2);
    expect(findEntry(bucket, Buffer.from('a '))).toBeUndefined();
  });

  it('holds 16 names, each at its own index', () => {
    let bucket: DirectoryBucket = [];
    for (let i = 0; i < 16; i++) bucket = insertEntry(bucket, file(`name ${i}`, i))!;
    expect(bucket.map((entry) => entry.index)).toEqual(Array.from({ length: 16 }, (_, i) => i));
    expect(insertEntry(bucket, file('one too many', 16))).toBeUndefined();
    expect(decodeBucket(encodeBucket(bucket))).toEqual(bucket);
  });

  it('never renumbers an entry, and gives the lowest free index to a new one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(19), { maxLength: 60 }), (picks) => {
        let bucket: DirectoryBucket = [];
        const indexes = new Map<string, number>();
        for (const pick of picks) {
          const name = `name ${pick}`;
          if (indexes.delete(name)) {
            bucket = removeEntry(bucket, Buffer.from(name));
          } else {
            const free = Array.from({ length: 16 }, (_, i) => i).find(
              (i) => ![...indexes.values()].includes(i),
            );
            const inserted = insertEntry(bucket, file(name, pick));
            expect(inserted === undefined).toBe(free === undefined);
            if (inserted === undefined || free === undefined) continue;
            bucket = inserted;
            indexes.set(name, free);
          }
          expect(new Map(bucket.map((entry) => [entry.name.toString(), entry.index]))).toEqual(indexes);
          expect(bucket.map((entry) => entry.index)).toEqual([...indexes.values()].sort((a, b) => a - b));
        }
      }),
    );
  });

  it('is refused, and with nothing but a DamageError, when its bytes are no bucket', () => {
    fc.assert(
      fc.property(buckets, fc.nat(), fc.nat(255), (bucket, place, byte) => {
        const value = encodeBucket(bucket);
        const cut = value.subarray(0, place % value.length);
        expect(() => verify(cut, 'entry')).toThrow(DamageError);
        expect(() => decodeBucket(cut)).toThrow(DamageError);
        value[place % value.length] = byte;
        try {
          expect(decodeBucket(value).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(DamageError);
        }
      }),
      { numRuns: 500 },
    );
    const value = encodeBucket(insertEntry(insertEntry([], file('ab', 2))!, file('cd', 3))!);
    for (const [at, bytes, why] of [
      [0, '00', 'no record of format 1'],
      [5, '00', 'its entries do not fit'],
      [5, '03', 'its entries do not fit'],
      [6, '10', 'index 16 is out of order'],
      [7, '00', 'unknown type 0'],
      [8, 'ffffffff', 'an inode number is beyond 2^53-1'],
      [19, '00', 'index 0 is out of order'],
      [29, '01', 'its entries do not fit'],
      [29, '03', 'its entries do not fit'],
    ] as const) {
      const damaged = Buffer.from(value);
      damaged.write(bytes, at, 'hex');
      expect(() => decodeBucket(damaged)).toThrow(`Cannot read a directory entry: ${why}`);
    }
  });
});
