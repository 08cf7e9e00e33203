import { describe, expect, expectTypeOf, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../src/nfs/xdr/message.ts';
import { fixedOpaque, opaque, opaqueParts } from '../../../src/nfs/xdr/opaque.ts';
import { bool, i32, nothing, u32, u64 } from '../../../src/nfs/xdr/primitives.ts';
import { array, list } from '../../../src/nfs/xdr/sequence.ts';
import { struct } from '../../../src/nfs/xdr/struct.ts';
import { optional, reply, union } from '../../../src/nfs/xdr/union.ts';
import { type Xdr, XdrError, type XdrOf } from '../../../src/nfs/xdr/xdr.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** The value has exactly these bytes, in both directions. */
function same<T>(codec: Xdr<T>, value: T, bytes: string): void {
  expect(encodeMessage(codec, value).toString('hex')).toBe(hex(bytes).toString('hex'));
  expect(decodeMessage(codec, hex(bytes))).toEqual(value);
}

describe('scalars', () => {
  it('are words in network order', () => {
    same(u32, 0xfffefdfc, 'fffefdfc');
    same(i32, -2, 'fffffffe');
    same(bool, true, '00000001');
    same(bool, false, '00000000');
    same(nothing, undefined, '');
  });

  it('carry 64 bits as a safe integer', () => {
    same(u64, 0x1_0000_0002, '00000001 00000002');
    same(u64, Number.MAX_SAFE_INTEGER, '001fffff ffffffff');
    same(u64, 0xffff_ffff, '00000000 ffffffff');
  });

  it('saturate at 2^53-1 where the wire goes further', () => {
    expect(decodeMessage(u64, hex('00200000 00000000'))).toBe(Number.MAX_SAFE_INTEGER);
    expect(decodeMessage(u64, hex('ffffffff ffffffff'))).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('know two booleans only', () => {
    expect(() => decodeMessage(bool, hex('00000002'))).toThrow(XdrError);
  });
});

describe('opaque data', () => {
  it('is padded with zeros to words', () => {
    same(fixedOpaque(5), Buffer.from('abcde'), '6162636465 000000');
    same(opaque(8), Buffer.from('abc'), '00000003 616263 00');
    same(opaque(8), Buffer.alloc(0), '00000000');
    same(opaqueParts(20_000), [Buffer.from('abc')], '00000003 616263 00');
  });

  it('is refused with padding that is not zero', () => {
    expect(() => decodeMessage(opaque(8), hex('00000003 616263 01'))).toThrow('padding is not zero');
    expect(() => decodeMessage(fixedOpaque(1), hex('61000100'))).toThrow('padding is not zero');
  });

  it('is refused when its length is over the limit, or over what is there', () => {
    expect(() => decodeMessage(opaque(2), hex('00000003 61626300'))).toThrow('at most 2');
    expect(() => decodeMessage(opaque(0xffffffff), hex('ffffffff 61626300'))).toThrow(XdrError);
    expect(() => decodeMessage(opaque(100), hex('00000005 61626300'))).toThrow('only 4 are left');
  });

  it('is a view of the received bytes, not a copy', () => {
    const bytes = hex('00000004 61626364');
    const value = decodeMessage(opaque(4), bytes);
    bytes[4] = 0x7a;
    expect(value.toString()).toBe('zbcd');
  });

  it('is refused by the encoder when it does not fit', () => {
    expect(() => encodeMessage(opaque(2), Buffer.alloc(3))).toThrow(RangeError);
    expect(() => encodeMessage(fixedOpaque(2), Buffer.alloc(3))).toThrow(RangeError);
    expect(() => encodeMessage(opaqueParts(2), [Buffer.alloc(1), Buffer.alloc(2)])).toThrow(RangeError);
    same(u32, 7, '00000007');
  });
});

const time = struct({ seconds: u32, nseconds: u32 });
const entry = struct({ id: u64, name: opaque(16), modified: time, more: bool, verifier: fixedOpaque(3) });

describe('structures', () => {
  it('are their fields in order', () => {
    same(
      entry,
      {
        id: 7,
        name: Buffer.from('ab'),
        modified: { seconds: 1, nseconds: 2 },
        more: true,
        verifier: hex('010203'),
      },
      '00000000 00000007 00000002 61620000 00000001 00000002 00000001 01020300',
    );
  });

  it('give their TypeScript type', () => {
    expectTypeOf<XdrOf<typeof entry>>().toEqualTypeOf<{
      readonly id: number;
      readonly name: Buffer;
      readonly modified: { readonly seconds: number; readonly nseconds: number };
      readonly more: boolean;
      readonly verifier: Buffer;
    }>();
  });

  it('refuse a field name that would become code', () => {
    expect(() => struct({ 'a; b': u32 })).toThrow('not a plain name');
  });

  it('may have field names that generated code uses itself', () => {
    same(
      struct({ r: u32, w: u32, v: opaque(4), default: u32 }),
      { r: 1, w: 2, v: hex('aa'), default: 3 },
      '00000001 00000002 00000001 aa000000 00000003',
    );
  });

  it('refuse bytes behind their end', () => {
    expect(() => decodeMessage(time, Buffer.alloc(12))).toThrow('4 bytes follow');
  });
});

describe('unions', () => {
  const how = union('how', { 0: {}, 2: { modified: time } });
  const answer = reply(struct({ id: u64 }), struct({ hint: optional(u32) }));

  it('have the discriminant beside the fields of its arm', () => {
    same(how, { how: 0 }, '00000000');
    same(how, { how: 2, modified: { seconds: 1, nseconds: 2 } }, '00000002 00000001 00000002');
    const value: XdrOf<typeof how> = decodeMessage(how, hex('00000002 00000001 00000002'));
    expect(value.how === 2 && value.modified.seconds).toBe(1);
  });

  it('refuse a discriminant without an arm', () => {
    expect(() => decodeMessage(how, hex('00000001'))).toThrow(
      new XdrError('Cannot read union: 1 is no value of its how'),
    );
    expect(() => encodeMessage(how, { how: 1 } as never)).toThrow(RangeError);
  });

  it('are replies, with one arm for success and one for every other status', () => {
    same(answer, { status: 0, id: 9 }, '00000000 00000000 00000009');
    same(answer, { status: 70, hint: undefined }, '00000046 00000000');
    same(answer, { status: 13, hint: 5 }, '0000000d 00000001 00000005');
  });

  it('are optional values', () => {
    same(optional(time), undefined, '00000000');
    same(optional(time), { seconds: 1, nseconds: 2 }, '00000001 00000001 00000002');
    expect(() => decodeMessage(optional(u32), hex('00000003 00000001'))).toThrow(XdrError);
  });
});

describe('sequences', () => {
  it('are arrays behind their count', () => {
    same(array(u32, 3), [], '00000000');
    same(array(u32, 3), [1, 2], '00000002 00000001 00000002');
  });

  it('are lists, each item behind a true', () => {
    same(list(u32, 3), [], '00000000');
    same(
      list(opaque(4), 3),
      [hex('aa'), hex('bb')],
      '00000001 00000001 aa000000 00000001 00000001 bb000000 00000000',
    );
  });

  it('are refused over their limit', () => {
    expect(() => decodeMessage(array(u32, 1), hex('00000002 00000001 00000002'))).toThrow('at most 1');
    expect(() => decodeMessage(list(u32, 1), hex('00000001 00000001 00000001 00000001 00000000'))).toThrow(
      'more than 1',
    );
    expect(() => encodeMessage(array(u32, 1), [1, 2])).toThrow(RangeError);
    expect(() => encodeMessage(list(u32, 1), [1, 2])).toThrow(RangeError);
  });

  it('never allocate on the word of the peer', () => {
    expect(() => decodeMessage(array(u64, 0xffffffff), hex('ffffffff 00000000'))).toThrow(
      'only 4 bytes are left',
    );
    expect(() => array(nothing, 5)).toThrow(RangeError);
  });

  it('decode a long list without recursion', () => {
    const items = Array.from({ length: 100_000 }, (_, index) => index);
    expect(decodeMessage(list(u32, 100_000), encodeMessage(list(u32, 100_000), items))).toEqual(items);
  });
});
