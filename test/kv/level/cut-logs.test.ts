import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cutLogs } from '../../../src/kv/level/cut-logs.ts';
import { findLogDamage } from '../../../src/kv/level/level-files.ts';
import { LevelMetaStore } from '../../../src/kv/level-meta-store.ts';
import { seededRandom, upTo } from '../seeded-random.ts';

const ROWS = 100;
const HURT_AT = 60_000;
const random = seededRandom(3);

describe('damaged logs that are cut', () => {
  let path: string;
  let log: string;
  let hurt: Buffer;
  let later: string;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'cairn-cut-'));
    await makeHurt();
  });
  afterEach(() => rm(path, { recursive: true, force: true }));

  /** Two logs, as when the memory table is full and its table is not written yet; the first is damaged. */
  async function makeHurt(): Promise<void> {
    const store = await LevelMetaStore.open(path, { create: true });
    for (let row = 0; row < ROWS; row++) {
      const value = Buffer.from(Array.from({ length: 1000 }, () => 1 + upTo(random, 255)));
      await store.write([{ key: keyOf(row), value }], true);
    }
    await store.close();
    log = join(path, (await readdir(path)).find((name) => name.endsWith('.log'))!);
    hurt = await readFile(log);
    later = join(path, '000900.log');
    await writeFile(later, hurt.subarray(0, 5000));
    hurt[HURT_AT]! ^= 1;
    await writeFile(log, hurt);
  }

  async function rowsLeft(repair: boolean): Promise<number> {
    const store = await LevelMetaStore.open(path, { create: false, repair });
    let rows = 0;
    for (let row = 0; row < ROWS; row++) if (store.get(keyOf(row))) rows++;
    await store.close();
    return rows;
  }

  it('lose nothing of the good part, wherever the power goes meanwhile', async () => {
    const good = await rowsLeft(true);
    expect(good).toBeGreaterThan(ROWS / 2);
    expect(good).toBeLessThan(ROWS);
    // Two files of two logs; each is cut off before, within, or between writing it and giving it its name.
    for (let dies = 0; dies < 12; dies++) {
      await rm(path, { recursive: true });
      await mkdir(path);
      await makeHurt();
      let step = 0;
      const dying = cutLogs(path, (await findLogDamage(path))!, async (file, bytes) => {
        if (step++ === dies) throw new Error('power cut');
        await writeFile(`${file}.next`, bytes.subarray(0, bytes.length / 2));
        if (step++ === dies) throw new Error('power cut');
        await writeFile(`${file}.next`, bytes);
        if (step++ === dies) throw new Error('power cut');
        await rename(`${file}.next`, file);
      });
      await expect(dying).rejects.toThrow('power cut');
      // Before the last step the damage is still there, and nobody gets past it unknowingly.
      await expect(rowsLeft(false)).rejects.toMatchObject({ code: 'DAMAGED' });
      expect(await rowsLeft(true)).toBe(good);
      expect(hurt.equals(await readFile(`${log}.damaged`))).toBe(true);
      expect((await readFile(`${later}.damaged`)).length).toBe(5000);
    }
  }, 60_000);
});

function keyOf(row: number): Buffer {
  return Buffer.from(`key ${row}`);
}
