// One flipped bit, anywhere: an error that names what is hurt, never other bytes and never a crash.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../src/clock.ts';
import { checkVolume } from '../../src/datasets/check/check-volume.ts';
import { Scrub } from '../../src/fs/check/scrub.ts';
import { tableFindings } from '../../src/fs/check/table-findings.ts';
import type { Attributes, Caller } from '../../src/fs/file-system.ts';
import { FsError } from '../../src/fs/fs-error.ts';
import { openDataDirectory } from '../../src/kv/data-directory.ts';
import { keys } from '../../src/kv/keys.ts';
import { liveTables } from '../../src/kv/level/manifest.ts';
import { MetaReadError, MetaWriteError } from '../../src/kv/meta-store.ts';
import { VolumeError } from '../../src/kv/volume-error.ts';
import type { Volume } from '../../src/volume.ts';
import { openGolden } from './open-golden.ts';

const ROOT: Caller = { uid: 0, gid: 0, groups: [] };
const GOLDEN = join(import.meta.dirname, 'format-1/volume');

const copies: string[] = [];
function copy(): string {
  const path = mkdtempSync(join(tmpdir(), 'cairn-damage-'));
  copies.push(path);
  cpSync(GOLDEN, path, { recursive: true });
  return path;
}
afterEach(() => {
  for (const path of copies.splice(0)) rmSync(path, { recursive: true, force: true });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x10;
  writeFileSync(path, bytes);
}

/** One that LevelDB uses: what a compaction has replaced is deleted later. */
async function tableIn(meta: string): Promise<string> {
  const live = await liveTables(meta);
  return readdirSync(meta).find((name) => name.endsWith('.ldb') && live.has(Number.parseInt(name, 10)))!;
}

async function at(volume: Volume, path: string): Promise<Attributes> {
  const { fileSystem } = volume.datasets.get('root')!;
  let node = await fileSystem.root();
  for (const name of path.split('/')) node = (await fileSystem.lookup(ROOT, node, Buffer.from(name)))!;
  return node;
}

const codeOf = (run: () => unknown): Promise<string> =>
  (async () => run())().then(
    () => 'no error',
    (error: unknown) => (error instanceof FsError ? error.code : String(error)),
  );

async function findings(volume: Volume): Promise<{ kind: string; path: string }[]> {
  const found: { kind: string; path: string }[] = [];
  for await (const event of checkVolume(volume, { path: undefined, repair: false })) {
    if ('finding' in event) found.push({ kind: event.finding.kind, path: event.finding.path });
  }
  return found;
}

describe('damage', () => {
  it('of file data is an I/O error to its reader, in the log, and found by path', async () => {
    const path = copy();
    const logged: string[] = [];
    const segment = join(path, 'segments', readdirSync(join(path, 'segments'))[0]!);
    // In the first frame of the first file that has frames.
    flip(segment, 5000);
    const { volume, close } = await openGolden(path, (message) => logged.push(message));
    const { fileSystem } = volume.datasets.get('root')!;
    const hurt: string[] = [];
    for (const name of ['a/b/frames', 'a/b/windows', 'linked', 'inline']) {
      const node = await at(volume, name);
      if ((await codeOf(() => fileSystem.read(ROOT, node, 0, node.size))) === 'EIO')
        hurt.push(`/root/${name}`);
    }
    expect(hurt.length).toBe(1);
    expect(logged.join()).toContain('segment is damaged');
    expect(await findings(volume)).toEqual([{ kind: 'damaged-data', path: hurt[0] }]);
    const scrub = new Scrub({ ...volume, metaPath: undefined, clock: volume.store.parts.clock });
    await scrub.run();
    await scrub.stop();
    expect(scrub.found).toBe(1);
    await close();
  });

  it('of a record is an I/O error to whoever needs it, and found', async () => {
    const { volume, close } = await openGolden(copy());
    const { fileSystem } = volume.datasets.get('root')!;
    const node = await at(volume, 'inline');
    const tree = volume.store.trees.values().next().value!;
    const { meta } = volume.store.parts;
    const key = keys.inode.key(tree.id, node.ino);
    const damaged = Buffer.from(meta.get(key) as Buffer);
    damaged[20]! ^= 1;
    await meta.write([{ key, value: damaged }], true);
    tree.inodes.age();
    tree.inodes.age();
    expect(await codeOf(() => fileSystem.attributes(node))).toBe('EIO');
    expect((await findings(volume)).map(({ kind }) => kind)).toContain('damaged');
    await close();
  });

  it('that loses a map is an error where the inode counts its bytes, never zeros', async () => {
    const { volume, close } = await openGolden(copy());
    const { fileSystem } = volume.datasets.get('root')!;
    const node = await at(volume, 'a/b/frames');
    const tree = volume.store.trees.values().next().value!;
    const { meta } = volume.store.parts;
    const [[key]] = (await meta.page(keys.chunk.range(tree.id), 100)).filter(
      ([, value]) => value.length > 500,
    ) as [[Buffer, Buffer]];
    await meta.write([{ key, value: null }], true);
    tree.chunks.age();
    tree.chunks.age();
    const found = await findings(volume);
    expect(found.map(({ kind }) => kind)).toContain('missing-data');
    const hurt = found.find(({ kind }) => kind === 'missing-data')!.path;
    const file = await at(volume, hurt.replace('/root/', ''));
    expect(await codeOf(() => fileSystem.read(ROOT, file, 0, 4096))).toBe('EIO');
    expect(node.size).toBeGreaterThan(0);
    await close();
  });

  it('that loses a map of a sparse file is an error as well', async () => {
    const { volume, close } = await openGolden(copy());
    const { fileSystem } = volume.datasets.get('root')!;
    const node = await at(volume, 'a/b/windows');
    expect(node.allocated).toBeLessThan(node.size);
    const hole = () => fileSystem.read(ROOT, node, 100_000, 1000);
    const lost = () => fileSystem.read(ROOT, node, 1_600_000, 1000);
    expect(await codeOf(lost)).toBe('no error');
    const tree = volume.store.trees.values().next().value!;
    const { meta } = volume.store.parts;
    const record = await new Promise<{ dataId: number }>((resolve) => resolve(tree.inodes.get(node.ino)!));
    await meta.write([{ key: keys.chunk.key(tree.id, record.dataId, 1), value: null }], true);
    for (const cache of [tree.chunks, tree.trustedMaps]) {
      cache.age();
      cache.age();
    }
    expect(await codeOf(lost)).toBe('EIO');
    expect(await codeOf(hole)).toBe('no error');
    await close();
  });

  it('of the log of the metadata is refused with what to do, and given up with --repair', async () => {
    const path = copy();
    const log = join(path, 'meta', readdirSync(join(path, 'meta')).find((name) => name.endsWith('.log'))!);
    // Behind the batches that had a segment deleted: what they lead back to is not there any more.
    flip(log, Math.floor(readFileSync(log).length * 0.93));
    const refusal = await openGolden(path).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(VolumeError);
    expect((refusal as VolumeError).code).toBe('DAMAGED');
    expect((refusal as VolumeError).message).toMatch(/log .* damaged at byte .*--repair: that would lose/);
    const { volume, close } = await openGolden(path, undefined, true);
    // An earlier state, and a whole one.
    expect((await findings(volume)).filter(({ kind }) => kind !== 'segment')).toEqual([]);
    await close();
    await (await openGolden(path)).close();
  });

  it('of a block that a start needs is given up by a repair, which keeps the table that was hurt', async () => {
    const path = copy();
    const first = await openGolden(path);
    await first.volume.store.parts.meta.compact();
    await first.close();
    await (await openGolden(path)).close();
    const meta = join(path, 'meta');
    const table = await tableIn(meta);
    const whole = readFileSync(join(meta, table));
    let mended = 0;
    for (let at = 50; at < whole.length - 100; at += 1500) {
      const hurt = copy();
      rmSync(hurt, { recursive: true });
      cpSync(path, hurt, { recursive: true });
      flip(join(hurt, 'meta', table), at);
      const refusal = await openGolden(hurt).catch((error: unknown) => error);
      if (!(refusal instanceof MetaReadError || refusal instanceof MetaWriteError)) {
        await (refusal as { close?: () => Promise<void> }).close?.().catch(() => {});
        continue;
      }
      const opened = await openGolden(hurt, undefined, true).catch((error: unknown) => error);
      if (opened instanceof Error) continue;
      mended++;
      const { volume, close } = opened as Awaited<ReturnType<typeof openGolden>>;
      expect(volume.format.uuid).toEqual(first.volume.format.uuid);
      await close();
      expect(readdirSync(join(hurt, 'meta/lost'))).toContain(table);
      await (await openGolden(hurt)).close();
    }
    expect(mended).toBeGreaterThan(0);
  });

  it('of a table of the metadata is found, and whoever reads there is told', async () => {
    const path = copy();
    const first = await openGolden(path);
    await first.volume.store.parts.meta.compact();
    await first.close();
    const meta = join(path, 'meta');
    const table = join(meta, await tableIn(meta));
    const whole = readFileSync(table);
    const outcomes = new Set<string>();
    for (let at = 50; at < whole.length; at += 701) {
      writeFileSync(table, whole);
      flip(table, at);
      const found = [];
      for await (const finding of tableFindings(meta)) found.push(finding.kind);
      outcomes.add(found.length > 0 ? 'found' : 'of no account');
      // Never anything but an answer or an error that says it is the medium.
      try {
        const opened = await openDataDirectory(path, { warmBytesMax: 0 }, systemRandom, systemClock);
        try {
          for await (const _ of opened.meta.rows({ gte: Buffer.alloc(1), lt: Buffer.alloc(64, 0xff) }));
        } finally {
          await opened.close();
        }
      } catch (error) {
        expect([MetaReadError, MetaWriteError].some((kind) => error instanceof kind)).toBe(true);
      }
    }
    expect(outcomes).toContain('found');
  });
});
