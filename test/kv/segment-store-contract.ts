import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SegmentReadError, type SegmentStore } from '../../src/kv/segment-store.ts';

/** A store under test, and what takes it away again. */
export interface OpenSegmentStore {
  readonly store: SegmentStore;
  discard(): Promise<void>;
}

/** What every SegmentStore must do. */
export function conformsToSegmentStore(name: string, open: () => Promise<OpenSegmentStore>): void {
  describe(`${name} conforms to SegmentStore`, () => {
    let opened: OpenSegmentStore;
    let store: SegmentStore;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.discard());

    const read = async (id: number, offset: number, length: number): Promise<string> =>
      (await store.read(id, offset, length)).toString('latin1');
    const failureToRead = (id: number, offset: number, length: number): Promise<unknown> =>
      (async () => store.read(id, offset, length))().then(
        () => 'it was read',
        (error) => error,
      );

    it('lists an empty segment as soon as it is made', async () => {
      const writer = await store.create(7);
      expect(writer.id).toBe(7);
      expect(writer.size).toBe(0);
      expect([...(await store.list())]).toEqual([[7, 0]]);
      await writer.close();
    });

    it('refuses to make a segment that exists', async () => {
      const writer = await store.create(1);
      await expect(store.create(1)).rejects.toThrow(/segment 1/);
      await writer.close();
      await expect(store.create(1)).rejects.toThrow(/segment 1/);
    });

    it('appends buffers in order and tells the offset of the first byte', async () => {
      const writer = await store.create(1);
      expect(await writer.append([Buffer.from('ab'), Buffer.alloc(0), Buffer.from('cd')])).toBe(0);
      expect(await writer.append([])).toBe(4);
      expect(await writer.append([Buffer.from('ef')])).toBe(4);
      expect(writer.size).toBe(6);
      expect(await read(1, 0, 6)).toBe('abcdef');
      expect([...(await store.list())]).toEqual([[1, 6]]);
      await writer.close();
    });

    it('gives overlapping appends the order of their calls', async () => {
      const writer = await store.create(1);
      const offsets = await Promise.all(
        Array.from({ length: 40 }, (_, i) => writer.append([Buffer.alloc(10, i), Buffer.alloc(5, i)])),
      );
      expect(offsets).toEqual(Array.from({ length: 40 }, (_, i) => i * 15));
      for (const [i, offset] of offsets.entries()) {
        expect(await store.read(1, offset, 15)).toEqual(Buffer.alloc(15, i));
      }
      await writer.close();
    });

    it('takes more buffers in one append than the system takes in one call', async () => {
      const writer = await store.create(1);
      const buffers = Array.from({ length: 5000 }, (_, i) => Buffer.from([i, i >> 8]));
      await writer.append(buffers);
      expect(await store.read(1, 0, 10_000)).toEqual(Buffer.concat(buffers));
      await writer.close();
    });

    it('reads any range of a segment being written, synced, closed', async () => {
      const writer = await store.create(1);
      const large = Buffer.alloc(3 << 20, 'the bytes of a large segment ');
      await writer.append([large.subarray(0, 1000), large.subarray(1000)]);
      const ranges = [
        [0, 10],
        [999, 2],
        [1 << 20, 1 << 20],
        [5, 2_500_000],
        [large.length - 1, 1],
        [large.length, 0],
      ];
      for (const step of [async () => {}, () => writer.sync(), () => writer.close()]) {
        await step();
        for (const [offset, length] of ranges as [number, number][]) {
          expect((await store.read(1, offset, length)).equals(large.subarray(offset, offset + length))).toBe(
            true,
          );
        }
      }
    });

    it('refuses to read past the end or a segment that is not there', async () => {
      const writer = await store.create(1);
      await writer.append([Buffer.from('abc')]);
      await writer.close();
      for (const [id, offset, length] of [
        [1, 0, 4],
        [1, 3, 1],
        [1, 2_000_000, 10],
        [1, 1, 3_000_000],
        [2, 0, 1],
      ] as const) {
        expect(await failureToRead(id, offset, length)).toBeInstanceOf(SegmentReadError);
      }
      expect(await read(1, 0, 3)).toBe('abc');
    });

    it('syncs what was appended, several callers at once too', async () => {
      const writer = await store.create(1);
      await writer.sync();
      await writer.append([Buffer.from('abc')]);
      await Promise.all([
        writer.sync(),
        writer.sync(),
        writer.append([Buffer.from('d')]).then(() => writer.sync()),
      ]);
      expect(await read(1, 0, 4)).toBe('abcd');
      await writer.close();
    });

    it('takes nothing after its writer is closed; closing twice is no error', async () => {
      const writer = await store.create(1);
      await writer.append([Buffer.from('abc')]);
      await writer.close();
      await writer.close();
      await expect(writer.append([Buffer.from('d')])).rejects.toThrow(/segment 1/);
      await expect(writer.sync()).rejects.toThrow(/segment 1/);
      expect(await read(1, 0, 3)).toBe('abc');
    });

    it('deletes whole segments, an absent one too', async () => {
      for (const id of [1, 2, Number.MAX_SAFE_INTEGER]) {
        const writer = await store.create(id);
        await writer.append([Buffer.from('abc')]);
        await writer.sync();
        await writer.close();
      }
      expect(await read(1, 0, 3)).toBe('abc');
      await store.delete(1);
      await store.delete(1);
      await store.delete(99);
      expect(await store.list()).toEqual(
        new Map([
          [2, 3],
          [Number.MAX_SAFE_INTEGER, 3],
        ]),
      );
      expect(await failureToRead(1, 0, 3)).toBeInstanceOf(SegmentReadError);
    });

    it('finishes reads that began before the segment was deleted', async () => {
      const bytes = Buffer.alloc(2 << 20, 'abc');
      const writer = await store.create(1);
      await writer.append([bytes]);
      await writer.close();
      const reading = [store.read(1, 0, bytes.length), store.read(1, 0, bytes.length)];
      await store.delete(1);
      for (const read of reading) expect((await read).equals(bytes)).toBe(true);
    });

    it('tells how much the medium could still take', async () => {
      expect(await store.freeBytes()).toBeGreaterThan(0);
    });
  });
}
