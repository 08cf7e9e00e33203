// Segment files that are missing or cut short, as when a disk is not mounted: said at start, before anybody reads.

import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkVolume } from '../../src/datasets/check/check-volume.ts';
import type { Caller } from '../../src/fs/file-system.ts';
import { VolumeError } from '../../src/kv/volume-error.ts';
import type { Volume } from '../../src/volume.ts';
import { openGolden } from './open-golden.ts';

const ROOT: Caller = { uid: 0, gid: 0, groups: [] };
const GOLDEN = join(import.meta.dirname, 'format-1/volume');

let path: string;
let logged: string[];
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'cairn-lost-segments-'));
  cpSync(GOLDEN, path, { recursive: true });
  logged = [];
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

const open = (repair = false) => openGolden(path, (message) => logged.push(message), repair);
const files = () => readdirSync(join(path, 'segments')).sort();

/** Each run writes a segment of its own. */
async function writeInRuns(runs: number): Promise<void> {
  for (let run = 0; run < runs; run++) {
    const { volume, close } = await open();
    const { fileSystem } = volume.datasets.get('root')!;
    const how = { mode: 'guarded', changes: {} } as const;
    const root = await fileSystem.root();
    const { result } = await fileSystem.create({ caller: ROOT }, root, Buffer.from(`run ${run}`), how);
    await fileSystem.write({ caller: ROOT }, result.node, 0, Buffer.alloc(300_000, run + 1), true);
    await close();
  }
}

async function hurtPaths(volume: Volume): Promise<string[]> {
  const found: string[] = [];
  for await (const event of checkVolume(volume, { path: undefined, repair: false }))
    if ('finding' in event && event.finding.path !== '') found.push(event.finding.path);
  return [...new Set(found)];
}

it('a volume most of whose segments are missing is refused, and served without them by a repair', async () => {
  await writeInRuns(2);
  for (const name of files()) renameSync(join(path, 'segments', name), join(path, `away-${name}`));
  const refusal = await open().catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(VolumeError);
  expect(refusal).toMatchObject({ code: 'DAMAGED', mendable: false });
  expect((refusal as VolumeError).message).toMatch(
    /of 3 files in its directory segments.* 3 are missing\. Bring/,
  );
  expect(files()).toEqual([]);
  const { volume, close } = await open(true);
  expect(logged.filter((message) => message.includes('is missing'))).toHaveLength(3);
  expect(await hurtPaths(volume)).toContain('/root/run 0');
  await close();
});

it('of one that is missing and one that is cut short the log tells, and the rest is served', async () => {
  await writeInRuns(3);
  const [, missing, short] = files();
  rmSync(join(path, 'segments', missing!));
  truncateSync(join(path, 'segments', short!), 100_000);
  const { volume, close } = await open();
  expect(logged).toEqual([
    expect.stringMatching(`^The segment file ${missing} is missing: 293KiB of file data cannot be read`),
    expect.stringMatching(
      `^The segment file ${short} is cut short: file data in its last 19\\dKiB cannot be read`,
    ),
  ]);
  expect((await hurtPaths(volume)).sort()).toEqual(['/root/run 0', '/root/run 1']);
  await close();
});

it('nothing is said of segments that are whole', async () => {
  await writeInRuns(2);
  await (await open()).close();
  expect(logged).toEqual([]);
});
