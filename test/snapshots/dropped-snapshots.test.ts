import { expect, it } from 'vitest';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import type { Write } from '../../src/kv/meta-store.ts';
import type { Volume } from '../../src/volume.ts';
import { RecordedVolume } from './crash/recorded-volume.ts';
import { openMemoryVolume, writeText } from './memory-volume.ts';

const MANY = 5000;
/** More than two pages. */
const SEVERAL = 300;
/** Of a page: a snapshot's row and that of its generation, and what its space moves to. */
const BATCH_ROWS_MAX = 1000;

class CountingMetaStore extends MemoryMetaStore {
  rowsMax = 0;

  override write(batch: readonly Write[], durable: boolean): Promise<void> {
    this.rowsMax = Math.max(this.rowsMax, batch.length);
    return super.write(batch, durable);
  }
}

async function withSnapshots(volume: Volume, count: number): Promise<void> {
  await volume.datasets.create('many', {});
  const { fileSystem } = volume.datasets.get('many')!;
  for (let at = 0; at < count; at++) {
    if (at % 10 === 0) await writeText(fileSystem, 'file', `text ${at}`);
    await volume.snapshots.create('many', `s${at}`, {});
  }
}

it('a dataset goes with thousands of snapshots, and others wait for no more than a page of them', {
  timeout: 60_000,
}, async () => {
  const meta = new CountingMetaStore();
  const volume = await openMemoryVolume({ meta });
  await withSnapshots(volume, MANY);
  await volume.datasets.create('other', {});
  const { fileSystem } = volume.datasets.get('other')!;
  meta.rowsMax = 0;
  const { names } = await volume.datasets.delete('many', false);
  expect(names).toHaveLength(1 + MANY);
  expect(volume.jobs.list()).toContainEqual(
    expect.objectContaining({ kind: 'delete', unit: 'records', total: MANY, state: 'running' }),
  );
  // The name is free, and other changes go in between.
  await volume.datasets.create('many', {});
  await volume.snapshots.create('many', 's1', {});
  let between = 0;
  for (; volume.snapshots.dropped.jobs().length > 0; between++)
    await writeText(fileSystem, 'f', `${between}`);
  expect(between).toBeGreaterThan(MANY / 128 / 2);
  await volume.snapshots.idle();
  await volume.sweeps.idle();
  await volume.trees.drained();
  expect(meta.rowsMax).toBeLessThan(BATCH_ROWS_MAX);
  expect(volume.snapshots.list('many').map(({ name }) => name)).toEqual(['many@s1']);
  expect(volume.store.trees.size).toBe(3);
  await volume.close();
});

it('a crash at any page of them is gone on with, and nobody sees any of them again', {
  timeout: 60_000,
}, async () => {
  const recorded = await RecordedVolume.create();
  await withSnapshots(recorded.volume, SEVERAL);
  await recorded.rest();
  await recorded.volume.datasets.delete('many', false);
  const first = recorded.batches;
  const shown = await recorded.shown();
  expect([...shown.keys()]).toEqual(['root']);
  await recorded.rest();
  for (let batches = first; batches <= recorded.batches; batches++) {
    const where = `batch ${batches} of ${first} to ${recorded.batches}`;
    const survivor = await recorded.after(batches);
    expect(await survivor.shown(), where).toEqual(shown);
    await survivor.rest();
    expect(await survivor.findings(), where).toEqual([]);
    expect(survivor.volume.store.trees.size, where).toBe(1);
    expect(survivor.volume.jobs.list(), where).toEqual([]);
    expect(survivor.errors, where).toEqual([]);
    await survivor.volume.close();
  }
  expect(recorded.batches - first).toBeGreaterThan(3);
  await recorded.volume.close();
});
