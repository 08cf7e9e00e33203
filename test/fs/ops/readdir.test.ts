import { beforeEach, describe, expect, it } from 'vitest';
import type { Attributes, Cookie, DirectoryPage } from '../../../src/fs/file-system.ts';
import { LISTING_LIMITS } from '../../../src/fs/listing-cache.ts';
import { readdir } from '../../../src/fs/ops/readdir.ts';
import { ALICE, refusal, TestDataset } from './test-dataset.ts';

const START: Cookie = { high: 0, low: 0 };

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `name-${i}`);

describe('reading a directory', () => {
  let dataset: TestDataset;
  let root: Attributes;
  beforeEach(async () => {
    dataset = await TestDataset.open();
    root = await dataset.root();
  });

  const page = async (directory: Attributes, after = START, limit = 1000): Promise<DirectoryPage> =>
    readdir(dataset.parts.context, dataset.caller, directory, after, limit);

  it('gives the directory, its parent and the end with the entries', async () => {
    const directory = await dataset.directory(root, 'd');
    const file = await dataset.file(directory, 'a');
    const { entries, end, parent, ...rest } = await page(directory);
    expect(entries.map(({ name, ino }) => [String(name), ino])).toEqual([['a', file.ino]]);
    expect([end, parent]).toEqual([true, root.ino]);
    expect(rest.directory).toEqual(await dataset.stat(directory));
    expect((await page(root)).parent).toBe(root.ino);
  });

  it('of an empty directory is at its end at once', async () => {
    expect(await page(root)).toMatchObject({ entries: [], end: true });
  });

  it('needs read permission, and a directory that is there', async () => {
    const closed = await dataset.directory(root, 'closed', { mode: 0o711 });
    expect(await refusal(dataset.as(ALICE).list(closed))).toBe('EACCES');
    expect(await refusal(dataset.list(await dataset.file(root, 'a')))).toBe('ENOTDIR');
    await dataset.rmdir(root, 'closed');
    expect(await refusal(dataset.list(closed))).toBe('ESTALE');
  });

  it('answers in the same turn from the second time on, also after a change', async () => {
    await dataset.file(root, 'a');
    await page(root);
    const again = readdir(dataset.parts.context, dataset.caller, root, START, 10);
    expect(again).not.toBeInstanceOf(Promise);
    await dataset.file(root, 'b');
    await dataset.remove(root, 'a');
    const changed = readdir(dataset.parts.context, dataset.caller, root, START, 10) as DirectoryPage;
    expect(changed).not.toBeInstanceOf(Promise);
    expect(changed.entries.map(({ name }) => String(name))).toEqual(['b']);
  });

  it('shows what is staged and not yet in the store', async () => {
    await dataset.file(root, 'a');
    await dataset.applied();
    const pending = [dataset.remove(root, 'a'), dataset.file(root, 'b')];
    expect(await dataset.names(root)).toEqual(['b']);
    await Promise.all(pending);
  });

  it('gives a name present throughout once, whatever comes and goes between the pages', async () => {
    for (let i = 0; i < 60; i++) await dataset.file(root, `stays${i}`);
    for (let i = 0; i < 60; i++) await dataset.file(root, `goes${i}`);
    const seen = new Map<string, number>();
    let after = START;
    for (let round = 0; ; round++) {
      const { entries, end } = await page(root, after, 7);
      for (const { name } of entries) seen.set(String(name), (seen.get(String(name)) ?? 0) + 1);
      if (end) break;
      after = { high: entries.at(-1)!.cookieHigh, low: entries.at(-1)!.cookieLow };
      await dataset.file(root, `comes${round}`);
      if (round < 30) await dataset.remove(root, `goes${round}`);
      if (round < 30) await dataset.rename(root, `goes${round + 30}`, root, `renamed${round}`);
    }
    for (let i = 0; i < 60; i++) expect(seen.get(`stays${i}`), `stays${i}`).toBe(1);
    expect(Math.max(...seen.values())).toBe(1);
  });

  it('answers with the entries that follow when all that was read ahead is removed meanwhile', async () => {
    await dataset.fill(root, numbered(LISTING_LIMITS.runEntriesMax + 1));
    const first = (await page(root, START, LISTING_LIMITS.runEntriesMax)).entries.map(({ name }) => name);
    expect(first.length).toBeLessThan(LISTING_LIMITS.runEntriesMax);
    dataset.untold(root);
    const reading = page(root, START, 10);
    await dataset.empty(root, first);
    const { entries } = await reading;
    expect(entries).toHaveLength(10);
    const gone = new Set(first.map(String));
    expect(entries.filter(({ name }) => gone.has(String(name)))).toEqual([]);
  });

  it('lists 50,000 entries page by page, each once, in ascending order', async () => {
    await dataset.fill(root, numbered(50_000));
    const entries = await dataset.list(root, 777);
    expect(new Set(entries.map(({ name }) => String(name))).size).toBe(50_000);
    expect(entries).toHaveLength(50_000);
    for (let i = 1; i < entries.length; i++) {
      const [one, next] = [entries[i - 1]!, entries[i]!];
      const ascending =
        one.cookieHigh < next.cookieHigh ||
        (one.cookieHigh === next.cookieHigh && one.cookieLow < next.cookieLow);
      if (!ascending) expect.fail(`entry ${i} does not follow`);
    }
  });
});
