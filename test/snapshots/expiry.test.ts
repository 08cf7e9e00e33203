import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import type { Volume } from '../../src/volume.ts';
import { ManualClock } from '../nfs/manual-clock.ts';
import { openMemoryVolume } from './memory-volume.ts';

const clock = new ManualClock();
let stores: { readonly meta: MemoryMetaStore; readonly segments: MemorySegmentStore };
let volume: Volume;

beforeEach(async () => {
  stores = { meta: new MemoryMetaStore(), segments: new MemorySegmentStore() };
  volume = await openMemoryVolume({ ...stores, clock });
  await volume.datasets.create('d', {});
});

/** A timer that is set anew counts from where the clock is by then. */
const STEP_SECONDS = 30;

/** Lets time pass and what falls due be done. */
async function pass(seconds: number): Promise<void> {
  for (let left = seconds; left >= 0; left -= STEP_SECONDS) {
    clock.advance(Math.min(left, STEP_SECONDS) * 1000);
    await volume.snapshots.idle();
  }
}

function names(): readonly string[] {
  return volume.snapshots.list('d').map(({ name }) => name);
}

describe('a time to live', () => {
  it('deletes a snapshot when it is over, not before', async () => {
    await volume.snapshots.create('d', 'short', { ttlSeconds: 10 });
    await volume.snapshots.create('d', 'long', { ttlSeconds: 600 });
    await volume.snapshots.create('d', 'ever', {});
    await pass(9);
    expect(names()).toEqual(['d@short', 'd@long', 'd@ever']);
    await pass(1);
    expect(names()).toEqual(['d@long', 'd@ever']);
    await pass(590);
    expect(names()).toEqual(['d@ever']);
  });

  it('yields to holds, and ends when the last is released', async () => {
    await volume.snapshots.create('d', 's', { ttlSeconds: 10 });
    await volume.snapshots.hold('d@s', 'one');
    await volume.snapshots.hold('d@s', 'two');
    await pass(1000);
    await volume.snapshots.release('d@s', 'one');
    await pass(1000);
    expect(names()).toEqual(['d@s']);
    await volume.snapshots.release('d@s', 'two');
    await pass(0);
    expect(names()).toEqual([]);
  });

  it('is made up for at start', async () => {
    await volume.snapshots.create('d', 's', { ttlSeconds: 10 });
    await volume.close();
    clock.advance(60_000);
    volume = await openMemoryVolume({ ...stores, clock });
    await pass(0);
    expect(names()).toEqual([]);
  });

  it('deletes a clone with its snapshots, once nothing is nested in it', async () => {
    await volume.snapshots.clone('d', 'c', { ttlSeconds: 10 });
    await volume.snapshots.create('c', 's', {});
    await volume.datasets.create('c/inner', {});
    await pass(100);
    expect(volume.datasets.get('c')).toBeDefined();
    await volume.datasets.delete('c/inner', false);
    await pass(100);
    expect(volume.datasets.get('c')).toBeUndefined();
    expect(volume.snapshots.list()).toEqual([]);
  });

  it.each([0, -1, 1.5, 4e9, Number.NaN])('of %d seconds is refused', async (ttlSeconds) => {
    const refused = { code: 'invalid', message: expect.stringContaining('from 1 second to 100 years') };
    await expect(volume.snapshots.create('d', 's', { ttlSeconds })).rejects.toMatchObject(refused);
    await expect(volume.snapshots.clone('d', 'c', { ttlSeconds })).rejects.toMatchObject(refused);
  });
});

describe('limits', () => {
  it('a snapshot has at most 100 holds', async () => {
    await volume.snapshots.create('d', 's', {});
    for (let i = 0; i < 100; i++) await volume.snapshots.hold('d@s', `tag${i}`);
    await expect(volume.snapshots.hold('d@s', 'more')).rejects.toMatchObject({ code: 'no-space' });
  });
});
