import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  RECORD_BYTES_MAX,
  RECORD_FRAGMENTS_MAX,
  RecordReader,
  SMALL_RECORD_BYTES_MAX,
} from '../../../src/nfs/rpc/record.ts';
import { REGION_BYTES, RegionPool } from '../../../src/nfs/rpc/region.ts';
import { StreamError } from '../../../src/nfs/rpc/rpc-error.ts';
import { record, words } from '../raw-client.ts';

const reading = (): RecordReader => new RecordReader(new RegionPool({ overwriteFreed: true }));

/** Feeds `stream` as reads of at most `readBytes` bytes; returns copies of the records. */
function recordsOf(stream: Buffer, readBytes: (at: number) => number, reader = reading()): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const space = reader.space();
    const count = Math.min(readBytes(at), space.length, stream.length - at);
    stream.copy(space, 0, at, at + count);
    reader.received(count);
    at += count;
    while (reader.next()) found.push(Buffer.from(reader.bytes.subarray(reader.start, reader.end)));
  }
  return found;
}

const pattern = Buffer.from(
  Uint8Array.from({ length: RECORD_BYTES_MAX + 256 }, (_, index) => (index * 31) & 0xff),
);
const bytes = (count: number, seed = 1): Buffer => pattern.subarray(seed, seed + count);

describe('record marking', () => {
  it('finds records wherever the stream is split', () => {
    const records = [bytes(40), bytes(3, 2), bytes(0), bytes(17, 3)];
    const stream = Buffer.concat([
      record(records[0]!, 16),
      record(records[1]!),
      Buffer.concat([words(0), words(0), words(0x80000000)]),
      Buffer.concat([words(0), record(records[3]!, 5)]),
    ]);
    for (let first = 1; first < stream.length; first++) {
      expect(recordsOf(stream, (at) => (at < first ? first - at : stream.length))).toEqual(records);
    }
    expect(recordsOf(stream, () => 1)).toEqual(records);
    expect(recordsOf(stream, () => stream.length)).toEqual(records);
  });

  it('finds records of every size in fragments and reads of every size', () => {
    const size = fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: SMALL_RECORD_BYTES_MAX - 5, max: SMALL_RECORD_BYTES_MAX + 5 }),
      fc.integer({ min: 0, max: RECORD_BYTES_MAX }),
    );
    const read = fc.oneof(
      fc.integer({ min: 1, max: 3000 }),
      fc.integer({ min: 3000, max: 2 * REGION_BYTES }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(size, fc.option(fc.integer({ min: 400, max: 100_000 }))), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.array(read, { minLength: 1, maxLength: 10 }),
        (sizes, reads) => {
          const records = sizes.map(([count], index) => bytes(count, index));
          const stream = Buffer.concat(
            sizes.map(([, fragment], index) => record(records[index]!, fragment ?? undefined)),
          );
          let turn = 0;
          const found = recordsOf(stream, () => reads[turn++ % reads.length]!);
          expect(found.length).toBe(records.length);
          found.forEach((one, index) => {
            expect(one.equals(records[index]!)).toBe(true);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('decodes a small record where it arrived, and gives a long one a buffer of its own', () => {
    const reader = reading();
    recordsOf(record(bytes(SMALL_RECORD_BYTES_MAX)), () => 10_000, reader);
    expect([reader.shared, reader.bytes === reader.region.bytes]).toEqual([true, true]);
    recordsOf(record(bytes(SMALL_RECORD_BYTES_MAX + 1)), () => 10_000, reader);
    expect([reader.shared, reader.bytes.length]).toEqual([false, SMALL_RECORD_BYTES_MAX + 1]);
    recordsOf(record(bytes(100), 60), () => 10_000, reader);
    expect([reader.shared, reader.bytes.length]).toEqual([false, 100]);
  });

  it('reads the rest of a long record straight to its place', () => {
    const reader = reading();
    const stream = record(bytes(500_000));
    stream.copy(reader.space(), 0, 0, 5000);
    reader.received(5000);
    expect(reader.next()).toBe(false);
    expect(reader.space().length).toBe(stream.length - 5000);
    expect(reader.unfinishedBytes).toBe(500_000);
  });

  it('never reads over a pinned record', () => {
    const reader = reading();
    const small = record(bytes(5000));
    const pinned: { readonly at: Buffer; readonly region: RecordReader['region'] }[] = [];
    for (let i = 0; i < 100; i++) {
      recordsOf(small, () => 5004, reader);
      reader.region.pin();
      pinned.push({ at: reader.bytes.subarray(reader.start, reader.end), region: reader.region });
    }
    expect(new Set(pinned.map(({ region }) => region)).size).toBeGreaterThan(3);
    for (const { at } of pinned) expect(at.equals(bytes(5000))).toBe(true);
    for (const { region } of pinned) region.unpin();
    expect(pinned[0]!.at.equals(bytes(5000))).toBe(false);
  });

  it('keeps records that wait for room while its reader is paused', () => {
    const reader = reading();
    const stream = Buffer.concat(Array.from({ length: 3000 }, (_, index) => record(bytes(100, index))));
    let at = 0;
    let found = 0;
    while (at < stream.length) {
      // As a paused socket does: ask for space, take no record, and use that space later.
      const space = reader.space();
      while (reader.next())
        expect(reader.bytes.subarray(reader.start, reader.end)).toEqual(bytes(100, found++));
      const count = stream.copy(space, 0, at);
      reader.received(count);
      at += count;
    }
    while (reader.next()) found++;
    expect(found).toBe(3000);
  });

  it('refuses a record over the limit as soon as its mark says so', () => {
    expect(recordsOf(record(bytes(RECORD_BYTES_MAX)), () => REGION_BYTES)[0]!.length).toBe(RECORD_BYTES_MAX);
    expect(() => recordsOf(words(0x80000000 + RECORD_BYTES_MAX + 1), () => 4)).toThrow(StreamError);
    expect(() => recordsOf(words(0x7fffffff), () => 4)).toThrow(StreamError);
    const inTwo = Buffer.concat([words(RECORD_BYTES_MAX), bytes(RECORD_BYTES_MAX), words(0x80000001)]);
    expect(() => recordsOf(inTwo, () => REGION_BYTES)).toThrow(`${RECORD_BYTES_MAX} are allowed`);
  });

  it('refuses a record of endlessly many fragments', () => {
    const empty = Buffer.alloc(4 * (RECORD_FRAGMENTS_MAX + 1));
    expect(recordsOf(empty.subarray(4), () => REGION_BYTES)).toEqual([]);
    expect(() => recordsOf(empty, () => REGION_BYTES)).toThrow('fragments');
  });
});
