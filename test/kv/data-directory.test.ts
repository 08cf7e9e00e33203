import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../src/clock.ts';
import { type DataDirectory, openDataDirectory } from '../../src/kv/data-directory.ts';
import { keys } from '../../src/kv/keys.ts';
import { LevelMetaStore } from '../../src/kv/level-meta-store.ts';
import { VolumeError } from '../../src/kv/volume-error.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

describe('a data directory', () => {
  let scratch: ScratchDirectory;
  let path: string;
  beforeEach(async () => {
    scratch = await scratchDirectory();
    path = join(scratch.path, 'made/on/demand');
  });
  afterEach(() => scratch.remove());

  const open = (repair = false): Promise<DataDirectory> =>
    openDataDirectory(path, { warmBytesMax: 0, repair }, systemRandom, systemClock);
  async function openAndClose(): Promise<Buffer> {
    const directory = await open();
    await directory.close();
    return directory.format.uuid;
  }
  async function refusal(): Promise<VolumeError> {
    const error = await open().then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(VolumeError);
    expect(error.message).toContain(path);
    return error;
  }

  it('is made with all above it, readable by its owner only', async () => {
    await openAndClose();
    expect((await readdir(path)).sort()).toEqual(['CAIRN', 'VOLUME', 'journal', 'meta', 'segments']);
    for (const name of ['CAIRN', 'VOLUME']) expect((await stat(join(path, name))).mode & 0o777).toBe(0o600);
    for (const name of ['.', 'journal', 'meta', 'segments'])
      expect((await stat(join(path, name))).mode & 0o777).toBe(0o700);
    expect(await readFile(join(path, 'CAIRN'), 'utf8')).toMatch(
      /^cairn data directory, format 1, ready\nThis directory belongs to .*\n$/,
    );
  });

  it('may be made in an empty directory, also one that is a file system of its own', async () => {
    await mkdir(join(path, 'lost+found'), { recursive: true });
    await openAndClose();
  });

  it('is the same volume with all that was written when it is opened again', async () => {
    const first = await open();
    await first.meta.write([{ key: keys.stats.key(1), value: Buffer.from('stats') }], true);
    const writer = await first.segments.create(1);
    await writer.append([Buffer.from('bytes')]);
    await writer.close();
    await first.close();
    const second = await open();
    expect(second.format.uuid).toEqual(first.format.uuid);
    expect(second.meta.get(keys.stats.key(1))?.toString()).toBe('stats');
    expect((await second.segments.read(1, 0, 5)).toString()).toBe('bytes');
    await second.close();
  });

  it('is refused to a second process, naming it', async () => {
    const first = await open();
    const error = await refusal();
    expect(error.code).toBe('IN_USE');
    expect(error.message).toMatch(
      /another process has it open\. Stop that process, or choose another --data-dir/,
    );
    await first.close();
    await openAndClose();
  });

  it('is not made among files of another', async () => {
    await mkdir(path, { recursive: true });
    for (const name of ['a.txt', 'b.txt', 'c.txt', 'd.txt']) await writeFile(join(path, name), '');
    const error = await refusal();
    expect(error.code).toBe('NOT_OURS');
    expect(error.message).toMatch(
      /has files \(a\.txt, b\.txt, c\.txt, …\).*Choose an empty or a new directory/,
    );
    expect(await readdir(path)).toHaveLength(4);
  });

  it('is not a file, nor below one', async () => {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, '');
    const file = path;
    for (const below of ['', 'below', 'below/deeper']) {
      path = join(file, below);
      const error = await refusal();
      expect([error.code, error.message]).toEqual([
        'INACCESSIBLE',
        `Cannot use ${path}: ${file} is a file, not a directory. Choose another --data-dir`,
      ]);
    }
  });

  it('is refused where nothing can be made, though all above it is there', async () => {
    // Node's own `recursive` never comes back from these.
    for (path of ['/proc/cairn', '/proc/cairn/below']) expect((await refusal()).code).toBe('INACCESSIBLE');
  });

  it('is refused when its format is newer', async () => {
    await openAndClose();
    await writeFile(join(path, 'CAIRN'), 'cairn data directory, format 2, ready\nwhatever\n');
    const error = await refusal();
    expect(error.code).toBe('UNKNOWN_FORMAT');
    expect(error.message).toMatch(/it has format 2, .* up to 1\. Start the newer version/);
  });

  it.each(['', 'cairn data dir', '\0\0\0\0'])(
    'is refused with a damaged marker (%j), which says how to mend it',
    async (text) => {
      const uuid = await openAndClose();
      await writeFile(join(path, 'CAIRN'), text);
      const error = await refusal();
      expect(error.code).toBe('DAMAGED');
      const line = /write the line "([^"]+)" into that file/.exec(error.message)?.[1];
      await writeFile(join(path, 'CAIRN'), `${line}\n`);
      expect(await openAndClose()).toEqual(uuid);
    },
  );

  it.each([
    ['meta', /\/meta, which holds the names .* Bring it back/],
    ['segments', /\/segments, which holds the data .* Bring it back/],
  ])('is not made anew where its %s went missing, by a repair either', async (name, advice) => {
    const uuid = await openAndClose();
    await rename(join(path, name), join(scratch.path, name));
    const error = await refusal();
    expect(error.code).toBe('DAMAGED');
    expect(error.message).toMatch(advice);
    await expect(open(true)).rejects.toThrow(error.message);
    await rm(join(path, name), { recursive: true, force: true });
    await rename(join(scratch.path, name), join(path, name));
    expect(await openAndClose()).toEqual(uuid);
  });

  it('is not made anew where its meta lies empty, as of a disk that is not mounted', async () => {
    await openAndClose();
    await rm(join(path, 'meta'), { recursive: true });
    await mkdir(join(path, 'meta'));
    for (const repair of [false, true])
      await expect(open(repair)).rejects.toMatchObject({ code: 'DAMAGED', mendable: false });
    expect(await readdir(join(path, 'meta'))).toEqual([]);
  });

  it('whose marker is deleted is refused with how to make it again', async () => {
    const uuid = await openAndClose();
    await rm(join(path, 'CAIRN'));
    const error = await refusal();
    expect(error.code).toBe('DAMAGED');
    const line = /its file CAIRN is missing\. .* write the line "([^"]+)" into that file/.exec(
      error.message,
    )?.[1];
    await writeFile(join(path, 'CAIRN'), `${line}\n`);
    expect(await openAndClose()).toEqual(uuid);
  });

  /** As a repair of LevelDB leaves it, of a volume that has a dataset. */
  async function lose(...names: string[]): Promise<void> {
    const level = await LevelMetaStore.open(join(path, 'meta'), { create: false });
    const rows = names.map((name) => ({ key: keys.system.key(name), value: null }));
    await level.write([{ key: keys.dataset.key(0), value: Buffer.from('a dataset') }, ...rows], true);
    await level.close();
  }

  it.each([['format'], ['volume'], ['format', 'volume', 'write-verifier', 'next/segment', 'clean']])(
    'whose row %s is lost is refused, and the same volume after a repair',
    async (...names) => {
      const before = await open();
      await before.meta.write([{ key: keys.segment.key(5000), value: Buffer.from('a segment') }], true);
      await before.close();
      await lose(...names);
      const error = await open().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'DAMAGED', mendable: true });
      const { format, close } = await open(true);
      for (const name of ['uuid', 'hashKey', 'handleKey'] as const)
        expect(format[name]).toEqual(before.format[name]);
      expect(await format.segmentIds.take()).toBeGreaterThan(5000);
      await close();
      expect(await openAndClose()).toEqual(before.format.uuid);
    },
  );

  it('gets another write verifier where that row alone is lost', async () => {
    const before = await open();
    await before.format.markClean();
    await before.close();
    await lose('write-verifier');
    const { format, close } = await open(true);
    expect(format.writeVerifier).not.toEqual(before.format.writeVerifier);
    await close();
  });

  it('is refused to a repair as well where its identity is lost with its copy, or all else', async () => {
    await openAndClose();
    const copy = await readFile(join(path, 'VOLUME'));
    await lose('format');
    copy[30]! ^= 1;
    await writeFile(join(path, 'VOLUME'), copy);
    await expect(open(true)).rejects.toMatchObject({ code: 'DAMAGED', mendable: false });
    copy[30]! ^= 1;
    await writeFile(join(path, 'VOLUME'), copy);
    const level = await LevelMetaStore.open(join(path, 'meta'), { create: false });
    await level.write([{ key: keys.dataset.key(0), value: null }], true);
    await level.close();
    await expect(open(true)).rejects.toThrow('its identity is lost, and all its datasets');
  });

  it('of an older version gets a copy of its identity at its next start, which a repair uses', async () => {
    const uuid = await openAndClose();
    await rm(join(path, 'VOLUME'));
    await openAndClose();
    await lose('volume');
    const { format, close } = await open(true);
    expect(format.uuid).toEqual(uuid);
    await close();
  });

  it('is finished by the next start wherever the first was cut short', async () => {
    await openAndClose();
    const first = await readFile(join(path, 'CAIRN'), 'utf8');
    const unfinished = first.replace('ready', 'new');
    const cuts: (() => Promise<void>)[] = [
      async () => {},
      () => writeFile(join(path, 'CAIRN'), ''),
      () => writeFile(join(path, 'CAIRN'), unfinished.slice(0, 20)),
      () => writeFile(join(path, 'CAIRN'), unfinished),
      async () => {
        await writeFile(join(path, 'CAIRN'), unfinished);
        await mkdir(join(path, 'meta'));
      },
      async () => {
        await openAndClose();
        await writeFile(join(path, 'CAIRN'), unfinished);
        await writeFile(join(path, 'CAIRN.next'), first.slice(0, 10));
      },
    ];
    for (const cut of cuts) {
      await rm(path, { recursive: true });
      await mkdir(path);
      await cut();
      const uuid = await openAndClose();
      expect(await openAndClose()).toEqual(uuid);
      expect(await readFile(join(path, 'CAIRN'), 'utf8')).toBe(first);
    }
  });

  it('is made by one of several that start at once; the others are told that it is in use', async () => {
    const opened = await Promise.allSettled([open(), open(), open()]);
    const winners = opened.filter((result) => result.status === 'fulfilled').map((result) => result.value);
    const losers = opened.filter((result) => result.status === 'rejected').map((result) => result.reason);
    expect(winners).toHaveLength(1);
    expect(losers.map((error: VolumeError) => error.code)).toEqual(['IN_USE', 'IN_USE']);
    await winners[0]!.close();
    expect(await openAndClose()).toEqual(winners[0]!.format.uuid);
  });
});
