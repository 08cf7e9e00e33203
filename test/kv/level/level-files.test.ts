import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/kv/level/crc32c.ts';
import { cutLogs } from '../../../src/kv/level/cut-logs.ts';
import { checkTables, findLogDamage } from '../../../src/kv/level/level-files.ts';
import { readLog } from '../../../src/kv/level/log-file.ts';
import { seededRandom, upTo } from '../seeded-random.ts';

const ROWS = 400;
const random = seededRandom(7);
/** Never a sector of zeros, nor much that compresses. */
const value = (bytes: number) => Buffer.from(Array.from({ length: bytes }, () => 1 + upTo(random, 254)));

describe('CRC-32C', () => {
  it('is the one of RFC 3720, appendix B.4', () => {
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e);
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });
});

describe('the files of a LevelDB database', () => {
  let path: string;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'cairn-level-'));
  });
  afterEach(() => rm(path, { recursive: true, force: true }));

  /** A database with rows in its log alone, or in a table. */
  async function make(inTable: boolean, large = 0): Promise<void> {
    const database = new Level<Buffer, Buffer>(path, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
    await database.open();
    for (let row = 0; row < ROWS; row++) {
      const bytes = large > 0 && row % 100 === 50 ? large : 20 + (row % 300);
      await database.put(Buffer.from(`key ${String(row).padStart(4, '0')}`), value(bytes));
    }
    if (inTable) {
      await (database as unknown as { compactRange(a: Buffer, b: Buffer): Promise<void> }).compactRange(
        Buffer.from('a'),
        Buffer.from('z'),
      );
    }
    await database.close();
  }
  const named = async (suffix: string) =>
    join(path, (await readdir(path)).find((name) => name.endsWith(suffix))!);
  async function keysLeft(): Promise<number> {
    const database = new Level<Buffer, Buffer>(path, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
    await database.open();
    const keys = await database.keys().all();
    await database.close();
    return keys.length;
  }

  it('are found whole when they are', async () => {
    await make(false, 70_000);
    expect(await findLogDamage(path)).toBeUndefined();
    await rm(path, { recursive: true });
    await make(true, 70_000);
    const damages = [];
    for await (const damage of checkTables(path)) damages.push(damage);
    expect(damages.length).toBeGreaterThan(10);
    expect(damages.every((damage) => damage === undefined)).toBe(true);
  });

  it('show a flipped bit anywhere in the log, the last record too', async () => {
    await make(false, 70_000);
    const log = await named('.log');
    const whole = await readFile(log);
    const { goodBytes } = readLog(whole);
    expect(goodBytes).toBe(whole.length);
    for (let at = 0; at < whole.length; at += at > whole.length - 600 ? 1 : 331) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 1 << (at % 8);
      const { damage } = readLog(flipped);
      // What fills the end of a block is not part of any record.
      if (damage === undefined) expect(at % 32_768).toBeGreaterThan(32_768 - 7);
      else expect(damage.at).toBeLessThanOrEqual(at);
    }
  });

  it('take a log that ends early anywhere, or in sectors that were never written, as a power cut leaves it', async () => {
    await make(false);
    const whole = await readFile(await named('.log'));
    for (let length = whole.length - 1; length > whole.length - 700; length--) {
      expect(readLog(whole.subarray(0, length)).damage).toBeUndefined();
    }
    const unwritten = Buffer.concat([
      whole.subarray(0, whole.length - (whole.length % 512) - 512),
      Buffer.alloc(1024),
    ]);
    expect(readLog(unwritten).damage).toBeUndefined();
  });

  it('take a hole in a batch of many blocks as what a power cut leaves, unless a batch follows', async () => {
    const open = async () => {
      const opened = new Level<Buffer, Buffer>(path, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
      await opened.open();
      return opened;
    };
    const database = await open();
    await database.put(Buffer.from('acknowledged'), value(100));
    const log = await named('.log');
    const before = (await readFile(log)).length;
    const puts = Array.from({ length: 300 }, (_, row) => ({
      type: 'put' as const,
      key: Buffer.from(`large ${row}`),
      value: value(1000),
    }));
    await database.batch(puts);
    const whole = await readFile(log);
    await database.put(Buffer.from('later'), value(100));
    const followed = await readFile(log);
    await database.close();
    for (const hole of [32_768, 65_536, 65_536 + 8192, 8 * 32_768]) {
      const torn = Buffer.from(whole);
      torn.fill(0, hole, hole + 4096);
      expect(readLog(torn)).toEqual({ goodBytes: before, damage: undefined });
      const behind = Buffer.from(followed);
      behind.fill(0, hole, hole + 4096);
      expect(readLog(behind).damage).toBeDefined();
      const flipped = Buffer.from(whole);
      flipped[hole + 100]! ^= 1;
      expect(readLog(flipped).damage).toBeDefined();
    }
    // LevelDB gives up the whole batch, and takes its end for nothing else.
    const torn = Buffer.from(whole);
    torn.fill(0, 65_536, 65_536 + 4096);
    await writeFile(log, torn);
    const again = await open();
    expect((await again.keys().all()).map(String)).toEqual(['acknowledged']);
    await again.close();
  });

  it('are cut at the damage, so that what is left is a state that there was', async () => {
    await make(false);
    const log = await named('.log');
    const flipped = await readFile(log);
    flipped[Math.floor(flipped.length / 2)]! ^= 4;
    await writeFile(log, flipped);
    const damage = (await findLogDamage(path))!;
    expect(damage.lostBytes).toBeGreaterThan(flipped.length / 3);
    await cutLogs(path, damage);
    expect(await findLogDamage(path)).toBeUndefined();
    expect(await readFile(`${log}.damaged`)).toEqual(flipped);
    const left = await keysLeft();
    expect(left).toBeGreaterThan(ROWS / 3);
    expect(left).toBeLessThan((ROWS * 2) / 3);
  });

  it('show a flipped bit in any block of a table, in its index and in its footer, and which keys it hurts', async () => {
    await make(true);
    const table = await named('.ldb');
    const whole = await readFile(table);
    let blocks = 0;
    const parts = new Set<string>();
    for (let at = 3; at < whole.length; at += at > whole.length - 2500 ? 11 : 997) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 0x20;
      await writeFile(table, flipped);
      const found = [];
      for await (const damage of checkTables(path)) if (damage) found.push(damage);
      for (const { what } of found) parts.add(what);
      // Only the footer has bytes that mean nothing.
      if (found.length === 0) expect(at).toBeGreaterThanOrEqual(whole.length - 48);
      else if (found[0]!.what === 'block') {
        blocks++;
        expect(String(found[0]!.upTo)).toMatch(/^[kl]/);
      }
    }
    expect(blocks).toBeGreaterThan(20);
    expect(parts).toEqual(new Set(['block', 'filter', 'metaindex', 'index', 'footer']));
  });
});
