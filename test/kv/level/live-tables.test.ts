import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkTables, type TableFinding } from '../../../src/kv/level/level-files.ts';
import { liveTables } from '../../../src/kv/level/manifest.ts';
import { LevelMetaStore } from '../../../src/kv/level-meta-store.ts';
import { seededRandom, upTo } from '../seeded-random.ts';

const FIRST = Buffer.alloc(0);
const LAST = Buffer.alloc(32, 0xff);
/** Tables are then made all the time, and compacted. */
const SMALL = { create: true, writeBufferBytes: 256 << 10 };
const BATCH_ROWS = 200;
/** A process that has a database open until it is killed. */
const HOLD = `
  import { Level } from 'level';
  await new Level(process.argv[1]).open();
  process.send('open');
  setInterval(() => {}, 1000);
`;

describe('the tables of a LevelDB database in use', () => {
  let path: string;
  let random: () => number;
  let rows: Map<string, Buffer>;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'cairn-tables-'));
    random = seededRandom(11);
    rows = new Map();
  });
  afterEach(() => rm(path, { recursive: true, force: true }));

  const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => upTo(random, 256)));

  async function writeBatch(store: LevelMetaStore): Promise<void> {
    const filling = bytes(4096);
    const batch = Array.from({ length: BATCH_ROWS }, () => {
      const value = Buffer.concat([bytes(16), filling.subarray(upTo(random, 3000))]);
      return { key: bytes(2), value };
    });
    await store.write(batch, false);
    for (const { key, value } of batch) rows.set(key.toString('hex'), value);
  }

  async function expectAllRows(store: LevelMetaStore): Promise<void> {
    const found = new Map<string, Buffer>();
    for await (const [key, value] of store.rows({ gte: FIRST, lt: LAST }))
      found.set(key.toString('hex'), value);
    expect(found.size).toBe(rows.size);
    for (const [key, value] of rows) expect(found.get(key)!.equals(value)).toBe(true);
  }

  async function damages(): Promise<TableFinding[]> {
    const found: TableFinding[] = [];
    for await (const damage of checkTables(path)) if (damage) found.push(damage);
    return found;
  }

  /** Names, and hashes of the bytes; not of the lock, nor of what LevelDB logs about itself. */
  async function contents(): Promise<Map<string, string>> {
    const all = new Map<string, string>();
    for (const name of (await readdir(path)).sort()) {
      if (/^LO(CK|G|G\.old)$/.test(name)) continue;
      all.set(
        name,
        createHash('sha256')
          .update(await readFile(join(path, name)))
          .digest('hex'),
      );
    }
    return all;
  }

  it('are never hurt by a check while they are written and compacted', async () => {
    const store = await LevelMetaStore.open(path, SMALL);
    let isWriting = true;
    const found: TableFinding[] = [];
    const checking = (async () => {
      while (isWriting) found.push(...(await damages()));
    })();
    const until = Date.now() + 4000;
    while (Date.now() < until) await writeBatch(store);
    isWriting = false;
    await checking;
    expect(found).toEqual([]);
    await store.compact();
    await expectAllRows(store);
    await store.close();
    expect(await damages()).toEqual([]);
  }, 60_000);

  it('and all else stay as they are when another process is refused', async () => {
    const store = await LevelMetaStore.open(path, SMALL);
    for (let batch = 0; batch < 10; batch++) await writeBatch(store);
    await store.compact();
    await store.close();
    const user = spawn(process.execPath, ['--input-type=module', '-e', HOLD, path], { stdio: ['ipc'] });
    try {
      await once(user, 'message');
      // As if it were half written by that process, and not to be touched; and one in which a block is damaged already.
      await writeFile(join(path, '999999.ldb'), bytes(70_000));
      const table = join(path, (await readdir(path)).find((name) => name.endsWith('.ldb'))!);
      const hurt = await readFile(table);
      hurt[100]! ^= 1;
      await writeFile(table, hurt);
      const before = await contents();
      for (const repair of [false, true]) {
        const refusal = LevelMetaStore.open(path, { create: false, repair });
        await expect(refusal).rejects.toMatchObject({ code: 'IN_USE' });
        expect(await contents()).toEqual(before);
      }
    } finally {
      user.kill('SIGKILL');
      await once(user, 'exit');
    }
  });

  it('are those that the manifest lists, whatever else a killed compaction has left', async () => {
    const store = await LevelMetaStore.open(path, SMALL);
    for (let batch = 0; batch < 10; batch++) await writeBatch(store);
    await store.compact();
    await store.close();
    const orphan = join(path, '999999.ldb');
    await writeFile(orphan, bytes(70_000));
    await writeFile(join(path, 'OPEN'), '');
    expect(await damages()).toEqual([]);
    const manifests = (await readdir(path)).filter((name) => name.startsWith('MANIFEST'));
    const again = await LevelMetaStore.open(path, { create: false, repair: true });
    expect(again.damage).toEqual([]);
    await expectAllRows(again);
    // LevelDB's repair would have kept the orphan, in `lost`.
    expect(await readdir(path)).not.toContain('lost');
    expect(manifests).toHaveLength(1);
    await again.close();
  });

  it('have the sizes that the manifest gives, also of one that is large or ends early', async () => {
    const store = await LevelMetaStore.open(path, SMALL);
    for (let batch = 0; batch < 60; batch++) await writeBatch(store);
    await store.compact();
    await store.close();
    const live = await liveTables(path);
    expect(live.size).toBeGreaterThan(3);
    for (const [number, size] of live) {
      const name = `${String(number).padStart(6, '0')}.ldb`;
      expect((await stat(join(path, name))).size).toBe(size);
    }
    const [current] = /MANIFEST-\d+/.exec(await readFile(join(path, 'CURRENT'), 'latin1'))!;
    const manifest = await readFile(join(path, current));
    for (let length = 0; length < manifest.length; length += 7) {
      await writeFile(join(path, current), manifest.subarray(0, length));
      await liveTables(path);
    }
    await writeFile(join(path, current), Buffer.concat([manifest, bytes(5)]));
    expect(await liveTables(path)).toEqual(live);
    await rm(join(path, current));
    expect((await liveTables(path)).size).toBe(0);
  });

  it('are reported when their footer is damaged, or they are too short; what ends early is not written to', async () => {
    const store = await LevelMetaStore.open(path, SMALL);
    for (let batch = 0; batch < 5; batch++) await writeBatch(store);
    await store.compact();
    await store.close();
    const table = join(path, (await readdir(path)).find((name) => name.endsWith('.ldb'))!);
    const whole = await readFile(table);
    for (const length of [0, 20, whole.length - 1000, whole.length - 1]) {
      await writeFile(table, whole);
      await truncate(table, length);
      expect((await damages()).map(({ what }) => what)).toEqual(['footer']);
      expect(whole.subarray(0, length).equals(await readFile(table))).toBe(true);
    }
    const noMagic = Buffer.from(whole);
    noMagic[whole.length - 4]! ^= 1;
    await writeFile(table, noMagic);
    expect((await damages()).map(({ what }) => what)).toEqual(['footer']);
    expect(noMagic.equals(await readFile(table))).toBe(true);
    // LevelDB looks where the manifest says that it ends.
    await writeFile(table, Buffer.concat([whole, Buffer.alloc(100)]));
    expect(await damages()).toEqual([]);
  });

  it('never look empty because of a wrong handle in a footer', async () => {
    const store = await LevelMetaStore.open(path, SMALL);
    for (let batch = 0; batch < 3; batch++) await writeBatch(store);
    await store.compact();
    await store.close();
    const kept = `${path}.kept`;
    await cp(path, kept, { recursive: true });
    try {
      const name = (await readdir(path)).find((file) => file.endsWith('.ldb'))!;
      const whole = await readFile(join(path, name));
      for (let bit = 0; bit < 64; bit += 5) {
        await rm(path, { recursive: true });
        await cp(kept, path, { recursive: true });
        const hurt = Buffer.from(whole);
        hurt[whole.length - 48 + (bit >> 3)]! ^= 1 << (bit & 7);
        await writeFile(join(path, name), hurt);
        const again = await LevelMetaStore.open(path, { create: false }).catch(() => undefined);
        if (!again) continue;
        if (again.damage.length === 0) await expectAllRows(again);
        else await expect(expectAllRows(again)).rejects.toThrow('Cannot read the metadata');
        await again.close();
      }
    } finally {
      await rm(kept, { recursive: true });
    }
  });
});
