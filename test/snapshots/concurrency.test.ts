import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotRegistry } from '../../src/snapshots/snapshot-registry.ts';
import type { Volume } from '../../src/volume.ts';
import { openMemoryVolume, SUPERUSER, texts, writeText } from './memory-volume.ts';

let volume: Volume;

beforeEach(async () => {
  volume = await openMemoryVolume();
  await volume.datasets.create('d', {});
});
afterEach(() => volume.close());

function names(): readonly string[] {
  return volume.snapshots.list('d').map(({ name }) => name);
}

describe('operations at the same time', () => {
  it('give a name to one snapshot only', async () => {
    const results = await Promise.allSettled(
      [1, 2, 3].map(() => volume.snapshots.create('d', 's', { recursive: true })),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(results[1]).toMatchObject({ reason: { code: 'exists' } });
    expect(names()).toEqual(['d@s']);
  });

  it('keep many snapshots in the order in which they were asked for, each with what was written before', async () => {
    const { fileSystem } = volume.datasets.get('d')!;
    const made: Promise<unknown>[] = [];
    const file = await writeText(fileSystem, 'f', '-');
    for (let i = 0; i < 10; i++) {
      // One call: between a truncation and a write there is a moment that a snapshot may show.
      await fileSystem.write({ caller: SUPERUSER }, file, 0, Buffer.from(`${i}`), false);
      made.push(volume.snapshots.create('d', `s${i}`, {}));
    }
    await Promise.all(made);
    const { id } = volume.datasets.get('d')!;
    expect(names()).toEqual(Array.from({ length: 10 }, (_, i) => `d@s${i}`));
    for (const [i, snapshot] of volume.snapshots.of(id).entries()) {
      // A snapshot that had to wait for its turn may show what was written meanwhile.
      const { f } = await texts(snapshot.fileSystem);
      expect(Number(f)).toBeGreaterThanOrEqual(i);
    }
  });

  it('roll back one after the other, and keep the state before each', async () => {
    const { fileSystem } = volume.datasets.get('d')!;
    for (const text of ['one', 'two']) {
      await writeText(fileSystem, 'f', text);
      await volume.snapshots.create('d', text, {});
    }
    await writeText(fileSystem, 'f', 'three', false);
    const plans = await Promise.all(
      ['d@one', 'd@two', 'd@one'].map((name) => volume.snapshots.rollback(name, false)),
    );
    const { id } = volume.datasets.get('d')!;
    const before = plans.map((plan) => volume.snapshots.find(id, plan.before!.slice(2))!);
    const kept = await Promise.all(before.map((snapshot) => texts(snapshot.fileSystem)));
    expect(kept).toEqual([{ f: 'three' }, { f: 'one' }, { f: 'two' }]);
    expect(await texts(fileSystem)).toEqual({ f: 'one' });
  });

  it('leave nothing of a snapshot whose dataset is deleted meanwhile', async () => {
    await writeText(volume.datasets.get('d')!.fileSystem, 'f', 'x', false);
    const made = volume.snapshots.create('d', 's', {});
    const deleted = volume.datasets.delete('d', false);
    await expect(made).rejects.toMatchObject({ code: 'not-found' });
    await deleted;
    expect(volume.snapshots.list()).toEqual([]);
    await volume.sweeps.idle();
    await volume.trees.drained();
    expect(volume.datasets.pending()).toMatchObject({ datasets: 0 });
  });
});

describe('a volume', () => {
  it('has no more snapshots than its limit', async () => {
    const { store, writeBack, reclaimer, datasets } = volume;
    const { clock, random } = store.parts;
    const shared = { store, writeBack, reclaimer, clock, random };
    const snapshots = await SnapshotRegistry.open({ shared, registry: datasets, snapshotsMax: 2 });
    await datasets.create('d/in', {});
    await snapshots.create('d', 's', { recursive: true });
    await expect(snapshots.create('d', 't', {})).rejects.toMatchObject({
      code: 'no-space',
      message: 'Cannot take a snapshot: a volume has at most 2 snapshots',
    });
  });
});
