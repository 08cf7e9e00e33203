import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MetaStore, NOT_RESIDENT, type Range, type Row, type Write } from '../../src/kv/meta-store.ts';

/** A store under test, and what takes it away again. */
export interface OpenMetaStore {
  readonly store: MetaStore;
  discard(): Promise<void>;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const put = (key: string, value: string): Write => ({ key: bytes(key), value: bytes(value) });
const del = (key: string): Write => ({ key: bytes(key), value: null });
const between = (gte: string, lt: string): Range => ({ gte: bytes(gte), lt: bytes(lt) });
const text = (rows: readonly Row[]): string[] =>
  rows.map(([key, value]) => `${key.toString('latin1')}=${value.toString('latin1')}`);
const EVERYTHING = between('', '\xff\xff\xff\xff');

/** What every MetaStore must do. */
export function conformsToMetaStore(name: string, open: () => Promise<OpenMetaStore>): void {
  describe(`${name} conforms to MetaStore`, () => {
    let opened: OpenMetaStore;
    let store: MetaStore;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.discard());

    /** The value of a key by the way that a caller takes: this turn, else by fetching. */
    async function current(key: string): Promise<string | undefined> {
      const now = store.get(bytes(key));
      const value = now === NOT_RESIDENT ? (await store.fetch([bytes(key)]))[0] : now;
      return value?.toString('latin1');
    }
    async function all(range: Range): Promise<string[]> {
      const rows: Row[] = [];
      for await (const row of store.rows(range)) rows.push(row);
      return text(rows);
    }

    it('has no value for a key that was never written', async () => {
      expect(await current('a')).toBeUndefined();
    });

    it('gives back what was written, empty values and all bytes in keys included', async () => {
      const key = '\x00\x01\x7f\x80\xff';
      await store.write([put('a', ''), put(key, '\xff\x00')], false);
      expect(await current('a')).toBe('');
      expect(await current(key)).toBe('\xff\x00');
    });

    it('gives back the newest value', async () => {
      await store.write([put('a', 'old')], false);
      await store.write([put('a', 'new')], true);
      expect(await current('a')).toBe('new');
    });

    it('lets the later of two writes to a key in one batch win', async () => {
      await store.write(
        [put('a', '1'), del('a'), put('b', '1'), put('b', '2'), put('c', '1'), del('c')],
        false,
      );
      expect(await all(EVERYTHING)).toEqual(['b=2']);
      await store.write([del('b'), put('b', '3')], false);
      expect(await current('b')).toBe('3');
    });

    it('deletes, an absent key too', async () => {
      await store.write([put('a', '1')], false);
      await store.write([del('a'), del('never')], true);
      expect(await current('a')).toBeUndefined();
    });

    it('accepts an empty batch, durable or not', async () => {
      await store.write([put('a', '1')], false);
      await store.write([], false);
      await store.write([], true);
      expect(await current('a')).toBe('1');
    });

    it('keeps values when the caller uses the buffers of the batch again', async () => {
      const key = bytes('key');
      const value = bytes('value');
      const written = store.write([{ key, value }], false);
      key.fill(0);
      value.fill(0);
      await written;
      expect(await all(EVERYTHING)).toEqual(['key=value']);
    });

    it('applies overlapping writes in the order of the calls', async () => {
      await Promise.all(Array.from({ length: 50 }, (_, i) => store.write([put('a', `${i}`)], i % 7 === 0)));
      expect(await current('a')).toBe('49');
    });

    it('fetches values in the order of the keys, as of the call', async () => {
      await store.write([put('a', '1'), put('b', '2')], false);
      const fetched = store.fetch([bytes('b'), bytes('x'), bytes('a'), bytes('b')]);
      await store.write([put('b', '3'), put('x', '4')], false);
      expect((await fetched).map((value) => value?.toString('latin1'))).toEqual(['2', undefined, '1', '2']);
      expect(await store.fetch([])).toEqual([]);
    });

    it('pages in ascending order of bytes, from the first key inclusive to the last exclusive', async () => {
      await store.write(
        ['b', 'a\xff', 'a', 'a\x00', '\xff', 'B'].map((key) => put(key, '')),
        false,
      );
      expect(text(await store.page(between('a', 'b'), 10))).toEqual(['a=', 'a\x00=', 'a\xff=']);
      expect(text(await store.page(EVERYTHING, 10))).toEqual(['B=', 'a=', 'a\x00=', 'a\xff=', 'b=', '\xff=']);
      expect(text(await store.page(EVERYTHING, 2))).toEqual(['B=', 'a=']);
      expect(await store.page(between('c', 'd'), 10)).toEqual([]);
      expect(await store.page(between('b', 'a'), 10)).toEqual([]);
      expect(await store.page(EVERYTHING, 0)).toEqual([]);
    });

    it('gives as many rows as asked for, however large they are', async () => {
      const key = (i: number) => `k${String(i).padStart(4, '0')}`;
      const value = 'v'.repeat(3000);
      await store.write(
        Array.from({ length: 300 }, (_, i) => put(key(i), value)),
        false,
      );
      expect((await store.page(EVERYTHING, 250)).map(([name]) => name.toString('latin1'))).toEqual(
        Array.from({ length: 250 }, (_, i) => key(i)),
      );
      expect(await store.page(EVERYTHING, 1000)).toHaveLength(300);
      expect(await all(EVERYTHING)).toHaveLength(300);
    });

    it.each([
      ['page', () => store.page(EVERYTHING, 10)],
      ['rows', () => store.rows(EVERYTHING)],
    ])('answers %s as of the turn of the call, whatever is written in the same turn', async (_, ask) => {
      await store.write([put('a', '1'), put('b', '1')], false);
      const asked = ask();
      const written = store.write([put('a', '2'), del('b'), put('c', '2')], false);
      await written;
      const rows: Row[] = [];
      for await (const row of await asked) rows.push(row);
      expect(text(rows)).toEqual(['a=1', 'b=1']);
      expect(await all(EVERYTHING)).toEqual(['a=2', 'c=2']);
    });

    it('goes on with rows of the turn of the call through later writes, over several pages', async () => {
      const keys = Array.from({ length: 2500 }, (_, i) => `k${String(i).padStart(4, '0')}`);
      await store.write(
        keys.map((key) => put(key, 'old')),
        false,
      );
      const seen: string[] = [];
      for await (const [key, value] of store.rows(EVERYTHING)) {
        if (seen.length % 500 === 0) {
          await store.write([...keys.slice(1000).map(del), put(`k9${seen.length}`, 'new')], false);
        }
        seen.push(`${key.toString('latin1')}=${value.toString('latin1')}`);
      }
      expect(seen).toEqual(keys.map((key) => `${key}=old`));
    });

    it('can be left in the middle of rows', async () => {
      await store.write([put('a', '1'), put('b', '1')], false);
      for await (const row of store.rows(EVERYTHING)) {
        expect(text([row])).toEqual(['a=1']);
        break;
      }
      expect(await current('b')).toBe('1');
    });

    it('keeps everything through a compaction, also what is written meanwhile', async () => {
      await store.write(
        Array.from({ length: 100 }, (_, i) => put(`k${i}`, 'v')),
        false,
      );
      const compacted = store.compact();
      await store.write([put('k0', 'new'), del('k1')], true);
      await compacted;
      expect(await all(EVERYTHING)).toHaveLength(99);
      expect(await current('k0')).toBe('new');
    });

    it('equals a sorted map under random batches', async () => {
      // Some have their first bytes in common, as the keys of a tree and of a directory have.
      const key = fc.stringMatching(/^(a{3}|a{11})?[a-d]{1,3}$/);
      const batch = fc.array(fc.tuple(key, fc.option(fc.string({ maxLength: 3 }))), { maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(batch, { maxLength: 8 }),
          key,
          key,
          fc.nat(6),
          async (batches, from, to, limit) => {
            await store.write(
              (await store.page(EVERYTHING, 1000)).map(([old]) => ({ key: old, value: null })),
              false,
            );
            const model = new Map<string, string>();
            for (const writes of batches) {
              await store.write(
                writes.map(([name, value]) => (value === null ? del(name) : put(name, value))),
                false,
              );
              for (const [name, value] of writes) {
                if (value === null) model.delete(name);
                else model.set(name, bytes(value).toString('latin1'));
              }
            }
            const inRange = [...model]
              .filter(([name]) => from <= name && name < to)
              .sort(([a], [b]) => (a < b ? -1 : 1));
            const expected = inRange.map(([name, value]) => `${name}=${value}`);
            expect(text(await store.page(between(from, to), limit))).toEqual(expected.slice(0, limit));
            expect(await all(between(from, to))).toEqual(expected);
          },
        ),
        { numRuns: 60 },
      );
    });
  });
}
