import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keys, versioned } from '../../src/kv/keys.ts';
import type { Range } from '../../src/kv/meta-store.ts';

/** A family with its functions loosened to lists, so that one property serves all. */
interface Family {
  key(...values: unknown[]): Buffer;
  parse(key: Buffer): Record<string, unknown>;
  range(...leading: unknown[]): Range;
}

const edge = (max: number) =>
  fc.oneof(
    fc.integer({ min: 0, max }),
    fc.constantFrom(0, 1, 255, 256, max - 1, max).filter((value) => value <= max),
  );
const u8 = edge(0xff);
const u32 = edge(0xffff_ffff);
const u64 = fc.oneof(edge(Number.MAX_SAFE_INTEGER), fc.constantFrom(2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40));
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 24 }).map((value) => Buffer.from(value)),
  fc.constantFrom(Buffer.alloc(0), Buffer.from([0]), Buffer.from([0xff]), Buffer.from([0xff, 0xff])),
);
/** What HISTORY and CHANGED hold for a kind has the one length of that kind. */
const rest16 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((value) => Buffer.from(value));
const utf8 = fc.string({ unit: 'grapheme', maxLength: 12 });

/** Every family: its prefix on disk, and its fields in the order of the key. */
const layout: Record<keyof typeof keys, [prefix: number, fields: Record<string, fc.Arbitrary<unknown>>]> = {
  inode: [0x01, { tree: u32, ino: u64 }],
  dirEntry: [0x02, { tree: u32, dir: u64, cookieHigh: u32, cookieLow: u32 }],
  stats: [0x05, { tree: u32 }],
  system: [0x06, { name: utf8 }],
  tombstone: [0x07, { tree: u32, dataId: u64, death: u32 }],
  dataset: [0x08, { dataset: u32 }],
  datasetRegistry: [0x09, { kind: u8, name: bytes }],
  snapshot: [0x0a, { dataset: u32, snapshot: u32 }],
  tree: [0x0b, { tree: u32 }],
  history: [0x0c, { tree: u32, kind: u8, rest: rest16, death: u32 }],
  changed: [0x0d, { tree: u32, generation: u32, kind: u8, rest: bytes }],
  space: [0x0e, { tree: u32, first: u32, last: u32 }],
  segment: [0x0f, { segment: u64 }],
  forward: [0x10, { segment: u64, block: u32 }],
  kept: [0x11, { tree: u32, generation: u32 }],
  reply: [0x12, { slot: u32 }],
  job: [0x13, { job: u32 }],
  link: [0x14, { tree: u32, ino: u64, parent: u64, cookieHigh: u32, cookieLow: u32 }],
  chunk: [0xfe, { tree: u32, dataId: u64, window: u64 }],
};

const families = Object.entries(layout).map(([name, [prefix, fields]]) => ({
  name,
  prefix,
  names: Object.keys(fields),
  values: fc.tuple(...Object.values(fields)),
  family: keys[name as keyof typeof keys] as unknown as Family,
}));

const compareValue = (a: unknown, b: unknown): number => {
  if (typeof a === 'number') return a - (b as number);
  return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
};
const compareFields = (a: unknown[], b: unknown[]): number =>
  a.reduce<number>((order, value, i) => order || compareValue(value, b[i]), 0);
const contains = ({ gte, lt }: Range, key: Buffer): boolean =>
  Buffer.compare(gte, key) <= 0 && Buffer.compare(key, lt) < 0;

describe.each(families)('keys of $name', ({ name, prefix, names, values, family }) => {
  it(`start with the byte ${prefix.toString(16)} and are read back field by field`, () => {
    fc.assert(
      fc.property(values, (fields) => {
        const key = family.key(...fields);
        expect(key[0]).toBe(prefix);
        expect(family.parse(key)).toEqual(Object.fromEntries(names.map((field, i) => [field, fields[i]])));
      }),
    );
  });

  it('sort by bytes as their fields sort', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const order = Buffer.compare(family.key(...a), family.key(...b));
        expect(order).toBe(Math.sign(compareFields(a, b)));
      }),
    );
  });

  it('are in the range of some leading fields exactly when they have these', () => {
    fc.assert(
      fc.property(values, values, fc.nat({ max: names.length }), fc.boolean(), (a, b, count, same) => {
        const other = same ? [...a.slice(0, count), ...b.slice(count)] : b;
        const leading = a.slice(0, count);
        const startsAlike = leading.every((value, i) =>
          typeof value === 'number' || i < names.length - 1
            ? compareValue(value, other[i]) === 0
            : Buffer.from(other[i] as string)
                .subarray(0, Buffer.from(value as string).length)
                .equals(Buffer.from(value as string)),
        );
        expect(contains(family.range(...leading), family.key(...other))).toBe(startsAlike);
      }),
    );
  });

  it('are in no range of another family', () => {
    fc.assert(
      fc.property(values, (fields) => {
        const key = family.key(...fields);
        for (const other of families) {
          if (other.name !== name) expect(contains(other.family.range(), key)).toBe(false);
        }
      }),
    );
  });
});

describe('a key', () => {
  it('has exactly the bytes of the layout', () => {
    expect(keys.inode.key(0x01020304, 0x1f_1112_1314_1516).toString('hex')).toBe(
      '0101020304001f111213141516',
    );
    expect(keys.dirEntry.key(1, 2, 0xfffefdfc, 3).toString('hex')).toBe(
      '02000000010000000000000002fffefdfc00000003',
    );
    expect(keys.system.key('uuid').toString('latin1')).toBe('\x06uuid');
    expect(keys.history.key(1, 1, Buffer.from('abcdefgh'), 9).toString('latin1')).toBe(
      '\x0c\0\0\0\x01\x01abcdefgh\0\0\0\x09',
    );
  });

  it.each([-1, 0.5, 2 ** 32, Number.NaN])('refuses %s as a u32', (value) => {
    expect(() => keys.stats.key(value)).toThrow(RangeError);
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN])('refuses %s as a u64', (value) => {
    expect(() => keys.segment.key(value)).toThrow(RangeError);
  });

  it.each([-1, 256, 0.5])('refuses %s as a u8', (value) => {
    expect(() => keys.datasetRegistry.key(value, Buffer.alloc(0))).toThrow(RangeError);
  });

  it('is not parsed from another family, another length or a number beyond 2^53-1', () => {
    expect(() => keys.inode.parse(keys.forward.key(1, 2))).toThrow(RangeError);
    expect(() => keys.inode.parse(keys.inode.key(1, 2).subarray(0, 12))).toThrow(RangeError);
    expect(() => keys.history.parse(keys.history.key(1, 2, Buffer.alloc(0), 3).subarray(0, 9))).toThrow(
      RangeError,
    );
    expect(() => keys.segment.parse(Buffer.from('0f0020000000000000', 'hex'))).toThrow(RangeError);
  });
});

describe('a versioned key', () => {
  it('is split at its tree and joined again', () => {
    const key = keys.chunk.key(7, 8, 9);
    const { tree, kind, rest } = versioned.parse(key);
    expect([tree, kind, rest.length]).toEqual([7, 0xfe, 16]);
    expect(versioned.key(tree, kind, rest)).toEqual(key);
    expect(
      keys.inode.parse(versioned.key(3, keys.inode.prefix, versioned.parse(keys.inode.key(1, 2)).rest)),
    ).toEqual({
      tree: 3,
      ino: 2,
    });
  });

  it('has its deaths in one ascending range of HISTORY', () => {
    const { tree, kind, rest } = versioned.parse(keys.inode.key(7, 8));
    const deaths = keys.history.range(tree, kind, rest);
    expect(
      [1, 255, 256, 0xffff_ffff].every((death) =>
        contains(deaths, keys.history.key(tree, kind, rest, death)),
      ),
    ).toBe(true);
    const next = versioned.parse(keys.inode.key(7, 9)).rest;
    expect(contains(deaths, keys.history.key(tree, kind, next, 1))).toBe(false);
  });
});
