// A crash leaves a prefix of the batches. Whatever the registry was doing, what is there afterwards is whole.

import { describe, expect, it } from 'vitest';
import { RecordingMetaStore } from '../kv/recording-meta-store.ts';
import { checkWhole, shown } from './registry-state.ts';
import { liveBytes, openVolume, type TestVolume, treeRows, writeFile } from './test-volume.ts';

/** Each step is acknowledged before the next; a step of several is asked for at once. */
const STEPS: ((volume: TestVolume) => Promise<unknown>)[] = [
  ({ datasets }) => datasets.create('a', { properties: { quota: '1GiB' } }),
  ({ datasets }) => Promise.all(['a/b', 'c', 'd'].map((name) => datasets.create(name, {}))),
  ({ datasets }) => datasets.create('a/b/x', { readonly: true }),
  ({ datasets }) => datasets.set('a', { 'my:key': 'value', quota: 'none' }),
  ({ datasets }) => datasets.setDefault('d'),
  ({ datasets }) => datasets.rename('a/b', 'c/moved'),
  ({ datasets }) => Promise.all([datasets.rename('c', 'e'), datasets.create('a/again', {})]),
  ({ datasets }) => datasets.rename('e/moved', 'top'),
  ({ datasets }) => datasets.rename('top', 'a/under'),
  ({ datasets }) => datasets.delete('a', true),
  ({ datasets }) =>
    Promise.all([datasets.create('a', {}), datasets.create('root/in', {}), datasets.delete('e', false)]),
];

describe('after a crash between any two batches', () => {
  it('each change is there whole or not at all, and an acknowledged one is there', async () => {
    const meta = new RecordingMetaStore();
    const volume = await openVolume({ meta });
    const acknowledged = [{ batches: meta.batches.length, state: shown(volume) }];
    for (const step of STEPS) {
      await step(volume);
      acknowledged.push({ batches: meta.batches.length, state: shown(volume) });
    }
    expect(meta.batches.length).toBeGreaterThanOrEqual(STEPS.length);
    for (let count = 0; count <= meta.batches.length; count++) {
      const survivor = await meta.after(count);
      const again = await openVolume({ meta: survivor });
      await checkWhole(again);
      const exact = acknowledged.find(({ batches }) => batches === count);
      if (exact) expect(shown(again)).toEqual(exact.state);
    }
  });
});

describe('after a crash while the space of a deleted dataset comes back', () => {
  it('the next start goes on, and nothing is left in the end', async () => {
    const meta = new RecordingMetaStore();
    const volume = await openVolume({ meta });
    const { id } = await volume.datasets.create('a', {});
    for (let i = 0; i < 300; i++) await writeFile(volume, 'a', `f${i}`, i % 50 === 0 ? 40_000 : 1000);
    expect(liveBytes(volume)).toBeGreaterThan(0);
    const whole = meta.batches.length;
    await volume.datasets.delete('a', false);
    await volume.drained();
    expect(await treeRows(meta, volume.treeOf(id))).toEqual([]);
    expect(meta.batches.length).toBeGreaterThan(whole + 3);
    for (let count = whole; count <= meta.batches.length; count++) {
      const survivor = await meta.after(count);
      const again = await openVolume({ meta: survivor });
      expect(again.datasets.get('a') === undefined).toBe(count > whole);
      if (count === whole) await again.datasets.delete('a', false);
      await again.drained();
      expect(again.datasets.pending()).toEqual({ datasets: 0, bytes: 0, inodes: 0 });
      expect(await treeRows(survivor, volume.treeOf(id))).toEqual([]);
      expect(liveBytes(again)).toBe(0);
    }
  });
});
