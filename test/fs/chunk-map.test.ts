import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allocated,
  type ChunkMap,
  covered,
  cut,
  EMPTY_MAP,
  EXTENTS_MAX,
  frameBytes,
  framesOf,
  INLINE_BYTES_MAX,
  inlineBytes,
  isEmpty,
  isOverfull,
  overlay,
  plan,
} from '../../src/fs/chunk-map.ts';
import { type Extent, endOf, type Frame, frameExtent, frameId, inlineExtent } from '../../src/fs/extent.ts';

const SPAN = 120;

const frame = (index: number, payloadBytes: number): Frame => ({
  segment: 3,
  index,
  at: index * 1000,
  payloadBytes,
  storedBytes: payloadBytes + 1,
  codec: 0,
  keyId: 0,
  birth: 1,
  inherited: false,
  checksums: Buffer.alloc(4),
});

/** One byte of a window: `undefined` is a hole, a string names a byte of a frame or of inline data. */
type Model = (string | undefined)[];

const nameOf = (extent: Extent, i: number): string =>
  extent.frame === null ? `inline ${extent.data[i]}` : `frame ${extent.frame.index} byte ${extent.skip + i}`;

function bytesOf(map: ChunkMap): Model {
  const bytes: Model = Array(SPAN).fill(undefined);
  for (const extent of map)
    for (let i = 0; i < extent.length; i++) bytes[extent.offset + i] = nameOf(extent, i);
  return bytes;
}

function expectWellFormed(map: ChunkMap): void {
  map.forEach((extent, i) => {
    expect(extent.length).toBeGreaterThan(0);
    const previous = map[i - 1];
    if (previous) expect(extent.offset).toBeGreaterThanOrEqual(endOf(previous));
    const joined = previous?.frame === null && extent.frame === null && endOf(previous) === extent.offset;
    expect(joined).toBe(false);
  });
}

const range = fc
  .tuple(fc.nat(SPAN - 1), fc.integer({ min: 1, max: 50 }))
  .map(([from, length]) => ({ from, to: Math.min(SPAN, from + length) }));
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('inline' as const, 'frame' as const),
      range,
      skip: fc.nat(5),
      value: fc.nat(200),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('cut' as const), range, skip: fc.nat(5), value: fc.nat(200) }),
  },
);

function built(
  steps: readonly {
    do: 'inline' | 'frame' | 'cut';
    range: { from: number; to: number };
    skip: number;
    value: number;
  }[],
) {
  let map = EMPTY_MAP;
  const model: Model = Array(SPAN).fill(undefined);
  steps.forEach((one, index) => {
    const { from, to } = one.range;
    if (one.do === 'cut') {
      map = cut(map, from);
      model.fill(undefined, from);
      return;
    }
    const length = to - from;
    const extent =
      one.do === 'inline'
        ? inlineExtent(from, Buffer.from(Array.from({ length }, (_, i) => (one.value + i) & 255)))
        : frameExtent(from, frame(index, length + one.skip), one.skip);
    const before = map;
    const shown = bytesOf(before);
    map = overlay(map, [extent]);
    expect(bytesOf(before)).toEqual(shown);
    for (let i = 0; i < length; i++) model[from + i] = nameOf(extent, i);
  });
  return { map, model };
}

describe('a chunk map', () => {
  it('shows each byte as it was put there last', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const { map, model } = built(steps);
        expectWellFormed(map);
        expect(bytesOf(map)).toEqual(model);
        const there = model.filter((byte) => byte !== undefined);
        expect(allocated(map)).toBe(there.length);
        expect(isEmpty(map)).toBe(there.length === 0);
        expect(inlineBytes(map)).toBe(there.filter((byte) => byte.startsWith('inline')).length);
      }),
      { numRuns: 300 },
    );
  });

  it('plans a read of any range without a gap', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), range, (steps, { from, to }) => {
        const { map, model } = built(steps);
        const read: Model = [];
        let at = from;
        for (const one of plan(map, from, to)) {
          expect(one.offset).toBe(at);
          expect(one.length).toBeGreaterThan(0);
          for (let i = 0; i < one.length; i++) {
            read.push(one.data === null && one.frame === null ? undefined : nameOf(one, i));
          }
          at += one.length;
        }
        expect(at).toBe(to);
        expect(read).toEqual(model.slice(from, to));
        expect(covered(map, from, to)).toBe(read.filter((byte) => byte !== undefined).length);
      }),
      { numRuns: 300 },
    );
  });

  it('puts several extents, a later one over an earlier one', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.array(range, { maxLength: 5 }), (steps, ranges) => {
        const { map } = built(steps);
        const extents = ranges.map(({ from, to }, i) => frameExtent(from, frame(100 + i, to - from)));
        const one = extents.reduce<ChunkMap>((result, extent) => overlay(result, [extent]), map);
        expect(overlay(map, extents)).toEqual(one);
      }),
    );
  });

  it('leaves two extents of one frame where the middle is overwritten', () => {
    const map = overlay([frameExtent(10, frame(7, 30))], [frameExtent(20, frame(8, 5))]);
    expect(map.map(({ offset, length, frame: of, skip }) => [offset, length, of?.index, skip])).toEqual([
      [10, 10, 7, 0],
      [20, 5, 8, 0],
      [25, 15, 7, 15],
    ]);
    expect([...framesOf(map).keys()]).toEqual([frameId(3, 7), frameId(3, 8)]);
    expect(frameBytes(map)).toBe(31 + 6);
  });

  it('no longer names a frame that is covered or cut away', () => {
    const map = [frameExtent(10, frame(7, 10)), frameExtent(30, frame(8, 10))];
    expect(
      [...framesOf(overlay(map, [frameExtent(0, frame(9, 25))])).values()].map((of) => of.index),
    ).toEqual([9, 8]);
    expect([...framesOf(cut(map, 30)).values()].map((of) => of.index)).toEqual([7]);
    expect([...framesOf(cut(map, 31)).values()].map((of) => of.index)).toEqual([7, 8]);
    expect(isEmpty(cut(map, 0))).toBe(true);
  });

  it('joins inline bytes side by side, so that appended lines stay one extent', () => {
    let map = EMPTY_MAP;
    for (let i = 0; i < 100; i++) map = overlay(map, [inlineExtent(i * 10, Buffer.alloc(10, i))]);
    expect(map).toHaveLength(1);
    expect(map[0]?.data).toEqual(Buffer.concat(Array.from({ length: 100 }, (_, i) => Buffer.alloc(10, i))));
    expect(overlay(map, [inlineExtent(1001, Buffer.from('x'))])).toHaveLength(2);
  });

  it('takes nothing from an empty extent', () => {
    expect(overlay(EMPTY_MAP, [inlineExtent(5, Buffer.alloc(0))])).toEqual([]);
  });

  it('is overfull past 256 extents or 16 KiB of inline bytes', () => {
    const extents = (count: number) =>
      Array.from({ length: count }, (_, i) => frameExtent(i * 2, frame(i, 1)));
    expect(isOverfull(overlay(EMPTY_MAP, extents(EXTENTS_MAX)))).toBe(false);
    expect(isOverfull(overlay(EMPTY_MAP, extents(EXTENTS_MAX + 1)))).toBe(true);
    expect(isOverfull([inlineExtent(0, Buffer.alloc(INLINE_BYTES_MAX))])).toBe(false);
    expect(isOverfull([inlineExtent(0, Buffer.alloc(INLINE_BYTES_MAX + 1))])).toBe(true);
    expect([EXTENTS_MAX, INLINE_BYTES_MAX]).toEqual([256, 16_384]);
  });
});

describe('the id of a frame', () => {
  it('is another for every frame, and a safe integer for the last', () => {
    expect(frameId(1, 0)).toBe(frameId(0, 2 ** 22 - 1) + 1);
    expect(Number.isSafeInteger(frameId(2 ** 31 - 1, 2 ** 22 - 1))).toBe(true);
  });
});
