import { beforeEach, describe, expect, it } from 'vitest';
import type { Attributes, Cookie } from '../../src/fs/file-system.ts';
import { readRun } from '../../src/fs/listing.ts';
import { LISTING_LIMITS, ListingCache, RUN_COST } from '../../src/fs/listing-cache.ts';
import { nameCookie } from '../../src/fs/name-cookie.ts';
import { treeCaches } from '../../src/fs/tree.ts';
import { keys } from '../../src/kv/keys.ts';
import { seededRandom, upTo } from '../kv/seeded-random.ts';
import { refusal, TestDataset } from './ops/test-dataset.ts';

const START: Cookie = { high: 0, low: 0 };

describe('what is kept of listed directories', () => {
  let dataset: TestDataset;
  let root: Attributes;
  beforeEach(async () => {
    dataset = await TestDataset.open();
    root = await dataset.root();
  });

  const record = () => dataset.record(root);
  const kept = (after = START) => dataset.records.tree.listings.page(record(), after, 10_000);
  const names = (after = START) =>
    kept(after)
      ?.entries.map(({ name }) => String(name))
      .sort();
  const read = (after = START) => readRun(dataset.records, record(), after);

  it('is the whole of a small directory, after one reading', async () => {
    await dataset.file(root, 'a');
    expect(kept()).toBeUndefined();
    await read();
    expect(names()).toEqual(['a']);
    expect(kept()?.end).toBe(true);
  });

  it('follows creation, removal, rename and replacement', async () => {
    const a = await dataset.file(root, 'a');
    await read();
    await dataset.file(root, 'b');
    expect(names()).toEqual(['a', 'b']);
    await dataset.rename(root, 'b', root, 'c');
    expect(names()).toEqual(['a', 'c']);
    await dataset.rename(root, 'a', root, 'c');
    expect(names()).toEqual(['c']);
    expect(kept()?.entries[0]?.ino).toBe(a.ino);
    await dataset.link(a, root, 'd');
    expect(names()).toEqual(['c', 'd']);
    await dataset.remove(root, 'c');
    await dataset.remove(root, 'd');
    expect(names()).toEqual([]);
    expect(dataset.records.tree.listings.cost).toBe(RUN_COST);
  });

  it('is dropped when the directory changed without telling', async () => {
    await dataset.file(root, 'a');
    await read();
    dataset.untold(root);
    expect(kept()).toBeUndefined();
    await read();
    dataset.untold(root);
    await dataset.file(root, 'b');
    expect(kept()).toBeUndefined();
    expect(dataset.records.tree.listings.cost).toBe(0);
  });

  it('takes in what changed while it was being read', async () => {
    await dataset.file(root, 'a');
    const reading = read();
    const changes = [dataset.file(root, 'b'), dataset.remove(root, 'a')];
    await reading;
    expect(names()).toEqual(['b']);
    await Promise.all(changes);
  });

  it('is a stretch behind where the reading began, when that was not the start', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await dataset.file(root, name);
    const [first, second] = await dataset.list(root);
    const whole = names();
    dataset.untold(root);
    const after = { high: second!.cookieHigh, low: second!.cookieLow };
    await read(after);
    expect(kept()).toBeUndefined();
    expect(names(after)).toHaveLength(2);
    // Before the stretch, and in it.
    await dataset.remove(root, first!.name);
    await dataset.remove(root, kept(after)!.entries[0]!.name);
    expect(names(after)).toHaveLength(1);
    expect(whole).toHaveLength(4);
    for (let i = 0; i < 20; i++) await dataset.file(root, `new${i}`);
    expect(dataset.records.tree.listings.cost).toBe(RUN_COST + names(after)!.length);
    expect(names(after)!.length).toBeLessThan(21);
  });

  it('of a directory too large to be kept whole is stretches, as far as they were read', async () => {
    const entryCount = LISTING_LIMITS.runEntriesMax + 1;
    await dataset.fill(
      root,
      Array.from({ length: entryCount }, (_, i) => `n${i}`),
    );
    const run = await read();
    expect(run.entries).toHaveLength(LISTING_LIMITS.readAhead);
    expect(kept()).toMatchObject({ end: false });
    expect(kept(run.through!)).toBeUndefined();
    let next = run;
    let count = 0;
    for (; next.through; count += next.entries.length) next = await read(next.through);
    expect(run.entries.length + count).toBe(entryCount);
  });

  it('begins and ends a stretch between two names of one bucket as between others', async () => {
    const cookieOf = nameCookie(Buffer.alloc(16), () => ({ high: 7, low: 0x30 }));
    dataset = await TestDataset.open({ cookieOf });
    root = await dataset.root();
    for (const name of ['a', 'b', 'c']) await dataset.file(root, name);
    expect((await read({ high: 7, low: 0x30 })).entries.map(({ name }) => String(name))).toEqual(['b', 'c']);
    expect((await read({ high: 7, low: 0x32 })).entries).toEqual([]);
    expect(await dataset.list(root, 1)).toHaveLength(3);
  });

  it('is bounded over all directories: the longest unused stretch goes first', () => {
    const cache = new ListingCache({ ...LISTING_LIMITS, costMax: 10 + 2 * RUN_COST });
    const directory = (ino: number) => ({ ...record(), ino });
    const fill = (ino: number, count: number) => {
      const load = cache.begin(directory(ino));
      const entries = Array.from({ length: count }, (_, i) => ({
        name: Buffer.from(`n${i}`),
        ino: 100 + i,
        cookieHigh: 1,
        cookieLow: 16 * (i + 1),
      }));
      cache.finish(load, { from: START, entries, through: null });
    };
    fill(2, 5);
    fill(3, 5);
    expect(cache.page(directory(2), START, 100)?.entries).toHaveLength(5);
    fill(4, 3);
    expect(cache.cost).toBe(8 + 2 * RUN_COST);
    expect(cache.page(directory(3), START, 100)).toBeUndefined();
    expect(cache.page(directory(2), START, 100)?.entries).toHaveLength(5);
    fill(5, LISTING_LIMITS.runEntriesMax + 1);
    expect(cache.page(directory(5), START, 100)).toBeUndefined();
  });

  it('is what a later reading found, when an earlier one that missed a change ends after it', async () => {
    await dataset.file(root, 'a');
    const early = read();
    dataset.untold(root);
    const late = read();
    await Promise.all([early, late]);
    expect(names()).toEqual(['a']);
    expect(dataset.records.tree.listings.cost).toBe(RUN_COST + 1);
    const third = read();
    dataset.untold(root);
    await Promise.all([read(), third]);
    expect(names()).toEqual(['a']);
    expect(dataset.records.tree.listings.cost).toBe(RUN_COST + 1);
  });

  it('is nothing after a reading that failed', async () => {
    await dataset.file(root, 'a');
    await dataset.applied();
    const [[key, value]] = (await dataset.parts.meta.page(
      keys.dirEntry.range(dataset.records.tree.id, root.ino),
      1,
    )) as [[Buffer, Buffer]];
    const damaged = Buffer.from(value);
    damaged[10]! ^= 1;
    await dataset.parts.meta.write([{ key, value: damaged }], true);
    expect(await refusal(dataset.list(root))).toBe('EIO');
    expect(dataset.parts.logged.at(-1)?.message).toContain(`directory ${root.ino}`);
    expect(kept()).toBeUndefined();
  });
});

describe('a listing in short stretches, while the directory changes', () => {
  const SHORT = { costMax: 24, runEntriesMax: 8, readAhead: 4 };
  const caches = {
    ...treeCaches({ inodes: 4096, names: 4096, chunkBytes: 2 ** 20 }),
    listings: SHORT,
  };
  const COLLIDING = nameCookie(Buffer.alloc(16), (name) => ({
    high: name[0]! & 3,
    low: (name[1]! & 3) * 64,
  }));
  const NAMES = Array.from({ length: 40 }, (_, i) => i.toString(36).padStart(2, 'n'));

  /** Lists the directory once, with a pause after each page; every name must be right about the time between. */
  async function walk(dataset: TestDataset, root: Attributes, names: Names, limit: number): Promise<void> {
    const stays = new Set(names.there);
    names.walks.add(stays);
    const seen = (await dataset.list(root, limit)).map(({ name }) => String(name));
    names.walks.delete(stays);
    expect(new Set(seen).size, `twice in ${seen}`).toBe(seen.length);
    for (const name of stays) expect(seen, 'what was there throughout').toContain(name);
  }

  interface Names {
    readonly there: Set<string>;
    /** For each walk under way, the names that were there since it began. */
    readonly walks: Set<Set<string>>;
  }

  async function change(dataset: TestDataset, root: Attributes, names: Names, random: () => number) {
    const [name, other] = [NAMES[upTo(random, 39)]!, NAMES[upTo(random, 39)]!];
    const gone = (removed: string) => {
      names.there.delete(removed);
      for (const stays of names.walks) stays.delete(removed);
    };
    if (!names.there.has(name)) {
      names.there.add(name);
      await dataset.file(root, name);
    } else if (random() < 0.5) {
      gone(name);
      await dataset.remove(root, name);
    } else if (name !== other) {
      gone(name);
      names.there.add(other);
      await dataset.rename(root, name, root, other);
    }
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'shows what is there throughout once, the rest at most once (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const options = seed % 2 ? { caches } : { caches, cookieOf: COLLIDING };
      const dataset = await TestDataset.open(options);
      const root = await dataset.root();
      const names: Names = { there: new Set(), walks: new Set() };
      for (let round = 0; round < 40; round++) {
        const tasks: Promise<void>[] = [];
        for (let i = upTo(random, 3); i > 0; i--) tasks.push(walk(dataset, root, names, 1 + upTo(random, 6)));
        for (let i = upTo(random, 12); i > 0; i--) {
          tasks.push(change(dataset, root, names, random));
          if (random() < 0.5) await Promise.resolve();
        }
        await Promise.all(tasks);
        expect(await dataset.names(root)).toEqual([...names.there].sort());
        expect(dataset.records.tree.listings.cost).toBeLessThanOrEqual(SHORT.costMax);
      }
    },
  );
});
