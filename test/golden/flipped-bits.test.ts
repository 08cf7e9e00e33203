// Bits flipped in every part of the files of a data directory, one at a time: start is refused with what to do, or what is
// read is what was written, or reading is an I/O error.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/datasets/datasets.ts';
import { tableFindings } from '../../src/fs/check/table-findings.ts';
import type { Attributes, Caller } from '../../src/fs/file-system.ts';
import { FsError } from '../../src/fs/fs-error.ts';
import { DamageError } from '../../src/fs/versioned-value.ts';
import { MetaReadError, MetaWriteError } from '../../src/kv/meta-store.ts';
import { VolumeError } from '../../src/kv/volume-error.ts';
import { Handles } from '../../src/nfs/handle.ts';
import type { Volume } from '../../src/volume.ts';
import { contentOf, type Seen, seenOf } from './content.ts';
import { openGolden } from './open-golden.ts';

const FORMAT = join(import.meta.dirname, 'format-1');
const expected = JSON.parse(readFileSync(join(FORMAT, 'seen.json'), 'utf8')) as Seen[];

const ROOT: Caller = { uid: 0, gid: 0, groups: [] };

type Outcome = 'refused' | 'unhurt' | 'unreadable' | 'gone';

// Some hundred starts.
describe('a flipped bit', { timeout: 30_000 }, () => {
  let path: string;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'cairn-flips-'));
    cpSync(join(FORMAT, 'volume'), path, { recursive: true });
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));

  const fileNamed = (folder: string, pattern: RegExp): string =>
    join(folder, newest(join(path, folder), pattern));

  /** What comes of each flip of `file`; the directory is the same before each. */
  async function* flips(file: string, step: number, look = sight): AsyncGenerator<Outcome> {
    const kept = `${path}.kept`;
    cpSync(path, kept, { recursive: true });
    try {
      const whole = readFileSync(join(kept, file));
      for (let at = 0; at < whole.length; at += step) {
        rmSync(path, { recursive: true });
        cpSync(kept, path, { recursive: true });
        const flipped = Buffer.from(whole);
        flipped[at]! ^= 1 << (at % 8);
        writeFileSync(join(path, file), flipped);
        yield await outcome(look);
      }
    } finally {
      rmSync(kept, { recursive: true });
    }
  }

  async function outcome(look: typeof sight): Promise<Outcome> {
    const opened = await openGolden(path).catch((error: Error) => error);
    if (opened instanceof Error) {
      // Each of them is told in a sentence by whoever starts the server.
      expect(
        [VolumeError, DamageError, MetaReadError, MetaWriteError].some((kind) => opened instanceof kind),
      ).toBe(true);
      return 'refused';
    }
    try {
      return await look(opened.volume);
    } finally {
      // The end of a run is a write, which LevelDB may refuse by then.
      await opened.close().catch((error: unknown) => expect(error).toBeInstanceOf(MetaWriteError));
    }
  }

  async function sight(volume: Volume): Promise<Outcome> {
    try {
      expect(await seenOf(volume, new Handles(volume.format))).toEqual(expected);
      return 'unhurt';
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      expect(error.code).toBe('EIO');
      return 'unreadable';
    }
  }

  /** The same for each path by itself: what is there has its own bytes. */
  async function differences(volume: Volume): Promise<Outcome> {
    let worst: Outcome = 'unhurt';
    for (const { path: of, content } of expected) {
      try {
        const found = await find(volume, of);
        if (found) expect(await contentOf(...found), of).toBe(content);
        else worst = 'gone';
      } catch (error) {
        if (!(error instanceof FsError)) throw error;
        worst = 'unreadable';
      }
    }
    return worst;
  }

  it('in the log of the metadata is refused', async () => {
    for await (const outcome of flips(fileNamed('meta', /\.log$/), 397)) expect(outcome).toBe('refused');
  });

  it('in the manifest, or in what names it, is refused', async () => {
    for await (const outcome of flips(fileNamed('meta', /^MANIFEST/), 1)) expect(outcome).toBe('refused');
    for await (const outcome of flips('meta/CURRENT', 1)) expect(outcome).toBe('refused');
  });

  it('in a manifest of several records is refused too, and mended with nothing lost', async () => {
    for (let run = 0; run < 2; run++) {
      const { volume, close } = await openGolden(path);
      await volume.store.parts.meta.compact();
      await close();
    }
    const manifest = fileNamed('meta', /^MANIFEST/);
    for await (const outcome of flips(manifest, 13)) {
      expect(outcome).toBe('refused');
      const { volume, close } = await openGolden(path, undefined, true);
      expect(await sight(volume)).toBe('unhurt');
      await close();
    }
  });

  it('in a segment is an I/O error, or hurts nothing that is read', async () => {
    const outcomes = new Set<Outcome>();
    for await (const outcome of flips(fileNamed('segments', /\.seg$/), 59_999)) outcomes.add(outcome);
    expect(outcomes).toContain('unreadable');
    expect(outcomes).not.toContain('refused');
  });

  it('in a table of the metadata is an I/O error at most, and is found by the check', async () => {
    const { volume, close } = await openGolden(path);
    await volume.store.parts.meta.compact();
    await close();
    const table = fileNamed('meta', /\.ldb$/);
    const outcomes = new Set<Outcome>();
    for await (const outcome of flips(table, 211, differences)) {
      outcomes.add(outcome);
      const found = [];
      for await (const finding of tableFindings(join(path, 'meta'))) found.push(finding);
      if (outcome !== 'unhurt') expect(found).not.toEqual([]);
    }
    expect(outcomes).toContain('unreadable');
    expect(outcomes).not.toContain('gone');
  });
});

async function find(volume: Volume, path: string): Promise<[Dataset, Attributes] | undefined> {
  const dataset = volume.datasets
    .list()
    .filter(({ name }) => path === `/${name}` || path.startsWith(`/${name}/`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (!dataset) return undefined;
  const { fileSystem } = dataset;
  let node: Attributes | undefined = await fileSystem.root();
  for (const name of path
    .slice(dataset.name.length + 1)
    .split('/')
    .filter(Boolean)) {
    node = await fileSystem.lookup(ROOT, node, Buffer.from(name, 'latin1'));
    if (!node) return undefined;
  }
  return [dataset, node];
}

/** The name with the greatest number: what a compaction has made last. */
function newest(folder: string, pattern: RegExp): string {
  const names = readdirSync(folder).filter((name) => pattern.test(name));
  return names.sort().at(-1)!;
}
