import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DatasetRecord,
  decodeDataset,
  decodeIndex,
  encodeDataset,
  encodeIndex,
} from '../../src/datasets/dataset-record.ts';
import { DamageError } from '../../src/fs/versioned-value.ts';

const record: DatasetRecord = {
  id: 3,
  name: 'projects/web',
  uuid: '6f1c1f5e-3b0a-4f58-9d55-0d8d6f0c8a11',
  parentId: null,
  parentUuid: null,
  rootInode: 1,
  createdAt: 1_795_238_400,
  isSnapshot: false,
  flags: 0,
  kind: 'filesystem',
  headTree: 7,
  expiresAt: null,
  properties: { quota: '10737418240', 'backup:policy': 'daily' },
};

// Bytes of format 1. A change here is a new format: keep this test and add another.
const GOLDEN =
  '018ca2696403a46e616d65ac70726f6a656374732f776562a475756964d92436663163316635652d336230612d346635' +
  '382d396435352d306438643666306338613131a8706172656e744964c0aa706172656e7455756964c0a9726f6f74496e' +
  '6f646501a9637265617465644174ce6b012a00aa6973536e617073686f74c2a5666c61677300a46b696e64aa66696c65' +
  '73797374656da8686561645472656507aa70726f7065727469657382a571756f7461ab3130373337343138323430ad62' +
  '61636b75703a706f6c696379a56461696c79e47a0ce9';

describe('the record of a dataset', () => {
  it('has these bytes', () => {
    expect(encodeDataset(record).toString('hex')).toBe(GOLDEN);
    expect(decodeDataset(3, Buffer.from(GOLDEN, 'hex'))).toEqual(record);
  });

  it('is read back as it was written', () => {
    const records = fc.record({
      id: fc.nat(2 ** 32 - 1),
      name: fc.string(),
      uuid: fc.uuid(),
      parentId: fc.option(fc.nat(2 ** 32 - 1)),
      parentUuid: fc.option(fc.uuid()),
      rootInode: fc.nat(Number.MAX_SAFE_INTEGER),
      createdAt: fc.nat(Number.MAX_SAFE_INTEGER),
      isSnapshot: fc.boolean(),
      flags: fc.nat(Number.MAX_SAFE_INTEGER),
      kind: fc.constantFrom('filesystem' as const, 'volume' as const),
      headTree: fc.nat(2 ** 32 - 1),
      expiresAt: fc.option(fc.nat(2 ** 40)),
      properties: fc.dictionary(fc.stringMatching(/^[a-z]{1,9}:[a-z0-9]{1,9}$/), fc.string(), {
        noNullPrototype: true,
      }),
    });
    fc.assert(
      fc.property(records, (one) => {
        expect(decodeDataset(one.id, encodeDataset(one))).toEqual(one);
      }),
    );
  });

  it('is refused when any bit is flipped, or bytes are missing', () => {
    const value = encodeDataset(record);
    for (let bit = 0; bit < value.length * 8; bit++) {
      const damaged = Buffer.from(value);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeDataset(3, damaged)).toThrow(DamageError);
    }
    for (let length = 0; length < value.length; length++) {
      expect(() => decodeDataset(3, value.subarray(0, length))).toThrow(DamageError);
    }
  });

  it('is refused under the key of another dataset', () => {
    expect(() => decodeDataset(4, encodeDataset(record))).toThrow('it says that it is 3');
  });

  it('is refused when a field is missing', () => {
    const { headTree: _, ...partial } = record;
    expect(() => decodeDataset(3, encodeDataset(partial as DatasetRecord))).toThrow(
      'a field is missing or wrong',
    );
  });
});

describe('an index row', () => {
  it('has these bytes', () => {
    expect(encodeIndex(258).toString('hex')).toBe('01000001020c578ec0');
    expect(decodeIndex(encodeIndex(258), 'the default')).toBe(258);
  });

  it('is refused when it is damaged', () => {
    const value = encodeIndex(258);
    expect(() => decodeIndex(value.subarray(1), 'the default')).toThrow(DamageError);
    expect(() => decodeIndex(encodeDataset(record), 'the default')).toThrow('Cannot read the default');
    value[2]! ^= 1;
    expect(() => decodeIndex(value, 'the default')).toThrow('checksum');
  });
});
