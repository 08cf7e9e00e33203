import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../src/nfs/xdr/message.ts';
import { fixedOpaque, opaque, opaqueParts } from '../../../src/nfs/xdr/opaque.ts';
import { bool, i32, u32, u64 } from '../../../src/nfs/xdr/primitives.ts';
import { XdrReader } from '../../../src/nfs/xdr/reader.ts';
import { array, list } from '../../../src/nfs/xdr/sequence.ts';
import { type Fields, struct } from '../../../src/nfs/xdr/struct.ts';
import { optional, union } from '../../../src/nfs/xdr/union.ts';
import { EXTERNAL_BYTES_MIN, XdrWriter } from '../../../src/nfs/xdr/writer.ts';
import { type Xdr, XdrError } from '../../../src/nfs/xdr/xdr.ts';

/** A codec made of others by chance, and a value that it carries. */
interface Typed {
  readonly codec: Xdr<unknown>;
  readonly value: unknown;
  /** `undefined` is one of its values already: around it, `optional` could not tell its own from it. */
  readonly isOptional?: boolean;
}

const typed = <T>(codec: Xdr<T>, values: fc.Arbitrary<T>): fc.Arbitrary<Typed> =>
  values.map((value) => ({ codec, value }));
const bytesOf = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes));
const fieldsOf = (members: readonly Typed[]): Fields =>
  Object.fromEntries(members.map(({ codec }, index) => [`f${index}`, codec]));
const valuesOf = (members: readonly Typed[]): object =>
  Object.fromEntries(members.map(({ value }, index) => [`f${index}`, value]));

const scalar = fc.oneof(
  typed(u32, fc.integer({ min: 0, max: 0xffffffff })),
  typed(i32, fc.integer()),
  typed(u64, fc.maxSafeNat()),
  typed(bool, fc.boolean()),
  typed(fixedOpaque(7), bytesOf(7, 7)),
  typed(opaque(40), bytesOf(0, 40)),
);

const long = fc.integer({ min: EXTERNAL_BYTES_MIN - 2, max: 12_000 }).map((count) => Buffer.alloc(count, 7));

/** Among other things data that is sent by reference. */
const anythingLong: fc.Arbitrary<Typed> = fc.tuple(long, fc.boolean()).chain(([data, inParts]) =>
  scalar.map(({ codec, value }) => ({
    codec: struct({ before: codec, data: inParts ? opaqueParts(20_000) : opaque(20_000), after: codec }),
    value: { before: value, data: inParts ? [data, data.subarray(0, 99)] : data, after: value },
  })),
);

const anything: fc.Arbitrary<Typed> = fc.letrec<{ any: Typed }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('any'), { minLength: 1, maxLength: 5 }).map((members) => ({
      codec: struct(fieldsOf(members)),
      value: valuesOf(members),
    })),
    fc.tuple(tie('any'), tie('any'), fc.boolean()).map(([one, two, first]) => ({
      codec: union('kind', { 1: fieldsOf([one]), 70: fieldsOf([two]) }),
      value: { kind: first ? 1 : 70, ...valuesOf([first ? one : two]) },
    })),
    fc
      .tuple(
        tie('any').filter((one) => !one.isOptional),
        fc.boolean(),
      )
      .map(([{ codec, value }, present]) => ({
        codec: optional(codec),
        value: present ? value : undefined,
        isOptional: true,
      })),
    fc.tuple(tie('any'), fc.nat(3)).map(([{ codec, value }, count]) => ({
      codec: array(codec, 3),
      value: Array.from({ length: count }, () => value),
    })),
    fc.tuple(tie('any'), fc.nat(3)).map(([{ codec, value }, count]) => ({
      codec: list(codec, 3),
      value: Array.from({ length: count }, () => value),
    })),
  ),
})).any;

describe('every codec', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(anything, ({ codec, value }) => {
        const bytes = encodeMessage(codec, value);
        expect(bytes.length % 4).toBe(0);
        expect(bytes.length).toBeGreaterThanOrEqual(codec.bytesMin);
        if (codec.fixed) expect(bytes.length).toBe(codec.fixed.bytes);
        expect(decodeMessage(codec, bytes)).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses every beginning of a message with XdrError', () => {
    fc.assert(
      fc.property(anything, fc.nat(), ({ codec, value }, at) => {
        const bytes = encodeMessage(codec, value);
        expect(() => decodeMessage(codec, bytes.subarray(0, at % bytes.length))).toThrow(XdrError);
      }),
      { numRuns: 500 },
    );
  });

  it('gives bytes that were changed the one value they stand for, or XdrError', () => {
    const change = fc.tuple(fc.nat(), fc.constantFrom(0, 1, 2, 3, 4, 0x7f, 0x80, 0xff));
    fc.assert(
      fc.property(anything, fc.array(change, { minLength: 1, maxLength: 4 }), ({ codec, value }, changes) => {
        const bytes = encodeMessage(codec, value);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        let decoded: unknown;
        try {
          decoded = decodeMessage(codec, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(XdrError);
          return;
        }
        // Encoding is unique, except that 64 bits saturate.
        const again = encodeMessage(codec, decoded);
        expect(decodeMessage(codec, again)).toEqual(decoded);
        expect(again.length).toBe(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('writes the same bytes wherever the buffer ends', () => {
    fc.assert(
      fc.property(fc.oneof(anything, anythingLong), fc.nat(64 * 1024), ({ codec, value }, used) => {
        const writer = new XdrWriter();
        writer.reserve(used);
        codec.encode(writer, value);
        expect(writer.length).toBe(used + encodeMessage(codec, value).length);
        expect(Buffer.concat(writer.take()).subarray(used).equals(encodeMessage(codec, value))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a writer', () => {
  it('sends long data from where it is, and short data as a copy', () => {
    const writer = new XdrWriter();
    const long = Buffer.alloc(EXTERNAL_BYTES_MIN + 1, 1);
    const short = Buffer.alloc(100, 2);
    opaqueParts(100_000).encode(writer, [short, long, short]);
    const pieces = writer.take();
    expect(pieces.length).toBe(3);
    expect(pieces[1]).toBe(long);
    expect(Buffer.concat(pieces).length).toBe(4 + Math.ceil((long.length + 200) / 4) * 4);
  });

  it('forgets what was written since its mark, payloads and new buffers included', () => {
    const writer = new XdrWriter();
    writer.u32(1);
    opaque(20_000).encode(writer, Buffer.alloc(10_000, 3));
    writer.mark();
    const before = writer.length;
    opaque(20_000).encode(writer, Buffer.alloc(20_000, 4));
    writer.reserve(64 * 1024);
    writer.rewind();
    expect(writer.length).toBe(before);
    writer.u32(2);
    const bytes = Buffer.concat(writer.take());
    expect(bytes.length).toBe(before + 4);
    expect(bytes.readUInt32BE(before)).toBe(2);
    expect(bytes.subarray(8, 10_008).every((byte) => byte === 3)).toBe(true);
  });

  it('leaves bytes alone that are still on their way', () => {
    const writer = new XdrWriter();
    const sent: Buffer[] = [];
    for (let i = 0; i < 100; i++) {
      for (let word = 0; word < 300; word++) writer.u32(i);
      sent.push(...writer.take());
      writer.abandon();
      writer.u32(0xffffffff);
      writer.take();
      writer.reuse();
    }
    sent.forEach((piece, i) => {
      expect(new XdrReader(piece).u32()).toBe(i);
      expect(piece.readUInt32BE(piece.length - 4)).toBe(i);
    });
  });
});
