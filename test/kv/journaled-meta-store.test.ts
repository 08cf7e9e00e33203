import { readFileSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from '@node-rs/crc32';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../src/clock.ts';
import { APPLIED_KEY } from '../../src/kv/applied-row.ts';
import { JournaledMetaStore, type JournalSettings } from '../../src/kv/journaled-meta-store.ts';
import { LevelMetaStore } from '../../src/kv/level-meta-store.ts';
import type { Write } from '../../src/kv/meta-store.ts';
import { VolumeError } from '../../src/kv/volume-error.ts';
import { conformsToMetaStore } from './meta-store-contract.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';
import { seededRandom } from './seeded-random.ts';

/** So small that a few batches fill it. */
const SMALL_BYTES = 4096;

async function openIn(path: string, settings: Partial<JournalSettings> = {}): Promise<JournaledMetaStore> {
  await mkdir(path, { recursive: true });
  const { repair = false } = settings;
  const level = await LevelMetaStore.open(join(path, 'meta'), { create: true, repair });
  try {
    return await JournaledMetaStore.open(level, join(path, 'journal'), {
      clock: systemClock,
      random: systemRandom,
      required: false,
      repair: false,
      ...settings,
    });
  } catch (error) {
    await level.close();
    throw error;
  }
}

for (const [name, settings] of [
  ['a JournaledMetaStore', {}],
  ['a JournaledMetaStore whose journal is always full', { bytes: 256 }],
  ['a JournaledMetaStore that holds the thread', { isThreadFree: () => true }],
  [
    'a JournaledMetaStore that holds the thread, and is always full',
    { bytes: 256, isThreadFree: () => true },
  ],
] as const) {
  conformsToMetaStore(name, async () => {
    const directory = await scratchDirectory();
    const store = await openIn(directory.path, settings);
    return {
      store,
      async discard() {
        await store.close();
        await directory.remove();
      },
    };
  });
}

describe('a JournaledMetaStore', () => {
  let scratch: ScratchDirectory;
  let path: string;
  let copies = 0;
  beforeEach(async () => {
    scratch = await scratchDirectory();
    path = join(scratch.path, 'volume');
  });
  afterEach(() => scratch.remove());

  const row = (name: string, value: string): Write => ({ key: Buffer.from(name), value: Buffer.from(value) });
  const numbered = (number: number): Write[] => [
    row('last', String(number)),
    row(`row ${number}`, 'x'.repeat(100)),
    ...(number > 2 ? [{ key: Buffer.from(`row ${number - 2}`), value: null } as const] : []),
  ];
  const contentOf = async (store: JournaledMetaStore): Promise<string[]> => {
    const found: string[] = [];
    for await (const [key] of store.rows({ gte: Buffer.from(' '), lt: Buffer.from('~') }))
      found.push(key.toString());
    return [...found, store.get(Buffer.from('last'))?.toString() ?? 'nothing'];
  };
  const stateAfter = (number: number): string[] =>
    number === 0
      ? ['nothing']
      : ['last', ...(number > 1 ? [`row ${number - 1}`] : []), `row ${number}`].sort().concat(String(number));
  /** What a machine that stops now leaves behind. */
  async function killed(): Promise<string> {
    const copy = join(scratch.path, `copy ${copies++}`);
    await cp(path, copy, { recursive: true });
    return copy;
  }
  async function contentIn(copy: string, settings: Partial<JournalSettings> = {}): Promise<string[]> {
    const store = await openIn(copy, { required: true, ...settings });
    try {
      return await contentOf(store);
    } finally {
      await store.close();
    }
  }
  async function refusalOf(copy: string): Promise<string> {
    const error = await contentIn(copy).then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(VolumeError);
    expect(error.code).toBe('DAMAGED');
    expect(error.message).toContain(copy);
    return error.message;
  }
  async function change(file: string, edit: (bytes: Buffer) => void): Promise<void> {
    const bytes = await readFile(file);
    edit(bytes);
    await writeFile(file, bytes);
  }
  /** As an older version of Cairn leaves it: LevelDB does not say how far it is. */
  async function sayNothing(copy: string): Promise<void> {
    const level = await LevelMetaStore.open(join(copy, 'meta'), { create: false });
    await level.write([{ key: APPLIED_KEY, value: null }], true);
    await level.close();
  }
  /** The journal's larger records have these words in them. */
  const placeOf = (bytes: Buffer, number: number): number => {
    const at = bytes.indexOf(`row ${number}x`);
    expect(at).toBeGreaterThan(0);
    return at;
  };

  it('has a batch in its file before the call returns when it may hold the thread', async () => {
    const store = await openIn(path, { isThreadFree: () => true });
    // The first gets the file its blocks: that is left to the pool.
    await store.write([row('first', '1')]);
    const written = store.write([row('second', 'held the thread')]);
    expect(readFileSync(join(path, 'journal', 'a')).includes('held the thread')).toBe(true);
    await written;
    await store.close();
  });

  /** A record as version 1 of the journal has them, or as this one with the number of a use that is a guess. */
  function forged(sequence: number, rows: readonly [string, string][], use = Buffer.alloc(0)): Buffer {
    const parts = [Buffer.alloc(16), use, Buffer.alloc(4)];
    for (const [key, value] of rows) {
      const head = Buffer.alloc(6);
      head.writeUInt16BE(key.length);
      head.writeUInt32BE(value.length, 2);
      parts.push(head, Buffer.from(key), Buffer.from(value));
    }
    const bytes = Buffer.concat(parts);
    bytes.writeUInt32BE(bytes.length, 4);
    bytes.writeUInt32BE(sequence, 12);
    bytes.writeUInt32BE(rows.length, 16 + use.length);
    bytes.writeUInt32BE(crc32(bytes.subarray(4)), 0);
    return bytes;
  }
  /** Such a record from each byte of 64 on, so that one lies where a record may begin wherever the value does. */
  function atEveryPhase(record: Buffer): Buffer {
    const whole = Buffer.alloc(64 * 256);
    for (let phase = 0; phase < 64; phase++) record.copy(whole, phase * 256 + phase);
    return whole;
  }

  it.each([
    ['of version 1', undefined],
    ['with a guess', Buffer.alloc(8)],
  ])('takes no bytes of a value for a record, such as one %s', async (_, use) => {
    const store = await openIn(path, { bytes: 1 << 20 });
    await store.write([row('first', '1')]);
    for (let sequence = 20; sequence < 26; sequence++) {
      const value = atEveryPhase(forged(sequence, [['victim', 'forged']], use));
      await store.write([{ key: Buffer.from(`value ${sequence}`), value }]);
    }
    await store.write([row('victim', 'right')]);
    for (const copy of [await killed(), path]) {
      if (copy === path) await store.close();
      const again = await openIn(copy, { required: true });
      expect(again.get(Buffer.from('victim'))?.toString()).toBe('right');
      await again.close();
    }
  });

  it('reads a journal of version 1 and goes on as version 2', async () => {
    const store = await openIn(path);
    await store.write([row('old', 'old')]);
    await store.close();
    await sayNothing(path);
    const file = join(path, 'journal', 'a');
    await change(file, (bytes) => {
      const head = Buffer.alloc(64);
      head.write('cairn journal 1\n');
      head.writeUInt32BE(40, 20);
      head.writeUInt32BE(crc32(head.subarray(0, 24)), 24);
      bytes.fill(0);
      head.copy(bytes);
      forged(41, [['of version 1', 'here']]).copy(bytes, 64);
      forged(42, [['old', 'new']]).copy(bytes, 128);
    });
    const again = await openIn(path, { required: true });
    expect(again.get(Buffer.from('of version 1'))?.toString()).toBe('here');
    expect(again.get(Buffer.from('old'))?.toString()).toBe('new');
    await again.write([row('of version 2', 'here')]);
    const copy = await openIn(await killed(), { required: true });
    expect(copy.get(Buffer.from('of version 2'))?.toString()).toBe('here');
    await copy.close();
    await again.close();
    expect((await readFile(file)).toString('latin1', 0, 16)).toBe('cairn journal 2\n');
  });

  it('has every batch after a kill, however often the files took turns', async () => {
    const store = await openIn(path, { bytes: SMALL_BYTES });
    for (let number = 1; number <= 200; number++) {
      await store.write(numbered(number));
      if (number % 7 === 0) expect(await contentIn(await killed())).toEqual(stateAfter(number));
    }
    expect(await contentOf(store)).toEqual(stateAfter(200));
    await store.close();
    expect(await contentIn(path)).toEqual(stateAfter(200));
  });

  it('has every batch after kills in a row, with nothing written in between', async () => {
    let store = await openIn(path, { bytes: SMALL_BYTES });
    for (let number = 1; number <= 30; number++) await store.write(numbered(number));
    let copy = await killed();
    await store.close();
    for (let kill = 0; kill < 3; kill++) {
      store = await openIn(copy, { bytes: SMALL_BYTES, required: true });
      expect(await contentOf(store)).toEqual(stateAfter(30));
      path = copy;
      copy = await killed();
      await store.close();
    }
  });

  it('takes a last batch that was cut short for one that was never written, at whatever byte', async () => {
    const store = await openIn(path, { bytes: SMALL_BYTES });
    const random = seededRandom(7);
    for (let number = 1; number <= 60; number++) {
      const before = await killed();
      await store.write(numbered(number));
      if (number % 6 !== 0) continue;
      const cut = await killed();
      for (const name of ['a', 'b']) {
        const old = await readFile(join(before, 'journal', name));
        await change(join(cut, 'journal', name), (bytes) => {
          const first = bytes.findIndex((byte, at) => byte !== (old[at] ?? 0));
          if (first < 64) return;
          const last = bytes.findLastIndex((byte, at) => byte !== (old[at] ?? 0));
          // From here on the disk has what was there before.
          const torn = first + Math.floor((random() * (last - first)) | 0);
          for (let at = torn; at < bytes.length; at++) bytes[at] = old[at] ?? 0;
        });
      }
      expect([stateAfter(number - 1), stateAfter(number)]).toContainEqual(await contentIn(cut));
    }
    await store.close();
  });

  it('refuses a damaged batch that has others behind it, and with repair ends there', async () => {
    const store = await openIn(path);
    for (let number = 1; number <= 20; number++) await store.write(numbered(number));
    const copy = await killed();
    await store.close();
    const file = join(copy, 'journal/a');
    await change(file, (bytes) => {
      bytes[placeOf(bytes, 8)]! ^= 1;
    });
    expect(await refusalOf(copy)).toMatch(/journal\/?: its file a is damaged at byte \d+.*--repair/);
    expect(await contentIn(copy, { repair: true })).toEqual(stateAfter(7));
    expect((await stat(`${file}.damaged`)).size).toBeGreaterThan(0);
    // What was given up does not come back.
    const again = await openIn(copy, { required: true });
    await again.write(numbered(8));
    path = copy;
    const later = await killed();
    await again.close();
    expect(await contentIn(later)).toEqual(stateAfter(8));
  });

  it('refuses a damaged batch in the full file while the other is written', async () => {
    const store = await openIn(path, { bytes: SMALL_BYTES });
    let copy: string | undefined;
    for (let number = 1; copy === undefined; number++) {
      await store.write(numbered(number));
      const a = await readFile(join(path, 'journal/a'));
      const b = await readFile(join(path, 'journal/b'));
      // Both have batches that were not brought to LevelDB when they were begun.
      if (a.includes('row 3x') && b.length > 64 && b.includes(`row ${number}x`)) copy = await killed();
    }
    await store.close();
    await change(join(copy, 'journal/a'), (bytes) => {
      bytes[placeOf(bytes, 3)]! ^= 1;
    });
    await sayNothing(copy);
    expect(await refusalOf(copy)).toMatch(/its file a is damaged/);
  });

  it('refuses a damaged head, and a file that is missing', async () => {
    const store = await openIn(path);
    await store.write(numbered(1));
    const copy = await killed();
    await store.close();
    await change(join(copy, 'journal/a'), (bytes) => {
      bytes[20]! ^= 1;
    });
    expect(await refusalOf(copy)).toMatch(/its file a is damaged at byte 0/);
    await rm(join(copy, 'journal/a'));
    expect(await refusalOf(copy)).toMatch(/its file a is missing/);
    expect(await contentIn(copy, { repair: true })).toEqual(stateAfter(0));
  });

  describe('over a LevelDB that has lost its last batches', () => {
    const metaFile = async (copy: string, suffix: string) => {
      const names = (await readdir(join(copy, 'meta'))).filter((name) => name.endsWith(suffix));
      return join(copy, 'meta', names.at(-1)!);
    };
    const hurtAt = (bytes: Buffer, at: number): void => {
      bytes[at]! ^= 1;
    };
    /** What each kind of damage does to the log of LevelDB. */
    const damages: readonly (readonly [string, (log: string) => Promise<void>])[] = [
      ['damaged in the middle', (log) => change(log, (bytes) => hurtAt(bytes, bytes.length >> 1))],
      ['damaged at the end', (log) => change(log, (bytes) => hurtAt(bytes, bytes.length - 20))],
      ['cut short', async (log) => truncate(log, (await stat(log)).size >> 1)],
      ['missing', (log) => rm(log)],
    ];

    it.each(damages)('with a log %s it is refused, and repaired to a state that was', async (_, hurt) => {
      const store = await openIn(path, { bytes: SMALL_BYTES });
      const large = Array.from({ length: 60 }, (_row, at) => row(`large ${at}`, 'y'.repeat(100)));
      const states = [stateAfter(0)];
      for (let number = 1; number <= 100; number++) {
        await store.write(number % 40 === 0 ? [...numbered(number), ...large] : numbered(number));
        states.push(await contentOf(store));
      }
      const copy = await killed();
      await store.close();
      await hurt(await metaFile(copy, '.log'));
      const error = await contentIn(copy, { saysApplied: true }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'DAMAGED', mendable: true });
      const found = await contentIn(copy, { saysApplied: true, repair: true });
      expect(states).toContainEqual(found);
      // Nothing of the rest comes back.
      expect(await contentIn(copy)).toEqual(found);
      expect((await stat(join(copy, 'journal/a.damaged'))).size).toBeGreaterThan(0);
    });

    it('says that the journal does not follow it, whatever the damage to its log looked like', async () => {
      const store = await openIn(path, { bytes: SMALL_BYTES });
      for (let number = 1; number <= 100; number++) await store.write(numbered(number));
      const copy = await killed();
      await store.close();
      const log = await metaFile(copy, '.log');
      await truncate(log, (await stat(log)).size >> 1);
      expect(await refusalOf(copy)).toMatch(/does not follow what LevelDB has.*--repair: that would lose/);
    });

    it('of an older version, which says nothing, is opened as it is', async () => {
      const store = await openIn(path, { bytes: SMALL_BYTES });
      for (let number = 1; number <= 100; number++) await store.write(numbered(number));
      const copy = await killed();
      await store.close();
      await sayNothing(copy);
      expect(await contentIn(copy)).toEqual(stateAfter(100));
      expect(await contentIn(copy)).toEqual(stateAfter(100));
    });
  });

  it('writes a batch that is larger than the journal behind those before it', async () => {
    const store = await openIn(path, { bytes: SMALL_BYTES });
    await store.write([row('a', 'old'), row('b', 'kept')]);
    const large = Array.from({ length: 100 }, (_, at) => row(`large ${at}`, 'y'.repeat(100)));
    await store.write([row('a', 'new'), ...large]);
    await store.write([row('c', 'later')]);
    const copy = await killed();
    await store.close();
    const reopened = await openIn(copy, { required: true });
    for (const [name, value] of Object.entries({
      a: 'new',
      b: 'kept',
      c: 'later',
      'large 99': 'y'.repeat(100),
    }))
      expect(reopened.get(Buffer.from(name))?.toString()).toBe(value);
    await reopened.close();
  });

  it('brings what waits to LevelDB when it is closed', async () => {
    const store = await openIn(path);
    for (let number = 1; number <= 20; number++) await store.write(numbered(number));
    await store.close();
    await rm(join(path, 'journal'), { recursive: true });
    const level = await LevelMetaStore.open(join(path, 'meta'), { create: false });
    expect(level.get(Buffer.from('last'))?.toString()).toBe('20');
    await level.close();
  });

  it('acknowledges nothing more once LevelDB has failed, and has all that it did', async () => {
    const store = await openIn(path, { bytes: SMALL_BYTES });
    await store.write(numbered(1));
    const level = (store as unknown as { level: LevelMetaStore }).level;
    await level.close();
    let written = 1;
    await expect(
      (async () => {
        for (;;) {
          await store.write(numbered(written + 1));
          written++;
        }
      })(),
    ).rejects.toThrow();
    await expect(store.write(numbered(written + 1))).rejects.toThrow('Cannot write: an earlier batch failed');
    expect(await contentIn(await killed())).toEqual(stateAfter(written));
  });
});
