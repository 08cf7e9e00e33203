// READDIRPLUS answers with the bytes of the last time where nothing has changed: whatever is done to the inodes of a
// directory, under whatever of their names, the next listing shows them as GETATTR does.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ListedPages } from '../../../src/fs/listed-pages.ts';
import { type SeededRandom, seededRandom, upTo } from '../../kv/seeded-random.ts';
import { ServedVolume } from '../served-volume.ts';
import { type ListedEntry, madeBy, Nfs3Client, type Page, Status } from './nfs3-client.ts';

const SEEDS = 8;
const STEPS = 150;
const FILES = 40;
/** Some ten entries a page. */
const [NAME_BYTES, REPLY_BYTES] = [4096, 2048];
const [UNSTABLE, FILE_SYNC] = [0, 2];

let served: ServedVolume;
let client: Nfs3Client;
let root: Buffer;

beforeAll(async () => {
  served = await ServedVolume.start();
  ({ client, root } = await Nfs3Client.mount(served));
});
afterAll(() => served.stop());

async function listed(directory: Buffer): Promise<readonly ListedEntry[]> {
  const entries: ListedEntry[] = [];
  for (let cookie = 0n; ; cookie = entries.at(-1)!.cookie) {
    const page: Page = await client.readdirplus(directory, cookie, NAME_BYTES, REPLY_BYTES);
    expect(page.status).toBe(Status.OK);
    expect(page.attributes).toEqual((await client.getattr(directory)).attributes);
    entries.push(...page.entries);
    if (page.eof) return entries;
  }
}

async function expectShownAsTheyAre(directory: Buffer): Promise<void> {
  const { entries } = await client.readdir(directory, 0n, 65_536);
  const shown = await listed(directory);
  expect(shown.map(({ name, fileid, cookie }) => ({ name, fileid, cookie }))).toEqual(entries);
  for (const { name, attributes, handle } of shown) {
    const { attributes: actual, status } = await client.getattr(handle!);
    expect({ name, status, attributes }).toEqual({ name, status: Status.OK, attributes: actual });
  }
}

/** Two directories, one within the other, whose files have names in both. */
class Tree {
  readonly directories: readonly Buffer[];
  private readonly random: SeededRandom;
  private made = 0;

  private constructor(random: SeededRandom, directories: readonly Buffer[]) {
    this.random = random;
    this.directories = directories;
  }

  static async make(random: SeededRandom, name: string): Promise<Tree> {
    const outer = await madeBy(client.mkdir(root, name));
    const tree = new Tree(random, [outer, await madeBy(client.mkdir(outer, 'inner'))]);
    for (let file = 0; file < FILES; file++) await tree.create(tree.directory());
    return tree;
  }

  async step(): Promise<void> {
    const directory = this.directory();
    const steps = [
      () => this.create(directory),
      () => this.withFile(directory, ({ name }) => client.remove(directory, name)),
      () =>
        this.withFile(directory, ({ name }) => client.rename(directory, name, this.directory(), this.name())),
      () => this.withFile(directory, ({ handle }) => client.link(handle!, this.directory(), this.name())),
      () =>
        this.withFile(directory, ({ handle }) => client.setattr(handle!, { mode: upTo(this.random, 0o777) })),
      () =>
        this.withFile(directory, ({ handle }) =>
          client.setattr(handle!, { size: BigInt(upTo(this.random, 9)) }),
        ),
      () => this.withFile(directory, ({ handle }) => this.write(handle!, UNSTABLE)),
      () => this.withFile(directory, ({ handle }) => this.write(handle!, FILE_SYNC)),
      () => this.withFile(directory, ({ handle }) => client.commit(handle!)),
      () => client.setattr(directory, { mtime: 'now' }),
      () => client.setattr(root, { mtime: 'now' }),
    ];
    await steps[upTo(this.random, steps.length - 1)]!();
  }

  private directory(): Buffer {
    return this.directories[upTo(this.random, 1)]!;
  }

  private name(): string {
    return `${this.made++}`;
  }

  private create(directory: Buffer) {
    return madeBy(client.create(directory, this.name(), { guarded: {} }));
  }

  private write(file: Buffer, stable: number) {
    const data = Buffer.alloc(1 + upTo(this.random, 20_000), 1);
    return client.write(file, BigInt(upTo(this.random, 50_000)), data, stable);
  }

  private async withFile(directory: Buffer, act: (file: ListedEntry) => Promise<{ status: number }>) {
    const files = (await listed(directory)).filter(({ attributes }) => attributes!.type === 1);
    if (files.length === 0) return;
    const { status } = await act(files[upTo(this.random, files.length - 1)]!);
    expect(status).toBe(Status.OK);
  }
}

describe('a directory that is listed again and again', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    'shows its inodes as they are, whatever happens to them (seed %i)',
    async (seed) => {
      const found = vi.spyOn(ListedPages.prototype, 'find');
      const tree = await Tree.make(seededRandom(seed), `tree${seed}`);
      for (let step = 0; step < STEPS; step++) {
        for (const directory of tree.directories) await expectShownAsTheyAre(directory);
        await tree.step();
      }
      for (const directory of tree.directories) await expectShownAsTheyAre(directory);
      // That is what is put to the test.
      expect(found.mock.results.filter(({ value }) => value !== undefined).length).toBeGreaterThan(STEPS);
      found.mockRestore();
    },
  );

  it('is refused to who may not read it any more', async () => {
    const directory = await madeBy(client.mkdir(root, 'private', { mode: 0o755 }));
    const other = client.as({ uid: 7, gid: 7 });
    for (let time = 0; time < 3; time++)
      expect((await other.readdirplus(directory, 0n, 4096, 4096)).status).toBe(0);
    await client.setattr(directory, { mode: 0o700 });
    for (let time = 0; time < 3; time++) await client.readdirplus(directory, 0n, 4096, 4096);
    expect((await other.readdirplus(directory, 0n, 4096, 4096)).status).toBe(Status.ACCES);
  });

  it.each([[['owner', 'reader', 'owner']], [['reader', 'owner', 'reader']]])(
    'shows the names alone to who may read but not search it (asked by %j)',
    async (callers) => {
      const directory = await madeBy(client.mkdir(root, `read by ${callers[0]}`, { mode: 0o744 }));
      const file = await madeBy(client.create(directory, 'file', { guarded: { mode: 0o600 } }));
      const reader = client.as({ uid: 7, gid: 7 });
      expect((await reader.lookup(directory, 'file')).status).toBe(Status.ACCES);
      const { entries: names } = await client.readdir(directory, 0n, 4096);
      for (const caller of callers) {
        const asking = caller === 'owner' ? client : reader;
        const page = await asking.readdirplus(directory, 0n, 4096, 4096);
        expect(page.attributes).toEqual((await client.getattr(directory)).attributes);
        const bare = { attributes: undefined, handle: undefined };
        if (caller === 'owner') expect(page.entries.at(-1)!.handle).toEqual(file);
        else expect(page.entries).toEqual(names.map((entry) => ({ ...entry, ...bare })));
      }
    },
  );

  it('shows .snapshots from the moment on at which it is visible', async () => {
    const names = async () =>
      (await client.readdirplus(root, 0n, 4096, 4096)).entries.map(({ name }) => name);
    for (let time = 0; time < 3; time++) expect(await names()).not.toContain('.snapshots');
    await served.datasets.set('root', { snapdir: 'visible' });
    for (let time = 0; time < 3; time++) expect(await names()).toContain('.snapshots');
    await served.datasets.set('root', { snapdir: 'hidden' });
    expect(await names()).not.toContain('.snapshots');
  });

  it('shows what it was before a rollback', async () => {
    await served.datasets.create('data', {});
    const { root: data } = await Nfs3Client.mount(served, '/data');
    const file = await madeBy(client.create(data, 'file', { guarded: { mode: 0o600 } }));
    await served.snapshots.create('data', 'then', {});
    await client.setattr(file, { mode: 0o644 });
    for (let time = 0; time < 3; time++) await expectShownAsTheyAre(data);
    await served.snapshots.rollback('data@then', true);
    await expectShownAsTheyAre(data);
    expect((await listed(data)).at(-1)).toMatchObject({ name: 'file', attributes: { mode: 0o600 } });
  });

  it('takes no room any more when its dataset is deleted, also where a clone keeps the tree', async () => {
    await served.datasets.create('going', {});
    const { root: going } = await Nfs3Client.mount(served, '/going');
    const kept = vi.spyOn(ListedPages.prototype, 'keep');
    for (let time = 0; time < 2; time++) await listed(going);
    const [key] = kept.mock.calls[0]!;
    kept.mockRestore();
    const pages = served.datasets.get('going')!.fileSystem.listedPages!;
    expect(pages.find(key)).toBeDefined();
    await served.snapshots.create('going', 'then', {});
    await served.snapshots.clone('going@then', 'staying', {});
    await served.datasets.delete('going', false);
    expect(pages.find(key)).toBeUndefined();
  });

  it('has a dataset that is made in it', async () => {
    await served.datasets.create('outer', {});
    const { root: outer } = await Nfs3Client.mount(served, '/outer');
    for (let time = 0; time < 3; time++) await listed(outer);
    await served.datasets.create('outer/inner', {});
    expect((await listed(outer)).at(-1)).toMatchObject({ name: 'inner', attributes: undefined });
    await served.datasets.delete('outer/inner', false);
    expect((await listed(outer)).map(({ name }) => name)).not.toContain('inner');
  });
});
