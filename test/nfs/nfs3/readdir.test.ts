// READDIR and READDIRPLUS over a socket.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServedVolume } from '../served-volume.ts';
import { type ListedEntry, madeBy, Nfs3Client, type Page, Status } from './nfs3-client.ts';

const NAMES = Array.from({ length: 700 }, (_, i) => `${i}${'-'.repeat((i * 37) % 240)}`);
/** What RFC 1813 counts in dircount: number, name and cookie, each with its overhead. */
const nameBytes = ({ name }: ListedEntry): number => 4 + 8 + 4 + 4 * Math.ceil(name.length / 4) + 8;

let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;
let full: Buffer;
let directories = 0;

beforeAll(async () => {
  served = await ServedVolume.start();
  ({ client, root } = await Nfs3Client.mount(served));
  full = await directoryOf(NAMES);
});
afterAll(() => served.stop());

async function directoryOf(names: readonly string[]): Promise<Buffer> {
  const directory = await madeBy(client.mkdir(root, `directory${directories++}`));
  await Promise.all(names.map((name) => client.create(directory, name, { guarded: {} })));
  return directory;
}

type Lister = (directory: Buffer, cookie: bigint) => Promise<Page>;

/** All pages of a listing; `between` is run after each. */
async function list(
  lister: Lister,
  directory: Buffer,
  between?: (pages: number) => Promise<unknown>,
): Promise<Page[]> {
  const pages: Page[] = [];
  for (let cookie = 0n; ; ) {
    const page = await lister(directory, cookie);
    if (page.status !== 0) throw new Error(`A page was answered ${page.status}`);
    pages.push(page);
    if (page.eof) return pages;
    cookie = page.entries.at(-1)!.cookie;
    await between?.(pages.length);
  }
}

const namesOf = (pages: readonly Page[]): string[] =>
  pages.flatMap(({ entries }) => entries.map(({ name }) => name));
const sorted = (names: readonly string[]): string[] => [...names].sort();

const readdir =
  (count: number): Lister =>
  (directory, cookie) =>
    client.readdir(directory, cookie, count);
const readdirplus =
  (nameCount: number, count: number): Lister =>
  (directory, cookie) =>
    client.readdirplus(directory, cookie, nameCount, count);

const LISTERS: [string, Lister][] = [
  ['READDIR', readdir(4096)],
  ['READDIRPLUS', readdirplus(4096, 8192)],
];

describe.each(LISTERS)('%s', (_, lister) => {
  it('gives each name once, . and .. first, in pages whose cookies go up', async () => {
    const pages = await list(lister, full);
    const entries = pages.flatMap((page) => page.entries);
    expect(entries.slice(0, 2)).toMatchObject([
      { name: '.', cookie: 1n },
      { name: '..', cookie: 2n },
    ]);
    expect(sorted(namesOf(pages))).toEqual(sorted(['.', '..', ...NAMES]));
    for (const [i, { cookie }] of entries.entries())
      if (i > 0) expect(cookie).toBeGreaterThan(entries[i - 1]!.cookie);
    expect(pages.length).toBeGreaterThan(5);
  });

  it('has one verifier, and says what the directory is on every page', async () => {
    const pages = await list(lister, full);
    const { attributes } = await client.getattr(full);
    for (const page of pages) {
      expect(page.verifier).toEqual(pages[0]!.verifier);
      expect(page.attributes).toEqual(attributes);
    }
  });

  it('numbers the files as GETATTR does', async () => {
    const [page] = await list(lister, root);
    const byName = new Map(page!.entries.map(({ name, fileid }) => [name, fileid]));
    const { attributes } = await client.getattr(root);
    expect(byName.get('.')).toBe(attributes!.fileid);
    expect(byName.get('..')).toBe(attributes!.fileid);
    expect(byName.get('directory0')).toBe((await client.getattr(full)).attributes!.fileid);
    const [below] = await list(lister, full);
    expect(below!.entries[1]).toMatchObject({ name: '..', fileid: attributes!.fileid });
  });

  it('goes on from any cookie that it gave, also between . and ..', async () => {
    const all = (await list(lister, full)).flatMap(({ entries }) => entries);
    for (const at of [0, 1, 2, 3, 350, all.length - 2]) {
      const { entries } = await lister(full, all[at]!.cookie);
      expect(entries[0]).toEqual(all[at + 1]);
    }
    expect(await lister(full, all.at(-1)!.cookie)).toMatchObject({ entries: [], eof: true });
  });

  it('is empty but for . and .. in an empty directory', async () => {
    const empty = await directoryOf([]);
    expect(namesOf(await list(lister, empty))).toEqual(['.', '..']);
  });

  it('gives names that stay exactly once and others at most once, whatever happens meanwhile', async () => {
    const staying = Array.from({ length: 300 }, (__, i) => `stays ${i} ${'x'.repeat(60)}`);
    const going = Array.from({ length: 300 }, (__, i) => `goes ${i} ${'x'.repeat(60)}`);
    const directory = await directoryOf([...staying, ...going]);
    const pages = await list(lister, directory, async (page) => {
      for (const name of going.slice(page * 20, page * 20 + 10)) await client.remove(directory, name);
      for (const name of going.slice(page * 20 + 10, page * 20 + 15))
        await client.rename(directory, name, directory, `new ${name}`);
      for (let i = 0; i < 10; i++) await client.create(directory, `made ${page} ${i}`, { unchecked: {} });
    });
    const names = namesOf(pages);
    expect(pages.length).toBeGreaterThan(5);
    expect(new Set(names).size).toBe(names.length);
    expect(sorted(names.filter((name) => name.startsWith('stays')))).toEqual(sorted(staying));
  });

  it('goes on from the cookie of a name that was removed', async () => {
    const directory = await directoryOf(NAMES.slice(0, 100));
    const first = await lister(directory, 0n);
    const last = first.entries.at(-1)!;
    const next = await lister(directory, last.cookie);
    await client.remove(directory, last.name);
    expect((await lister(directory, last.cookie)).entries).toEqual(next.entries);
  });

  it('answers NOTDIR for a file, STALE for a directory that is gone', async () => {
    const directory = await directoryOf(['file']);
    const { handle: file } = await client.lookup(directory, 'file');
    const { attributes } = await client.getattr(file);
    expect(await lister(file, 0n)).toMatchObject({ status: Status.NOTDIR, attributes });
    const gone = await madeBy(client.mkdir(root, 'gone'));
    await client.rmdir(root, 'gone');
    expect((await lister(gone, 0n)).status).toBe(Status.STALE);
  });
});

describe('READDIR', () => {
  it.each([400, 512, 1000, 4096, 32_768, 2 ** 20])(
    'fills no more than %i bytes, and nearly these',
    async (count) => {
      const pages = await list(readdir(count), full);
      expect(sorted(namesOf(pages))).toEqual(sorted(['.', '..', ...NAMES]));
      for (const { bytes, eof } of pages) {
        expect(bytes).toBeLessThanOrEqual(count);
        if (!eof) expect(bytes).toBeGreaterThan(count - 300);
      }
    },
  );

  it('fills a READDIR3resok of exactly as many bytes as were asked for', async () => {
    const directory = await directoryOf(['a', 'bb']);
    const { bytes } = await client.readdir(directory, 0n, 4096);
    expect(await client.readdir(directory, 0n, bytes)).toMatchObject({ bytes, eof: true });
    expect((await client.readdir(directory, 0n, bytes - 1)).entries).toHaveLength(3);
    const plus = await client.readdirplus(directory, 0n, 4096, 8192);
    expect(await client.readdirplus(directory, 0n, 4096, plus.bytes)).toEqual(plus);
    expect((await client.readdirplus(directory, 0n, 4096, plus.bytes - 1)).entries).toHaveLength(3);
  });

  it('answers TOOSMALL when not even one entry fits, and never else', async () => {
    const directory = await directoryOf(['x'.repeat(255)]);
    const { entries } = await client.readdir(directory, 0n, 4096);
    const name = entries.at(-1)!;
    const statuses = new Set<number>();
    for (let count = 0; count <= 500; count += 4) {
      const page = await client.readdir(directory, 2n, count);
      statuses.add(page.status);
      if (page.status === 0) expect(page).toMatchObject({ entries: [name], eof: true });
      else expect(page).toMatchObject({ status: Status.TOOSMALL, attributes: { type: 2 } });
      if (count >= 400) expect(page.status).toBe(Status.OK);
    }
    expect([...statuses]).toEqual([Status.TOOSMALL, Status.OK]);
  });
});

describe('READDIRPLUS', () => {
  it('gives handle and attributes of every entry, as LOOKUP and GETATTR do', async () => {
    const directory = await directoryOf(['file']);
    await client.mkdir(directory, 'sub');
    await client.symlink(directory, 'link', 'target');
    const [page] = await list(readdirplus(4096, 8192), directory);
    expect(page!.entries).toHaveLength(5);
    for (const { name, handle, attributes, fileid } of page!.entries) {
      const found = await client.lookup(directory, name);
      expect({ handle, attributes }).toEqual({ handle: found.handle, attributes: found.attributes });
      expect(attributes!.fileid).toBe(fileid);
    }
  });

  it.each([
    [512, 4096],
    [512, 32_768],
    [8192, 1000],
    [2 ** 20, 2 ** 20],
    [0xffff_ffff, 0xffff_ffff],
  ])('keeps to a dircount of %i and a maxcount of %i', async (nameCount, count) => {
    const pages = await list(readdirplus(nameCount, count), full);
    expect(sorted(namesOf(pages))).toEqual(sorted(['.', '..', ...NAMES]));
    for (const { bytes, entries } of pages) {
      expect(bytes).toBeLessThanOrEqual(count);
      expect(entries.reduce((sum, entry) => sum + nameBytes(entry), 0)).toBeLessThanOrEqual(nameCount);
    }
  });

  it('gives one entry where a dircount, which is a hint, has room for none', async () => {
    const pages = await list(readdirplus(1, 32_768), full);
    expect(sorted(namesOf(pages))).toEqual(sorted(['.', '..', ...NAMES]));
    expect(pages.map(({ entries }) => entries.length)).toEqual(pages.map(() => 1));
  });

  it('keeps to maxcount alone where dircount is 0', async () => {
    const unhinted = await list(readdirplus(0, 32_768), full);
    expect(unhinted).toEqual(await list(readdirplus(0xffff_ffff, 32_768), full));
  });

  it('answers TOOSMALL when not even one entry fits in maxcount', async () => {
    expect((await client.readdirplus(full, 0n, 4096, 200)).status).toBe(Status.TOOSMALL);
    expect((await client.readdirplus(full, 0n, 4096, 600)).status).toBe(Status.OK);
  });
});
