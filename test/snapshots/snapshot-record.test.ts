import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DamageError } from '../../src/fs/versioned-value.ts';
import {
  decodeList,
  decodeSnapshot,
  encodeList,
  encodeSnapshot,
  type SnapshotRecord,
} from '../../src/snapshots/snapshot-record.ts';

const record: SnapshotRecord = {
  name: 'daily',
  uuid: '00010203-0405-4607-8809-0a0b0c0d0e0f',
  tree: 7,
  generation: 12,
  seconds: 1_700_000_000,
  nanoseconds: 5,
  usedBytes: 2 ** 40,
  usedInodes: 3,
  holds: ['backup'],
  expiresAt: null,
  properties: { 'label:pr': '1234' },
};
const list = { nextId: 9, changedAt: { seconds: 1_700_000_001, nanoseconds: 7 } };

describe('the value of a SNAPSHOT key', () => {
  it('has these bytes on disk', () => {
    expect(encodeList(list).toString('hex')).toBe('0100000009000000006553f101000000073e201b4c');
    expect(encodeSnapshot(record).subarray(0, 12).toString('hex')).toBe('018ba46e616d65a56461696c');
  });

  it('is read back as it was written', () => {
    const count = fc.nat(Number.MAX_SAFE_INTEGER);
    const records: fc.Arbitrary<SnapshotRecord> = fc.record({
      name: fc.string(),
      uuid: fc.string(),
      tree: count,
      generation: count,
      seconds: count,
      nanoseconds: count,
      usedBytes: count,
      usedInodes: count,
      holds: fc.array(fc.string()),
      expiresAt: fc.option(count),
      properties: fc.dictionary(fc.stringMatching(/^[a-z]+:[a-z]+$/), fc.string(), { noNullPrototype: true }),
    });
    fc.assert(
      fc.property(records, (one) => {
        expect(decodeSnapshot('it', encodeSnapshot(one))).toEqual(one);
      }),
    );
    expect(decodeList('it', encodeList(list))).toEqual(list);
  });

  it('is refused when any bit is flipped, or bytes are missing', () => {
    for (const [value, decode] of [
      [encodeSnapshot(record), decodeSnapshot],
      [encodeList(list), decodeList],
    ] as const) {
      for (let bit = 0; bit < value.length * 8; bit++) {
        const damaged = Buffer.from(value);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => decode('it', damaged)).toThrow(DamageError);
      }
      for (let length = 0; length < value.length; length++)
        expect(() => decode('it', value.subarray(0, length))).toThrow(DamageError);
    }
  });
});
