import { randomBytes } from 'node:crypto';
import { open as openFile, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LevelMetaStore, type LevelSettings } from '../../src/kv/level-meta-store.ts';
import { MetaReadError, MetaWriteError } from '../../src/kv/meta-store.ts';
import { VolumeError } from '../../src/kv/volume-error.ts';
import { conformsToMetaStore } from './meta-store-contract.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

conformsToMetaStore('LevelMetaStore', async () => {
  const directory = await scratchDirectory();
  const store = await LevelMetaStore.open(directory.path, { create: true });
  return {
    store,
    async discard() {
      await store.close();
      await directory.remove();
    },
  };
});

describe('LevelMetaStore', () => {
  let directory: ScratchDirectory;
  beforeEach(async () => {
    directory = await scratchDirectory();
  });
  afterEach(() => directory.remove());

  const key = Buffer.from('key');
  const open = (settings: LevelSettings = { create: true }) => LevelMetaStore.open(directory.path, settings);
  async function refusal(settings: LevelSettings = { create: true }): Promise<VolumeError> {
    const error = await open(settings).then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(VolumeError);
    expect(error.message).toContain(directory.path);
    return error;
  }
  async function filesNamed(pattern: RegExp): Promise<string[]> {
    return (await readdir(directory.path)).filter((name) => pattern.test(name));
  }

  it('keeps what was written when it is opened again', async () => {
    const before = await open();
    await before.write([{ key, value: Buffer.from('value') }], true);
    await before.close();
    const after = await open({ create: false });
    expect(after.get(key)?.toString()).toBe('value');
    await after.close();
  });

  it('is refused to a second opener, and given when the first has closed it', async () => {
    const first = await open();
    const error = await refusal();
    expect(error.code).toBe('IN_USE');
    expect(error.message).toMatch(/another process/);
    await first.close();
    await (await open()).close();
  });

  it('is not made anew where one must be', async () => {
    const error = await refusal({ create: false });
    expect(error.code).toBe('DAMAGED');
    expect(error.message).toMatch(/--repair/);
  });

  it('is refused as damaged, with what would be lost, when its manifest is', async () => {
    const store = await open();
    await store.write([{ key, value: Buffer.alloc(1000) }], true);
    await store.close();
    const [manifest] = await filesNamed(/^MANIFEST/);
    await writeFile(join(directory.path, manifest!), Buffer.alloc(100, 7));
    const error = await refusal();
    expect(error.code).toBe('DAMAGED');
    expect(error.message).toMatch(/would lose .*/);
  });

  it('is refused as in use, also to a repair, when another has a log open that looks damaged', async () => {
    const store = await open();
    await store.write([{ key, value: Buffer.alloc(1000, 7) }], true);
    await store.write([{ key, value: Buffer.alloc(1000, 8) }], true);
    const [log] = await filesNamed(/log$/);
    const path = join(directory.path, log!);
    const damaged = await readFile(path);
    damaged[500]! ^= 1;
    await writeFile(path, damaged);
    for (const repair of [false, true]) {
      expect((await refusal({ create: false, repair })).code).toBe('IN_USE');
      expect(await readFile(path)).toEqual(damaged);
    }
    await store.close();
  });

  it('is made anew from its tables and logs by a repair when its manifest is damaged', async () => {
    const store = await open();
    await store.write([{ key, value: Buffer.from('in a table') }], true);
    await store.compact();
    await store.write([{ key: Buffer.from('later'), value: Buffer.from('in the log') }], true);
    await store.close();
    const [manifest] = await filesNamed(/^MANIFEST/);
    const path = join(directory.path, manifest!);
    const bytes = await readFile(path);
    // The length of its first record: LevelDB would take it for a record that was cut short.
    bytes[5]! ^= 0x40;
    await writeFile(path, bytes);
    expect((await refusal({ create: false })).message).toMatch(
      /MANIFEST-\d+ is damaged at byte 0\..*--repair/,
    );
    const repaired = await open({ create: false, repair: true });
    expect(repaired.get(key)?.toString()).toBe('in a table');
    expect(repaired.get(Buffer.from('later'))?.toString()).toBe('in the log');
    await repaired.close();
    await (await open({ create: false })).close();
  });

  it('tells a damaged block of a table, fails what reads there and nothing else, and is repaired without it', async () => {
    const store = await open();
    const name = (row: number) => Buffer.from(`row ${String(row).padStart(4, '0')}`);
    const rows = Array.from({ length: 1000 }, (_, row) => ({ key: name(row), value: randomBytes(100) }));
    await store.write(rows, true);
    await store.compact();
    await store.close();
    const [table] = await filesNamed(/ldb$/);
    const path = join(directory.path, table!);
    const bytes = await readFile(path);
    bytes[50_000]! ^= 2;
    await writeFile(path, bytes);

    const damaged = await open({ create: false });
    expect(damaged.damage).toMatchObject([{ file: table, what: 'block' }]);
    const failed = rows.filter(({ key: of, value }) => {
      try {
        expect(damaged.get(of)).toEqual(value);
        return false;
      } catch (error) {
        expect(error).toBeInstanceOf(MetaReadError);
        return true;
      }
    });
    expect(failed.length).toBeGreaterThan(10);
    expect(failed.length).toBeLessThan(100);
    await damaged.write([{ key, value: Buffer.from('written') }], true);
    await damaged.close();

    const repaired = await open({ create: false, repair: true });
    for (const row of rows)
      expect(repaired.get(row.key)).toEqual(failed.includes(row) ? undefined : row.value);
    expect(repaired.get(key)?.toString()).toBe('written');
    await repaired.close();
    const after = await open({ create: false });
    expect(after.damage).toEqual([]);
    await after.close();
  });

  it('is refused when the log that its manifest names is missing, and repaired without those begun after it', async () => {
    const store = await open();
    await store.write([{ key, value: Buffer.from('in a table') }], true);
    await store.compact();
    await store.write([{ key, value: Buffer.from('in the log') }], true);
    await store.close();
    const [log] = await filesNamed(/log$/);
    const later = join(directory.path, '000900.log');
    await rename(join(directory.path, log!), later);
    const error = await refusal({ create: false });
    expect([error.code, error.mendable]).toEqual(['DAMAGED', true]);
    expect(error.message).toContain(`its log ${log} is missing. Bring it back`);
    const repaired = await open({ create: false, repair: true });
    expect(repaired.get(key)?.toString()).toBe('in a table');
    await repaired.close();
    expect((await filesNamed(/^000900.log.damaged$/)).length).toBe(1);
    await (await open({ create: false })).close();
  });

  it('is refused as damaged when CURRENT names nothing', async () => {
    await (await open()).close();
    await truncate(join(directory.path, 'CURRENT'));
    expect((await refusal()).code).toBe('DAMAGED');
  });

  it('syncs every log before a durable batch that follows others that were not, and only then', async () => {
    const store = await LevelMetaStore.open(directory.path, { create: true, writeBufferBytes: 64 << 10 });
    const handle = await openFile(join(directory.path, 'CURRENT'));
    const datasync = vi.spyOn(Object.getPrototypeOf(handle), 'datasync');
    try {
      const value = Buffer.alloc(40_000);
      await store.write([{ key, value }], true);
      await store.write([{ key, value }], true);
      expect(datasync).toHaveBeenCalledTimes(0);
      for (let i = 0; i < 10; i++) await store.write([{ key, value }], false);
      expect(datasync).toHaveBeenCalledTimes(0);
      await store.write([], true);
      const logs = datasync.mock.calls.length;
      expect(logs).toBeGreaterThan(0);
      await store.write([{ key, value }], true);
      expect(datasync).toHaveBeenCalledTimes(logs);
    } finally {
      datasync.mockRestore();
      await handle.close();
      await store.close();
    }
  });

  it('says of a write that fails that it was one', async () => {
    const store = await LevelMetaStore.open(directory.path, { create: true, writeBufferBytes: 64 << 10 });
    const value = randomBytes(40_000);
    await store.write([{ key, value }], true);
    // No table can be made any more, nor a log.
    await rm(directory.path, { recursive: true });
    const failing = (async () => {
      for (let row = 0; row < 20; row++) await store.write([{ key: Buffer.from(`${row}`), value }], false);
    })();
    await expect(failing).rejects.toThrow(MetaWriteError);
    await expect(failing).rejects.toThrow('Cannot write the metadata: IO error');
    await store.close();
  });

  it('writes nothing more after a write has failed', async () => {
    const store = await open();
    await store.write([{ key, value: Buffer.from('old') }], false);
    await rm(directory.path, { recursive: true });
    await expect(store.write([{ key, value: Buffer.from('new') }], true)).rejects.toThrow(/ENOENT/);
    await expect(store.write([{ key, value: Buffer.from('newer') }], false)).rejects.toThrow(
      /earlier batch failed/,
    );
    expect(store.get(key)?.toString()).toBe('old');
    await store.close();
  });
});
