// A crash behind any batch of what the policy of detach does by itself: the next start goes on, and nobody sees anything.

import { expect, it } from 'vitest';
import { depthOf } from '../../../src/fs/detach/depth.ts';
import { DEPTH_MAX } from '../../../src/snapshots/detach/detach-policy.ts';
import { SUPERUSER } from '../../fs/views/walk.ts';
import { writeText } from '../memory-volume.ts';
import { RecordedVolume } from './recorded-volume.ts';

const call = { caller: SUPERUSER };

async function write({ volume }: RecordedVolume, dataset: string, name: string, seed: number) {
  const { fileSystem } = volume.datasets.get(dataset)!;
  const node = await writeText(fileSystem, name, '');
  await fileSystem.write(call, node, 0, Buffer.alloc(40_000, seed), false);
  await fileSystem.settled((await fileSystem.commit(call, node)).ticket);
}

function treeOf({ volume }: RecordedVolume, dataset: string) {
  return volume.datasets.context.catalog.get(dataset).tree;
}

async function prepared(): Promise<RecordedVolume> {
  const recorded = await RecordedVolume.create();
  const { datasets, snapshots } = recorded.volume;
  await datasets.create('c0', {});
  await write(recorded, 'c0', 'first', 1);
  for (let at = 1; at <= DEPTH_MAX + 1; at++) await snapshots.clone(`c${at - 1}`, `c${at}`, {});
  await datasets.create('origin', {});
  for (const name of ['one', 'two', 'three']) await write(recorded, 'origin', name, 2);
  await snapshots.clone('origin', 'clone', {});
  await write(recorded, 'clone', 'one', 3);
  await datasets.delete('origin', true);
  await recorded.rest();
  return recorded;
}

it('a crash at any batch of a detach or a flattening that began by itself is gone on with by the next start', {
  timeout: 60_000,
}, async () => {
  const recorded = await prepared();
  const first = recorded.batches;
  const shown = await recorded.shown();
  recorded.volume.detachPolicy.wake();
  await recorded.rest();
  const last = recorded.batches;
  expect(last - first).toBeGreaterThan(8);
  for (let batches = first; batches <= last; batches++) {
    const where = `batch ${batches} of ${first} to ${last}`;
    const survivor = await recorded.after(batches);
    expect(await survivor.shown(), where).toEqual(shown);
    await survivor.rest();
    expect(await survivor.shown(), where).toEqual(shown);
    expect(treeOf(survivor, 'clone').parent, where).toBeNull();
    expect(depthOf(survivor.volume.store, treeOf(survivor, `c${DEPTH_MAX + 1}`)), where).toBe(0);
    expect(await survivor.findings(), where).toEqual([]);
    expect(survivor.errors, where).toEqual([]);
    await survivor.volume.close();
  }
  await recorded.volume.close();
});
