import { randomBytes } from 'node:crypto';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred } from '../../src/deferred.ts';
import { giveDirectBuffer, takeDirectBuffer } from '../../src/kv/direct-buffers.ts';
import { FileSegmentStore } from '../../src/kv/file-segment-store.ts';
import { SegmentReadError } from '../../src/kv/segment-store.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';
import { seededRandom, upTo } from './seeded-random.ts';
import { conformsToSegmentStore } from './segment-store-contract.ts';

const WARM = { warmBytesMax: 1 << 30 };

for (const settings of [WARM, { warmBytesMax: 0, openFilesMax: 1 }]) {
  conformsToSegmentStore(`FileSegmentStore with ${JSON.stringify(settings)}`, async () => {
    const directory = await scratchDirectory();
    const store = await FileSegmentStore.open(directory.path, settings);
    return {
      store,
      async discard() {
        await store.close();
        await directory.remove();
      },
    };
  });
}

describe('FileSegmentStore', () => {
  let directory: ScratchDirectory;
  let store: FileSegmentStore;
  beforeEach(async () => {
    directory = await scratchDirectory();
    store = await FileSegmentStore.open(directory.path, WARM);
  });
  afterEach(async () => {
    await store.close();
    await directory.remove();
  });

  /** In small appends, which go through the system's memory. */
  async function written(id: number, bytes: Buffer): Promise<void> {
    const writer = await store.create(id);
    for (let at = 0; at < bytes.length; at += 64 << 10)
      await writer.append([bytes.subarray(at, at + (64 << 10))]);
    await writer.sync();
    await writer.close();
  }
  /** The store as after a restart: nothing is known to be in memory. */
  async function reopen(settings = WARM): Promise<void> {
    await store.close();
    store = await FileSegmentStore.open(directory.path, settings);
  }
  /** The prototype that all file handles have, to see and to fail what they do. */
  async function fileHandles(): Promise<{
    datasync(): Promise<void>;
    sync(): Promise<void>;
    write: unknown;
    writev: unknown;
  }> {
    const { open } = await import('node:fs/promises');
    const handle = await open(directory.path);
    await handle.close();
    return Object.getPrototypeOf(handle);
  }

  it('names a file by the id in 16 hex digits and holds just the bytes', async () => {
    await written(0xabc, Buffer.from('bytes'));
    expect(await readdir(directory.path)).toEqual(['0000000000000abc.seg']);
    expect(await readFile(join(directory.path, '0000000000000abc.seg'), 'utf8')).toBe('bytes');
  });

  it('leaves files of other names alone', async () => {
    for (const name of ['0000000000000abc.seg~', 'abc.seg', '0000000000000ABC.seg', 'lost+found']) {
      await writeFile(join(directory.path, name), 'x');
    }
    expect((await store.list()).size).toBe(0);
  });

  it('lists and reads the segments of an earlier run', async () => {
    await written(5, Buffer.from('bytes'));
    await reopen();
    expect([...(await store.list())]).toEqual([[5, 5]]);
    expect((await store.read(5, 1, 3)).toString()).toBe('yte');
  });

  it('reads what this run wrote or read in the same turn, and anything else later', async () => {
    const bytes = Buffer.alloc(3 << 20, 'some bytes ');
    await written(1, bytes);
    expect(store.read(1, 100_000, 4096)).toEqual(bytes.subarray(100_000, 104_096));
    expect(store.read(1, 7, 1 << 20)).toBeInstanceOf(Buffer);
    await reopen();
    const cold = store.read(1, 100_000, 4096);
    expect(cold).toBeInstanceOf(Promise);
    expect(await cold).toEqual(bytes.subarray(100_000, 104_096));
    expect(store.read(1, 98_304, 16_384)).toEqual(bytes.subarray(98_304, 114_688));
    expect(store.read(1, 90_000, 16_384)).toBeInstanceOf(Promise);
  });

  it('never reads more than a MiB in the same turn', async () => {
    const bytes = Buffer.alloc(2 << 20, 'some bytes ');
    await written(1, bytes);
    expect(store.read(1, 0, 1 << 20)).toBeInstanceOf(Buffer);
    const long = store.read(1, 0, (1 << 20) + 1);
    expect(long).toBeInstanceOf(Promise);
    expect((await long).equals(bytes.subarray(0, (1 << 20) + 1))).toBe(true);
  });

  /** Appends of many sizes, each of buffers of many sizes, and what they are together. */
  async function appendMany(id: number, seed: number): Promise<Buffer> {
    const random = seededRandom(seed);
    const writer = await store.create(id);
    const all: Buffer[] = [];
    for (const bytesMax of [100, 300_000, 5000, 900_000, 4096, 2_500_000, 1 << 20, 1]) {
      const buffers: Buffer[] = [];
      for (let left = upTo(random, bytesMax) + 1; left > 0; left -= buffers.at(-1)!.length)
        buffers.push(randomBytes(Math.min(left, upTo(random, 200_000) + 1)));
      all.push(...buffers);
      await writer.append(buffers, random() < 0.7);
      const whole = Buffer.concat(all);
      const from = upTo(random, whole.length - 1);
      expect((await store.read(id, from, whole.length - from)).equals(whole.subarray(from))).toBe(true);
      if (random() < 0.5) await writer.sync();
    }
    await writer.sync();
    await writer.close();
    return Buffer.concat(all);
  }

  it('holds just the bytes of large and small appends, at whatever offsets, while it is read', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const whole = await appendMany(seed, seed);
      const found = await readFile(join(directory.path, `${seed.toString(16).padStart(16, '0')}.seg`));
      expect(found.equals(whole)).toBe(true);
    }
  });

  it('fills the memory of the system with a large append unless it is seldom read', async () => {
    const writer = await store.create(1);
    await writer.append([Buffer.alloc(512 << 10)]);
    await writer.append([Buffer.alloc(512 << 10)], true);
    await writer.close();
    expect(store.read(1, 4096, 4096)).toEqual(Buffer.alloc(4096));
    const later = store.read(1, (512 << 10) + 4096, 4096);
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toEqual(Buffer.alloc(4096));
  });

  it('writes large appends through the system when no buffer is free for the other way', async () => {
    const taken: Buffer[] = [];
    for (let buffer = takeDirectBuffer(); buffer; buffer = takeDirectBuffer()) taken.push(buffer);
    try {
      const bytes = randomBytes(700_001);
      const writer = await store.create(1);
      await writer.append([bytes], true);
      await writer.close();
      expect((store.read(1, 0, bytes.length) as Buffer).equals(bytes)).toBe(true);
    } finally {
      for (const buffer of taken) giveDirectBuffer(buffer);
    }
  });

  /** Fails or shortens the n-th write past the system's cache. */
  async function hurtWrite(n: number, hurt: () => number | Error) {
    const handles = await fileHandles();
    const write = handles.write as (...args: unknown[]) => Promise<unknown>;
    const spy = vi.spyOn(handles, 'write' as 'sync');
    for (let at = 0; at <= n; at++)
      spy.mockImplementationOnce(async function (this: unknown, ...args: unknown[]) {
        if (at < n) return write.apply(this, args) as never;
        const outcome = hurt();
        if (outcome instanceof Error) throw outcome;
        return write.call(this, args[0], args[1], outcome, args[3]) as never;
      } as never);
    return spy;
  }

  it.each([0, 1, 3])(
    'goes on behind write %i when the medium takes less of it than it was given',
    async (n) => {
      const bytes = randomBytes(11_000_001);
      const spy = await hurtWrite(n, () => 3 * 4096 + 1);
      try {
        const writer = await store.create(1);
        await writer.append([bytes], true);
        expect(spy.mock.calls.length).toBeGreaterThan(n);
        await writer.close();
      } finally {
        vi.restoreAllMocks();
      }
      expect((await store.read(1, 0, bytes.length)).equals(bytes)).toBe(true);
      await reopen();
      expect((await store.read(1, 0, bytes.length)).equals(bytes)).toBe(true);
    },
  );

  it.each([0, 1, 3])('takes nothing more after write %i of several has failed', async (n) => {
    await hurtWrite(n, () => Object.assign(new Error('the medium is gone'), { code: 'EIO' }));
    const writer = await store.create(1);
    try {
      await expect(writer.append([randomBytes(11_000_001)], true)).rejects.toMatchObject({ code: 'EIO' });
    } finally {
      vi.restoreAllMocks();
    }
    await expect(writer.append([Buffer.from('abc')])).rejects.toThrow(/earlier write failed/);
    await expect(writer.sync()).rejects.toThrow(/earlier write failed/);
    const free: Buffer[] = [];
    for (let buffer = takeDirectBuffer(); buffer; buffer = takeDirectBuffer()) free.push(buffer);
    for (const buffer of free) giveDirectBuffer(buffer);
    expect(free.length).toBe(4);
    await writer.close();
  });

  it('forgets what is warm beyond its bound, the longest unused first', async () => {
    await reopen({ warmBytesMax: 1 << 20 });
    await written(1, Buffer.alloc(512 << 10));
    await written(2, Buffer.alloc(256 << 10));
    expect(store.read(1, 0, 4096)).toBeInstanceOf(Buffer);
    await written(3, Buffer.alloc(512 << 10));
    await written(4, Buffer.alloc(256 << 10));
    expect(store.read(4, 0, 4096)).toBeInstanceOf(Buffer);
    expect(store.read(1, 200_000, 4096)).toBeInstanceOf(Promise);
  });

  it('keeps few files open, however many are read at once', async () => {
    await reopen({ warmBytesMax: 0, openFilesMax: 3 } as typeof WARM);
    for (let id = 1; id <= 20; id++) await written(id, Buffer.alloc(100, id));
    const opened = async () => (await readdir('/proc/self/fd', { withFileTypes: false })).length;
    const before = await opened();
    const reads = Array.from({ length: 60 }, (_, i) => store.read(1 + (i % 20), 0, 100));
    for (const [i, bytes] of (await Promise.all(reads)).entries())
      expect(bytes).toEqual(Buffer.alloc(100, 1 + (i % 20)));
    await store.read(1, 0, 1);
    await vi.waitFor(async () => expect(await opened()).toBeLessThanOrEqual(before + 4));
  });

  it('fails a read, and only it, when the file is shorter than it was', async () => {
    await written(1, Buffer.alloc(10_000, 1));
    await truncate(join(directory.path, '0000000000000001.seg'), 5000);
    expect(() => store.read(1, 4000, 2000)).toThrow(SegmentReadError);
    expect(await store.read(1, 4000, 1000)).toEqual(Buffer.alloc(1000, 1));
  });

  it('makes the name durable with the first sync, and syncs only when something was appended', async () => {
    const handles = await fileHandles();
    const datasync = vi.spyOn(handles, 'datasync');
    const sync = vi.spyOn(handles, 'sync');
    try {
      const writer = await store.create(1);
      await writer.append([Buffer.from('abc')]);
      await writer.sync();
      expect([datasync.mock.calls.length, sync.mock.calls.length]).toEqual([1, 1]);
      await writer.sync();
      expect([datasync.mock.calls.length, sync.mock.calls.length]).toEqual([1, 1]);
      await writer.append([Buffer.from('abc')]);
      await Promise.all([writer.sync(), writer.sync(), writer.sync()]);
      expect(sync).toHaveBeenCalledTimes(1);
      // The first call's sync was under way when the others came, and found nothing more to do.
      expect(datasync).toHaveBeenCalledTimes(2);
      await writer.close();
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('is not synced before its name is durable, which is begun with the first append', async () => {
    const handles = await fileHandles();
    const named = new Deferred();
    const syncDirectory = vi.spyOn(handles, 'sync').mockImplementationOnce(() => named.promise);
    const datasync = vi.spyOn(handles, 'datasync');
    try {
      const writer = await store.create(1);
      await writer.append([Buffer.from('abc')]);
      expect(syncDirectory).toHaveBeenCalledTimes(1);
      let isSynced = false;
      const synced = writer.sync().then(() => {
        isSynced = true;
      });
      await datasync.mock.results[0]!.value;
      await nextTurn();
      expect(isSynced).toBe(false);
      named.resolve();
      await synced;
      await writer.close();
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('makes a deletion durable', async () => {
    await written(1, Buffer.from('abc'));
    const sync = vi.spyOn(await fileHandles(), 'sync');
    try {
      await store.delete(1);
      expect(sync).toHaveBeenCalledTimes(1);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it.each(['datasync', 'sync', 'writev'] as const)('takes nothing more after a failed %s', async (call) => {
    const writer = await store.create(1);
    const failure = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    const handles = await fileHandles();
    // The directory's sync begins with the first append.
    if (call === 'sync') vi.spyOn(handles, call).mockRejectedValueOnce(failure);
    await writer.append([Buffer.from('abc')]);
    if (call !== 'sync') vi.spyOn(handles, call as 'datasync').mockRejectedValueOnce(failure);
    try {
      const doomed = call === 'writev' ? writer.append([Buffer.from('def')]) : writer.sync();
      await expect(doomed).rejects.toMatchObject({ code: 'ENOSPC' });
    } finally {
      vi.restoreAllMocks();
    }
    await expect(writer.append([Buffer.from('ghi')])).rejects.toThrow(/earlier write failed/);
    await expect(writer.sync()).rejects.toThrow(/earlier write failed/);
    expect((await store.read(1, 0, 3)).toString()).toBe('abc');
    await writer.close();
  });

  it('finishes the appends and syncs that were asked for before a close', async () => {
    const writer = await store.create(1);
    const asked = [
      writer.append([Buffer.from('abc')]),
      writer.sync(),
      writer.append([Buffer.from('def')]),
      writer.sync(),
      writer.close(),
    ];
    await Promise.all(asked);
    expect((await store.read(1, 0, 6)).toString()).toBe('abcdef');
  });
});
