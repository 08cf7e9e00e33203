import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SegmentRecord, type SegmentState } from '../../src/fs/segment-record.ts';
import { DamageError } from '../../src/fs/versioned-value.ts';
import { withChecksum } from './with-checksum.ts';

const INDEX_MAX = 2 ** 22 - 1;
const states = fc.constantFrom<SegmentState>('open', 'sealed', 'gone');
const indexes = fc.oneof(fc.nat(100), fc.nat(5000));

function shown(record: SegmentRecord) {
  return {
    state: record.state,
    totalBytes: record.totalBytes,
    liveBytes: record.liveBytes,
    liveCount: record.liveCount,
    live: [...record.liveFrames()],
  };
}

const records = fc.tuple(states, fc.array(indexes, { maxLength: 40 })).map(([state, toggles]) => {
  const record = new SegmentRecord();
  for (const index of toggles) {
    if (record.isLive(index)) record.clearLive({ index, bytes: index + 1 });
    else record.setLive({ index, bytes: index + 1, end: 5_001 * (index + 1) });
  }
  record.state = state;
  return record;
});

describe('the record of a segment', () => {
  it('knows which frames are live and what they take', () => {
    fc.assert(
      fc.property(fc.array(indexes, { maxLength: 60 }), (toggles) => {
        const record = new SegmentRecord();
        const live = new Set<number>();
        let totalBytes = 0;
        for (const index of toggles) {
          const bytes = 100 + index;
          if (live.delete(index)) {
            record.clearLive({ index, bytes });
          } else {
            live.add(index);
            totalBytes = Math.max(totalBytes, index * 10_000);
            record.setLive({ index, bytes, end: index * 10_000 });
          }
          expect(shown(record)).toEqual({
            state: 'open',
            totalBytes,
            liveBytes: [...live].reduce((sum, one) => sum + 100 + one, 0),
            liveCount: live.size,
            live: [...live].sort((a, b) => a - b),
          });
          expect(record.isLive(index)).toBe(live.has(index));
        }
      }),
    );
  });

  it('raises the alarm for a bit that already is what it shall become', () => {
    const record = new SegmentRecord();
    expect(() => record.clearLive({ index: 70, bytes: 0 })).toThrow('frame 70 is not live');
    record.setLive({ index: 70, bytes: 10, end: 10 });
    expect(() => record.setLive({ index: 70, bytes: 10, end: 10 })).toThrow('frame 70 is live already');
    expect(() => record.clearLive({ index: 70, bytes: 11 })).toThrow('frame 70 of 11 bytes');
    record.clearLive({ index: 70, bytes: 10 });
    expect(() => record.clearLive({ index: 70, bytes: 0 })).toThrow('frame 70 is not live');
    expect(shown(record)).toEqual({ state: 'open', totalBytes: 10, liveBytes: 0, liveCount: 0, live: [] });
  });

  it('holds 4 Mi frames, and no more', () => {
    const record = new SegmentRecord();
    record.setLive({ index: INDEX_MAX, bytes: 1, end: 1 });
    expect(shown(SegmentRecord.decode(record.encode())).live).toEqual([INDEX_MAX]);
    expect(() => record.setLive({ index: INDEX_MAX + 1, bytes: 1, end: 1 })).toThrow(
      'a segment has no frame',
    );
    expect(() => record.setLive({ index: -1, bytes: 1, end: 1 })).toThrow('a segment has no frame -1');
  });

  it('comes back as it was, and goes on from there', () => {
    fc.assert(
      fc.property(records, indexes, (record, index) => {
        const decoded = SegmentRecord.decode(record.encode());
        expect(shown(decoded)).toEqual(shown(record));
        for (const one of [record, decoded]) {
          if (one.isLive(index)) one.clearLive({ index, bytes: 1 });
          else one.setLive({ index, bytes: 1, end: 1 });
        }
        expect(decoded.encode()).toEqual(record.encode());
      }),
    );
  });

  it('has these bytes, for ever', () => {
    const record = new SegmentRecord();
    record.setLive({ index: 0, bytes: 100, end: 100 });
    record.setLive({ index: 10, bytes: 53, end: 2 ** 32 });
    record.setLive({ index: 30, bytes: 7, end: 0 });
    record.clearLive({ index: 30, bytes: 7 });
    record.state = 'sealed';
    expect(record.encode().toString('hex')).toBe(
      '01' + '01' + '0000000100000000' + '0000000000000099' + '0104' + 'e81f8d5c',
    );
  });

  it('is refused, and with nothing but a DamageError, when cut short or changed', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (record, place, bits) => {
        const value = record.encode();
        const at = place % value.length;
        expect(() => SegmentRecord.decode(value.subarray(0, at))).toThrow(DamageError);
        value[at]! ^= bits;
        expect(() => SegmentRecord.decode(value)).toThrow(DamageError);
      }),
    );
  });

  it.each([
    ['another format', `0200${'00'.repeat(16)}`, 'its format is 2, expected 1'],
    ['an unknown state', `0103${'00'.repeat(16)}`, 'it is out of range'],
    ['more bytes than there can be', `01000020000000000000${'00'.repeat(8)}`, 'it is out of range'],
    ['more live bytes than bytes', `0100${'00'.repeat(8)}0000000000000001`, 'it is out of range'],
    ['zeros at the end of the bitmap', `0100${'00'.repeat(16)}0100`, 'it is out of range'],
    [
      'a bitmap of more than 4 Mi frames',
      `01${'00'.repeat(17)}${'01'.repeat(2 ** 19 + 1)}`,
      'it is out of range',
    ],
  ])('is refused with %s, also under a right checksum', (_, hex, why) => {
    const value = withChecksum(hex);
    expect(() => SegmentRecord.decode(value)).toThrow(DamageError);
    expect(() => SegmentRecord.decode(value)).toThrow(why);
  });
});
