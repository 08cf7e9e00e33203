import { beforeEach, describe, expect, it } from 'vitest';
import type { Random } from '../../src/clock.ts';
import { createFormat, openFormat } from '../../src/kv/format.ts';
import type { IdSequence } from '../../src/kv/id-sequence.ts';
import { keys } from '../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { systemWrite } from '../../src/kv/system-row.ts';
import { VolumeError } from '../../src/kv/volume-error.ts';

/** Bytes that count up, so that no two draws are alike and every run draws the same. */
function countingRandom(): Random {
  let next = 0;
  return (bytes) => Buffer.from(Array.from({ length: bytes }, () => next++ & 0xff));
}

describe('the format of a volume', () => {
  let meta: MemoryMetaStore;
  const random = countingRandom();
  beforeEach(async () => {
    meta = new MemoryMetaStore();
    await createFormat(meta, random);
  });

  async function refusal(): Promise<VolumeError> {
    const error = await openFormat(meta, random).then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(VolumeError);
    return error;
  }

  it('has exactly these bytes on disk', async () => {
    const store = new MemoryMetaStore();
    await createFormat(store, countingRandom());
    const rows = await store.page(keys.system.range(), 100);
    expect(
      Object.fromEntries(rows.map(([key, value]) => [keys.system.parse(key).name, value.toString('hex')])),
    ).toEqual(GOLDEN_ROWS);
  });

  it('keeps uuid and keys for ever, and makes others for another volume', async () => {
    const first = await openFormat(meta, random);
    const again = await openFormat(meta, random);
    expect([again.uuid, again.hashKey, again.handleKey]).toEqual([
      first.uuid,
      first.hashKey,
      first.handleKey,
    ]);
    expect([first.uuid.length, first.hashKey.length, first.handleKey.length]).toEqual([16, 16, 32]);
    const other = new MemoryMetaStore();
    await createFormat(other, random);
    expect((await openFormat(other, random)).uuid).not.toEqual(first.uuid);
  });

  it('keeps the write verifier over clean starts', async () => {
    const first = await openFormat(meta, random);
    expect(first.wasClean).toBe(true);
    await first.markClean();
    const second = await openFormat(meta, random);
    expect(second.wasClean).toBe(true);
    expect(second.writeVerifier).toEqual(first.writeVerifier);
  });

  it('changes the write verifier after each run that did not end in order', async () => {
    const first = await openFormat(meta, random);
    const second = await openFormat(meta, random);
    const third = await openFormat(meta, random);
    expect(second.wasClean).toBe(false);
    expect(second.writeVerifier).not.toEqual(first.writeVerifier);
    expect(third.writeVerifier).not.toEqual(second.writeVerifier);
    await third.markClean();
    expect((await openFormat(meta, random)).writeVerifier).toEqual(third.writeVerifier);
  });

  it('has stored the write verifier before it gives it out', async () => {
    await openFormat(meta, random);
    const { writeVerifier } = await openFormat(meta, random);
    expect(meta.get(keys.system.key('write-verifier'))).toEqual(
      systemWrite('write-verifier', writeVerifier).value,
    );
  });

  it('refuses a higher format, naming both', async () => {
    await meta.write([systemWrite('format', { version: 2, incompatible: [], readOnlyCompatible: [] })], true);
    const error = await refusal();
    expect(error.code).toBe('UNKNOWN_FORMAT');
    expect(error.message).toMatch(/format 2.* up to 1.*Start the newer version/);
  });

  it('refuses unknown features that it could not read or not write past, and ignores compatible ones', async () => {
    const format = { version: 1, incompatible: [], readOnlyCompatible: [], compatible: ['colours'] };
    await meta.write([systemWrite('format', { ...format, incompatible: ['quantum-extents'] })], true);
    expect((await refusal()).message).toMatch(/does not know: quantum-extents/);
    await meta.write([systemWrite('format', { ...format, readOnlyCompatible: ['usage-by-uid'] })], true);
    expect((await refusal()).message).toMatch(/may not be written .* usage-by-uid/);
    await meta.write([systemWrite('format', format)], true);
    await openFormat(meta, random);
  });

  it.each(['format', 'volume', 'write-verifier', 'next/segment'])(
    'refuses a missing or damaged row %s',
    async (name) => {
      const key = keys.system.key(name);
      const whole = meta.get(key)!;
      await meta.write([{ key, value: null }], true);
      expect(await refusal()).toMatchObject({
        code: 'DAMAGED',
        message: expect.stringContaining(`'${name}' is missing`),
      });
      for (let at = 0; at < whole.length; at += 5) {
        const flipped = Buffer.from(whole);
        flipped[at]! ^= 0x10;
        await meta.write([{ key, value: flipped }], true);
        expect(await refusal()).toMatchObject({ code: 'DAMAGED' });
      }
      await meta.write([{ key, value: Buffer.alloc(0) }], true);
      expect(await refusal()).toMatchObject({ code: 'DAMAGED' });
      await meta.write([{ key, value: whole }], true);
      await openFormat(meta, random);
    },
  );
});

describe('the ids of a volume', () => {
  let meta: MemoryMetaStore;
  beforeEach(async () => {
    meta = new MemoryMetaStore();
    await createFormat(meta, countingRandom());
  });
  async function take(ids: IdSequence, count: number): Promise<number[]> {
    const taken: number[] = [];
    for (let i = 0; i < count; i++) taken.push(await ids.take());
    return taken;
  }

  it('begin at 1 and ascend by one within a run', async () => {
    const { segmentIds } = await openFormat(meta, countingRandom());
    expect(await take(segmentIds, 300)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  });

  it('are never given again, however often the run is cut short', async () => {
    const seen = new Set<number>();
    for (let run = 0; run < 5; run++) {
      const { segmentIds } = await openFormat(meta, countingRandom());
      for (const id of await take(segmentIds, 37 * run)) {
        expect(seen.has(id)).toBe(false);
        seen.add(id);
      }
    }
    expect(seen.size).toBe(37 * 10);
  });

  it('are given in the same turn while the next block is reserved', async () => {
    const { segmentIds } = await openFormat(meta, countingRandom());
    for (let i = 0; i < 10_000; i++) {
      expect(segmentIds.take()).toBe(i + 1);
      if (i % 32 === 31) await new Promise(setImmediate);
    }
  });

  it('wait for the reservation when a whole block is taken in one turn', async () => {
    const { segmentIds } = await openFormat(meta, countingRandom());
    const taken = Array.from({ length: 2000 }, () => segmentIds.take());
    expect(taken[1023]).toBe(1024);
    expect(taken[1024]).toBeInstanceOf(Promise);
    expect((await Promise.all(taken)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 2000 }, (_, i) => i + 1),
    );
  });

  it('are refused, not invented, when the reservation fails', async () => {
    const { segmentIds } = await openFormat(meta, countingRandom());
    meta.write = () => Promise.reject(new Error('the disk is gone'));
    for (let i = 0; i < 1024; i++) void segmentIds.take();
    await expect(segmentIds.take()).rejects.toThrow('the disk is gone');
  });

  it('end with the last one that fits', async () => {
    await meta.write([systemWrite('next/segment', 0x7fff_ffff)], true);
    const { segmentIds } = await openFormat(meta, countingRandom());
    expect(await segmentIds.take()).toBe(0x7fff_ffff);
    await expect((async () => segmentIds.take())()).rejects.toThrow(
      /another segment: all ids up to 2147483647/,
    );
  });
});

/** With the bytes 0, 1, 2 … for random ones. */
const GOLDEN_ROWS = {
  clean: '01c35aafb0b4',
  format:
    '01de0004a776657273696f6e01ac696e636f6d70617469626c6590b2726561644f6e6c79436f6d70617469626c6590aa636f6d70617469626c6590cac6d210',
  'next/segment': '01012fc51328',
  volume:
    '01de0003a475756964c410000102030405460788090a0b0c0d0e0fa7686173684b6579c410101112131415161718191a1b1c1d1e1fa968616e646c654b6579c420202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3fc2180530',
  'write-verifier': '01c4084041424344454647da1bebc0',
};
