// A crash leaves a prefix of the batches. Whatever was being done with snapshots, what is there afterwards is whole.

import { describe, expect, it } from 'vitest';
import { keys } from '../../src/kv/keys.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import type { Volume } from '../../src/volume.ts';
import { RecordingMetaStore } from '../kv/recording-meta-store.ts';
import { openMemoryVolume, texts, writeText } from './memory-volume.ts';

const write = ({ datasets }: Volume, dataset: string, text: string, stable: boolean) =>
  writeText(datasets.get(dataset)!.fileSystem, 'f', text, stable);

/** Each step is acknowledged before the next. */
const STEPS: ((volume: Volume) => Promise<unknown>)[] = [
  (volume) => volume.datasets.create('a', {}),
  (volume) => volume.datasets.create('a/in', {}),
  (volume) => write(volume, 'a', 'one', false),
  (volume) => volume.snapshots.create('a', 'all', { recursive: true, properties: { 'label:x': '1' } }),
  (volume) => write(volume, 'a', 'two', true),
  (volume) => volume.snapshots.create('a', 'two', {}),
  (volume) => volume.snapshots.clone('a@all', 'c', {}),
  (volume) => write(volume, 'c', 'three', true),
  (volume) => write(volume, 'a', 'four', false),
  (volume) => volume.snapshots.clone('a', 'live', {}),
  (volume) => volume.snapshots.rollback('a@all', false),
  (volume) => write(volume, 'a', 'five', true),
  (volume) => volume.snapshots.rename('a@two', 'renamed'),
  (volume) => volume.snapshots.hold('a@renamed', 'tag'),
  (volume) => volume.snapshots.release('a@renamed', 'tag'),
  (volume) => volume.snapshots.set('a@renamed', { 'x:y': 'z' }),
  (volume) => volume.snapshots.create('c', 'mine', {}),
  (volume) => volume.snapshots.rollback('a@renamed', true),
  (volume) => volume.snapshots.delete('a@all'),
  (volume) => volume.datasets.delete('a', true),
  (volume) => volume.datasets.delete('c', false),
];

/** What a person sees: all datasets and snapshots, and what is in these. What waited in memory is not in a live file. */
async function shown({ datasets, snapshots }: Volume): Promise<unknown> {
  const all: Record<string, unknown> = {};
  for (const { id, name } of datasets.list()) {
    const { parentUuid, origin } = datasets.info(name);
    all[name] = { parentUuid, origin };
    for (const snapshot of snapshots.of(id)) {
      const { holds, properties, clones, referencedInodes } = snapshots.info(`${name}@${snapshot.name}`);
      const files = await texts(snapshot.fileSystem);
      all[`${name}@${snapshot.name}`] = { files, holds, properties, clones, referencedInodes };
    }
  }
  return all;
}

async function settle({ sweeps, trees, reclaimer, store }: Volume): Promise<void> {
  await sweeps.idle();
  await trees.drained();
  await sweeps.idle();
  await trees.drained();
  await reclaimer.idle();
  await store.idle();
}

describe('after a crash between any two batches', () => {
  it('each change is there whole or not at all, and what it leaves behind goes', {
    timeout: 60_000,
  }, async () => {
    const meta = new RecordingMetaStore();
    const segments = new MemorySegmentStore();
    const volume = await openMemoryVolume({ meta, segments });
    const acknowledged = [{ batches: meta.batches.length, state: await shown(volume) }];
    for (const step of STEPS) {
      await step(volume);
      acknowledged.push({ batches: meta.batches.length, state: await shown(volume) });
    }
    await settle(volume);
    for (let count = acknowledged[0]!.batches; count <= meta.batches.length; count++) {
      const survivor = await meta.after(count);
      const again = await openMemoryVolume({ meta: survivor, segments });
      const state = await shown(again);
      // The last that was acknowledged by then, or the one under way.
      const last = acknowledged.findLastIndex(({ batches }) => batches <= count);
      const possible = acknowledged.slice(last, last + 2).map((each) => JSON.stringify(each.state));
      expect(possible, `after ${count} batches`).toContain(JSON.stringify(state));
      for (const { name, holds } of again.snapshots.list())
        for (const tag of holds) await again.snapshots.release(name, tag);
      for (const { name } of again.datasets.list())
        if (name !== 'root' && !name.includes('/')) await again.datasets.delete(name, true);
      await settle(again);
      for (const family of [
        keys.kept,
        keys.history,
        keys.changed,
        keys.snapshot,
        keys.space,
        keys.job,
        keys.chunk,
      ])
        expect(await survivor.page(family.range(), 10), `after ${count} batches`).toEqual([]);
      await again.close();
    }
    await volume.close();
  });
});
