import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DirtyPiece, DirtyRanges } from '../../src/fs/dirty-ranges.ts';

const MIB = 2 ** 20;
/** Tests run around a window's edge, where a piece is cut. */
const BASE = 3 * MIB - 100;
const SPAN = 200;

/** What DirtyRanges must show: each byte and its date, one by one. */
class Model {
  readonly bytes: { value: number; since: number }[] = [];

  write(offset: number, data: Buffer, since: number, older: boolean): number {
    let added = 0;
    data.forEach((value, i) => {
      const old = this.bytes[offset + i];
      if (old === undefined) added++;
      this.bytes[offset + i] = {
        value,
        since: older && old !== undefined ? Math.min(old.since, since) : since,
      };
    });
    return added;
  }

  remove(from: number, to: number): number {
    const removed = this.covered(from, to);
    for (let i = from; i < Math.min(to, SPAN); i++) delete this.bytes[i];
    return removed;
  }

  covered(from: number, to: number): number {
    return Object.keys(this.bytes).filter((i) => Number(i) >= from && Number(i) < to).length;
  }
}

function expectSame(ranges: DirtyRanges, model: Model): void {
  const shown: Model['bytes'] = [];
  let last = 0;
  const pieces = ranges.pieces();
  for (const { offset, data, since } of pieces) {
    expect(offset).toBeGreaterThanOrEqual(last);
    last = offset + data.length;
    expect(data.length).toBeGreaterThan(0);
    expect(Math.floor(offset / MIB)).toBe(Math.floor((last - 1) / MIB));
    data.forEach((value, i) => {
      shown[offset - BASE + i] = { value, since };
    });
  }
  expect(shown).toEqual(model.bytes);
  const there = Object.values(model.bytes);
  expect(ranges.bytes).toBe(there.length);
  expect(ranges.count).toBe(pieces.length);
  expect(ranges.end).toBe(there.length === 0 ? 0 : BASE + model.bytes.length);
  expect(ranges.oldest).toBe(Math.min(Number.POSITIVE_INFINITY, ...there.map((byte) => byte.since)));
}

const range = fc.tuple(fc.nat(SPAN - 1), fc.integer({ min: 1, max: 80 })).map(([from, length]) => ({
  from,
  to: Math.min(SPAN, from + length),
}));
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      range,
      older: fc.boolean(),
      value: fc.nat(255),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), range }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), range }) },
);

function apply(
  ranges: DirtyRanges,
  model: Model,
  one: typeof step extends fc.Arbitrary<infer S> ? S : never,
  since: number,
): void {
  const { from, to } = one.range;
  if (one.do === 'write') {
    const data = Buffer.from(Array.from({ length: to - from }, (_, i) => (one.value + i) & 255));
    const added = ranges.write({ offset: BASE + from, data, since }, one.older ? 'older' : 'own');
    expect(added).toBe(model.write(from, data, since, one.older));
  } else if (one.do === 'remove') {
    expect(ranges.remove(BASE + from, BASE + to)).toBe(model.remove(from, to));
  } else {
    expect(ranges.cut(BASE + from)).toBe(model.remove(from, SPAN));
    for (let i = model.bytes.length; i > 0 && !(i - 1 in model.bytes); i--) model.bytes.length = i - 1;
  }
  while (model.bytes.length > 0 && !(model.bytes.length - 1 in model.bytes)) model.bytes.length--;
}

describe('dirty ranges', () => {
  it('show each byte as it was written last, with its date', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(9)), { maxLength: 25 }), range, (steps, { from, to }) => {
        const ranges = new DirtyRanges();
        const model = new Model();
        for (const [one, since] of steps) {
          apply(ranges, model, one, since);
          expectSame(ranges, model);
        }
        expect(ranges.covered(BASE + from, BASE + to)).toBe(model.covered(from, to));
        for (const piece of ranges.pieces(BASE + from, BASE + to)) {
          expect(piece.offset).toBeGreaterThanOrEqual(BASE + from);
          expect(piece.offset + piece.data.length).toBeLessThanOrEqual(BASE + to);
          piece.data.forEach((value, i) => {
            expect(value).toBe(model.bytes[piece.offset - BASE + i]!.value);
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('give the windows that have been there longest, and keep the others', () => {
    const ranges = new DirtyRanges();
    for (const window of [5, 9, 2, 7, 1])
      for (const at of [0, 100]) {
        const piece = { offset: window * MIB + at, data: Buffer.from([window, at]), since: window * 10 + at };
        ranges.write(piece);
      }
    ranges.write({ offset: 9 * MIB + 1, data: Buffer.from('later'), since: 500 }, 'older');
    const { bytes } = ranges;
    const taken = ranges.take(2);
    const offsets = (one: DirtyRanges) => one.pieces().map(({ offset }) => Math.floor(offset / MIB));
    expect([...new Set(offsets(taken))]).toEqual([5, 9]);
    expect([...new Set(offsets(ranges))]).toEqual([1, 2, 7]);
    expect(taken.bytes + ranges.bytes).toBe(bytes);
    expect([taken.count, ranges.count]).toEqual([taken.pieces().length, ranges.pieces().length]);
    expect([taken.oldest, ranges.oldest]).toEqual([50, 10]);
    expect([taken.end, ranges.end]).toEqual([9 * MIB + 102, 7 * MIB + 102]);
    expect([ranges.take(2).windows, ranges.take(2).windows, ranges.bytes]).toEqual([2, 1, 0]);
  });

  it('hold at most twice the memory of what waits, whatever was cut out of it', () => {
    const held = (ranges: DirtyRanges) => {
      const buffers = new Set(ranges.pieces().map(({ data }) => data.buffer));
      return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
    };
    const written = new DirtyRanges();
    for (let number = 0; number < 300; number++)
      written.write({ offset: number * 4096, data: Buffer.allocUnsafeSlow(MIB), since: number });
    const removed = new DirtyRanges();
    for (let number = 0; number < 100; number++) {
      removed.write({ offset: number * MIB, data: Buffer.allocUnsafeSlow(MIB), since: number });
      removed.remove(number * MIB + 5000, (number + 1) * MIB - (number % 2) * 9000);
    }
    for (const ranges of [written, removed]) expect(held(ranges)).toBeLessThanOrEqual(2 * ranges.bytes);
  });

  it('move to a flush, and come back below what was written meanwhile when it fails', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 10 }), fc.array(step, { maxLength: 10 }), (first, later) => {
        const ranges = new DirtyRanges();
        const model = new Model();
        for (const one of first) apply(ranges, model, one, 5);
        const taken = ranges.take();
        expectSame(taken, model);
        expectSame(ranges, new Model());
        const above = new Model();
        for (const [i, one] of later.entries()) apply(ranges, above, one, 1 + i);
        above.bytes.forEach(({ value, since }, i) => {
          model.write(i, Buffer.from([value]), since, true);
        });
        ranges.putBack(taken);
        expectSame(ranges, model);
        expectSame(taken, new Model());
      }),
    );
  });

  it('keep the bytes by reference while most of a buffer waits', () => {
    const data = Buffer.allocUnsafeSlow(10);
    data.write('abcdefghij');
    const ranges = new DirtyRanges();
    ranges.write({ offset: 10, data, since: 1 });
    ranges.write({ offset: 10, data: Buffer.from('XY'), since: 2 });
    data.write('ABCDEFGHIJ');
    expect(ranges.pieces().map((piece) => piece.data.toString())).toEqual(['XY', 'CDEFGHIJ']);
  });

  it('take nothing from an empty write', () => {
    const ranges = new DirtyRanges();
    expect(ranges.write({ offset: 10, data: Buffer.alloc(0), since: 1 })).toBe(0);
    expect([ranges.bytes, ranges.count, ranges.end, ranges.oldest]).toEqual([
      0,
      0,
      0,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it('reach to the largest file', () => {
    const ranges = new DirtyRanges();
    const offset = Number.MAX_SAFE_INTEGER - 4;
    ranges.write({ offset, data: Buffer.from('last'), since: 1 });
    expect(ranges.end).toBe(Number.MAX_SAFE_INTEGER);
    expect(ranges.covered(0, Number.MAX_SAFE_INTEGER)).toBe(4);
    expect(ranges.cut(offset + 1)).toBe(3);
    expect(ranges.pieces()).toEqual<DirtyPiece[]>([{ offset, data: Buffer.from('l'), since: 1 }]);
  });

  it('give way to one write over very many', () => {
    const ranges = new DirtyRanges();
    const byte = Buffer.from('.');
    for (let i = 0; i < 200_000; i++) ranges.write({ offset: i * 2, data: byte, since: i });
    expect(ranges.write({ offset: 0, data: Buffer.alloc(400_000), since: 200_000 }, 'older')).toBe(200_000);
    expect([ranges.count, ranges.bytes, ranges.oldest]).toEqual([400_000, 400_000, 0]);
    expect(ranges.write({ offset: 0, data: Buffer.alloc(400_000), since: 200_001 })).toBe(0);
    expect([ranges.count, ranges.bytes, ranges.oldest]).toEqual([1, 400_000, 200_001]);
  });

  it('stay fast with 65,536 pieces at random offsets', () => {
    const ranges = new DirtyRanges();
    const data = Buffer.alloc(4096);
    const offsets = Array.from({ length: 65_536 }, (_, i) => ((i * 40_503) % 65_536) * 8192);
    const started = performance.now();
    for (const [i, offset] of offsets.entries()) ranges.write({ offset, data, since: i }, 'older');
    const microseconds = ((performance.now() - started) * 1000) / offsets.length;
    expect(ranges.count).toBe(65_536);
    // Measured 0.2; the bound is far above, so that a busy machine does not fail it, and far below one long array.
    expect(microseconds).toBeLessThan(20);
  });
});
