import { describe, expect, it } from 'vitest';
import { OrderedIds } from '../../../src/kv/journal/ordered-ids.ts';
import { type SeededRandom, seededRandom, upTo } from '../seeded-random.ts';

const LENGTHS = [1, 4, 5, 6, 12, 13, 14, 20];

/** Of few letters and of lengths around those of what keys have in common, so that many begin alike. */
function randomId(random: SeededRandom): string {
  const length = LENGTHS[upTo(random, LENGTHS.length - 1)]!;
  return Array.from({ length }, (_, at) => (at % 4 === 0 ? 'ab'[upTo(random, 1)] : 'a')).join('');
}

function idsOf(model: ReadonlySet<string>) {
  const places: string[] = [];
  const ids = new OrderedIds(
    (place) => places[place]!,
    (id) => model.has(id),
  );
  return { ids, put: (id: string) => ids.add(places.push(id) - 1) };
}

describe('the ids of a journal in order', () => {
  it('are those of any range, ascending, while more are added', () => {
    const random = seededRandom(3);
    const model = new Set<string>();
    const { ids, put } = idsOf(model);
    const add = (id: string) => {
      if (!model.has(id)) put(id);
      model.add(id);
    };
    for (let round = 0; round < 300; round++) {
      for (let count = upTo(random, 4); count > 0; count--) add(randomId(random));
      const [from, to] = [randomId(random), random() < 0.5 ? 'c' : randomId(random)];
      const wanted = [...model].filter((id) => from <= id && id < to).sort();
      expect([...ids.between(from, to)], `${from} to ${to}`).toEqual(wanted);
    }
    expect(model.size).toBeGreaterThan(50);
    ids.clear();
    expect([...ids.between('', 'c')]).toEqual([]);
  });

  it('stay in order when thousands come between two looks, and one by one', () => {
    const model = new Set<string>();
    const { ids, put } = idsOf(model);
    const add = (number: number) => {
      const id = `one directory: ${(number * 7919) % 10_007}`;
      put(id);
      model.add(id);
    };
    for (let number = 0; number < 5000; number++) add(number);
    const all = () => [...ids.between('', '~')];
    expect(all()).toEqual([...model].sort());
    for (let number = 5000; number < 6200; number++) {
      add(number);
      const [first] = ids.between('one directory: 5', '~');
      expect(first).toBe([...model].filter((id) => id >= 'one directory: 5').sort()[0]);
    }
    expect(all()).toEqual([...model].sort());
  });
});
