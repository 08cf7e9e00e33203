// `cairn check` of a data directory that is refused: what it says of it, and whether a repair helps.

import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadSettings } from '../../src/admin/config/settings.ts';
import type { CheckFinding } from '../../src/admin/managed-server.ts';
import { keys } from '../../src/kv/keys.ts';
import { LevelMetaStore } from '../../src/kv/level-meta-store.ts';
import { checkOffline } from '../../src/server.ts';

const GOLDEN = join(import.meta.dirname, 'format-1/volume');
const log = { debug() {}, info() {}, warn() {}, error() {} };

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'cairn-refused-'));
  cpSync(GOLDEN, path, { recursive: true });
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

async function check(repair = false): Promise<CheckFinding[]> {
  const settings = loadSettings({ dataDir: path, repair }, {}, '/');
  const found: CheckFinding[] = [];
  for await (const event of checkOffline(settings, log, { path: undefined, repair }))
    if ('finding' in event) found.push(event.finding);
  return found;
}

it('without its segments no repair helps', async () => {
  expect(await check()).toEqual([]);
  renameSync(join(path, 'segments'), join(path, 'away'));
  for (const repair of [false, true]) {
    const message = expect.stringContaining('which holds the data of files, is missing. Bring it back');
    expect(await check(repair)).toEqual([
      { kind: 'database', path: '', message, repaired: false, mendable: false },
    ]);
  }
});

it('without its marker it says how to make it', async () => {
  renameSync(join(path, 'CAIRN'), join(path, 'away'));
  const message = expect.stringContaining('its file CAIRN is missing');
  expect(await check()).toEqual([expect.objectContaining({ message, mendable: false })]);
});

it('without the row of its inode numbers a repair helps', async () => {
  await check();
  const level = await LevelMetaStore.open(join(path, 'meta'), { create: false });
  await level.write([{ key: keys.system.key('next/ino/0'), value: null }], true);
  await level.close();
  const message = expect.stringContaining("the row 'next/ino/0'");
  expect(await check()).toEqual([expect.objectContaining({ message, mendable: true })]);
  expect(await check(true)).toEqual([]);
  expect(await check()).toEqual([]);
});
