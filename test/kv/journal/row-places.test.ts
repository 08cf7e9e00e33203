import { describe, expect, it } from 'vitest';
import { putRecord, rowAt } from '../../../src/kv/journal/journal-record.ts';
import { RowPlaces } from '../../../src/kv/journal/row-places.ts';
import type { Write } from '../../../src/kv/meta-store.ts';
import { seededRandom, upTo } from '../seeded-random.ts';

const HEAD_BYTES = 64;

/** An image that rows are written into, and the table over it. */
function tableOver(bytes: number, seed = 7) {
  const image = Buffer.alloc(bytes);
  const places = new RowPlaces(image, seed);
  let end = HEAD_BYTES;
  const put = (batch: readonly Write[]) => {
    const isNew: boolean[] = [];
    end = putRecord(image, end, { sequence: 1, use: Buffer.alloc(8) }, batch, (key, at) =>
      isNew.push(places.set(key, at)),
    );
    return isNew;
  };
  return { image, places, put };
}

const numbered = (number: number): Write => ({
  key: Buffer.from(`key ${number}`),
  value: Buffer.from(String(number)),
});

describe('the places of a journal’s rows', () => {
  it('are those of the newest row of each key', () => {
    const random = seededRandom(5);
    const { image, places, put } = tableOver(2 ** 20);
    const model = new Map<string, string>();
    for (let round = 0; round < 500; round++) {
      const batch = Array.from({ length: 1 + upTo(random, 5) }, () => {
        const key = Buffer.from(Array.from({ length: upTo(random, 4) }, () => upTo(random, 2)));
        return { key, value: Buffer.from(String(random())) };
      });
      const isNew = put(batch);
      for (const [at, { key, value }] of batch.entries()) {
        const id = key.toString('latin1');
        expect(isNew[at]).toBe(!model.has(id));
        model.set(id, value.toString());
      }
    }
    expect(places.size).toBe(model.size);
    for (const [id, value] of model) {
      const { write } = rowAt(image, places.find(Buffer.from(id, 'latin1')));
      expect([write.key.toString('latin1'), write.value?.toString()]).toEqual([id, value]);
    }
    expect(places.find(Buffer.from('not there'))).toBe(0);
    const found = Array.from(places.places(), (at) => rowAt(image, at).write.key.toString('latin1'));
    expect(found.sort()).toEqual([...model.keys()].sort());
  });

  it('stay found when there are more than the table begins with, and are forgotten at once', () => {
    const { image, places, put } = tableOver(8 * 2 ** 20);
    const count = 90_000;
    for (let number = 0; number < count; number += 10)
      put(Array.from({ length: 10 }, (_, one) => numbered(number + one)));
    expect(places.size).toBe(count);
    for (let number = 0; number < count; number++) {
      const { key, value } = numbered(number);
      if (!value?.equals(rowAt(image, places.find(key)).write.value!)) expect.fail(`${key} is not found`);
    }
    places.clear();
    expect(places.size).toBe(0);
    expect([...places.places()]).toEqual([]);
    expect(places.find(numbered(1).key)).toBe(0);
    expect(put([numbered(1)])).toEqual([true]);
  });

  it('are elsewhere with another seed', () => {
    const orderWith = (seed: number) => {
      const { image, places, put } = tableOver(2 ** 16, seed);
      put(Array.from({ length: 20 }, (_, number) => numbered(number)));
      return Array.from(places.places(), (at) => rowAt(image, at).write.value!.toString());
    };
    expect(orderWith(1)).toEqual(orderWith(1));
    expect(orderWith(2)).not.toEqual(orderWith(1));
  });
});
