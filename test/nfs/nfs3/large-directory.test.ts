// Listings of a large directory that other clients change all the while.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generator } from '../mutation.ts';
import { ServedVolume } from '../served-volume.ts';
import { madeBy, Nfs3Client, type Page, Status } from './nfs3-client.ts';

const STAYING = 20_000;
const CHANGING = 2000;
/** Calls on their way at a time. */
const WINDOW = 100;

let served: ServedVolume;
let lister: Nfs3Client;
let changer: Nfs3Client;
let root: Buffer;
let large: Buffer;

beforeAll(async () => {
  served = await ServedVolume.start();
  ({ client: lister, root } = await Nfs3Client.mount(served));
  ({ client: changer } = await Nfs3Client.mount(served));
  large = await madeBy(lister.mkdir(root, 'large'));
  const names = [
    ...Array.from({ length: STAYING }, (_, i) => `stays ${i}`),
    ...Array.from({ length: CHANGING }, (_, i) => `goes ${i}`),
  ];
  for (let at = 0; at < names.length; at += WINDOW)
    await Promise.all(
      names.slice(at, at + WINDOW).map((name) => madeBy(lister.create(large, name, { guarded: {} }))),
    );
}, 60_000);
afterAll(() => served.stop());

type ReadPage = (cookie: bigint) => Promise<Page>;

async function listed(readPage: ReadPage): Promise<string[]> {
  const names: string[] = [];
  for (let cookie = 0n; ; ) {
    const page = await readPage(cookie);
    expect(page.status).toBe(Status.OK);
    names.push(...page.entries.map(({ name }) => name));
    if (page.eof) return names;
    cookie = page.entries.at(-1)!.cookie;
  }
}

/** Removes, renames, makes and makes again until told to stop; each new name is used once only. */
async function change(seed: number, done: () => boolean): Promise<number> {
  const random = generator(seed);
  let changes = 0;
  while (!done()) {
    const fresh = `new ${seed} ${changes++}`;
    const old = `goes ${random(CHANGING)}`;
    await Promise.all([
      changer.rename(large, old, large, fresh),
      changer.remove(large, `goes ${random(CHANGING)}`),
      changer.create(large, `made ${seed} ${changes}`, { guarded: {} }),
    ]);
  }
  return changes;
}

describe.each([
  ['READDIR in pages of 32 KiB', (cookie: bigint) => lister.readdir(large, cookie, 32_768)],
  ['READDIR in pages of 4 KiB', (cookie: bigint) => lister.readdir(large, cookie, 4096)],
  ['READDIRPLUS', (cookie: bigint) => lister.readdirplus(large, cookie, 8192, 32_768)],
] satisfies [string, ReadPage][])('%s of a directory that is changed all the while', (name, readPage) => {
  it('gives what stays exactly once, and nothing twice', { timeout: 30_000 }, async () => {
    let ended = false;
    const changing = change(name.length, () => ended);
    const names = await listed(readPage);
    ended = true;
    expect(await changing).toBeGreaterThan(10);
    expect(new Set(names).size).toBe(names.length);
    const stayed = names.filter((name) => name.startsWith('stays'));
    expect(stayed.sort()).toEqual(Array.from({ length: STAYING }, (_, i) => `stays ${i}`).sort());
    expect(names.slice(0, 2)).toEqual(['.', '..']);
  });
});

describe('a large directory', () => {
  it('is listed alike by both, and before and after a restart', { timeout: 30_000 }, async () => {
    const before = await listed((cookie) => lister.readdir(large, cookie, 65_536));
    await served.restart();
    ({ client: lister } = await Nfs3Client.mount(served));
    expect(await listed((cookie) => lister.readdirplus(large, cookie, 8192, 65_536))).toEqual(before);
    expect(await served.check()).toEqual([{ summary: expect.objectContaining({ findings: 0 }) }]);
  });

  it('goes on after a restart from a cookie of before', async () => {
    const first = await lister.readdir(large, 0n, 4096);
    const { cookie } = first.entries.at(-1)!;
    const second = await lister.readdir(large, cookie, 4096);
    await served.restart();
    ({ client: lister } = await Nfs3Client.mount(served));
    expect((await lister.readdir(large, cookie, 4096)).entries).toEqual(second.entries);
  });
});
