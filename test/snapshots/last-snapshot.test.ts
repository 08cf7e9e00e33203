// The snapshot that a rollback takes of what was there before, while the batch that it is in is on its way to the disk.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { keys } from '../../src/kv/keys.ts';
import { HeldMetaStore } from '../nfs/nfs3/held-meta-store.ts';
import { openMemoryVolume, SUPERUSER, texts, writeText } from './memory-volume.ts';

const CALL = { caller: SUPERUSER };

/** A rollback under way, behind changes that wait for the disk as it does. */
async function rollingBack() {
  const meta = new HeldMetaStore();
  const volume = await openMemoryVolume({ meta });
  const { fileSystem } = volume.datasets.get('root')!;
  const node = await writeText(fileSystem, 'file', 'first');
  await volume.snapshots.create('root', 'a', {});
  const before = { ids: volume.snapshots.of(0).map(({ id }) => id), at: volume.snapshots.changedAt(0) };
  meta.hold();
  const root = await fileSystem.root();
  await fileSystem.mkdir(CALL, root, Buffer.from('directory'), {});
  await sleep(5);
  await fileSystem.setattr(CALL, node, { mode: 0o640 });
  await fileSystem.write(CALL, node, 0, Buffer.from('again'), true);
  const rolledBack = volume.snapshots.rollback('root@a', false);
  await sleep(5);
  return { meta, volume, fileSystem, node, before, rolledBack };
}

describe('the snapshot of what was there before a rollback', () => {
  it('shows at once when it shows, and then all that was there', async () => {
    const { meta, volume, node, before, rolledBack } = await rollingBack();
    const seen = volume.snapshots.of(0).filter(({ id }) => !before.ids.includes(id));
    // Who looks too early would see an older state, in this snapshot for ever.
    for (const { fileSystem } of seen) await fileSystem.attributes(node);
    const at = volume.snapshots.changedAt(0);
    meta.release();
    const { before: name } = await rolledBack;
    const kept = volume.snapshots.entry(name!).fileSystem;
    expect((await kept.attributes(node)).mode).toBe(0o640);
    expect(await texts(kept)).toEqual({ file: 'again' });
    expect(seen).toEqual([]);
    expect(at).toEqual(before.at);
    expect(volume.snapshots.changedAt(0)).not.toEqual(before.at);
    await volume.close();
  });

  it('comes before one that is taken meanwhile', async () => {
    const { meta, volume, rolledBack } = await rollingBack();
    const created = volume.snapshots.create('root', 'b', {});
    await sleep(5);
    meta.release();
    const { before } = await rolledBack;
    await created;
    const names = volume.snapshots.of(0).map(({ id, name }) => [id, `root@${name}`]);
    expect(names).toEqual([
      [1, 'root@a'],
      [2, before],
      [3, 'root@b'],
    ]);
    await volume.close();
  });

  it('cannot lose its name to a snapshot that is renamed meanwhile', async () => {
    const { meta, volume, rolledBack } = await rollingBack();
    // It has the time of this second or of the last.
    const times = [0, 1000].map((agoMs) => new Date(Date.now() - agoMs).toISOString());
    const names = times.map((time) => `before-rollback-${time.replace(/[-:]|\.\d+/g, '')}`);
    const renames = Promise.allSettled(names.map((name) => volume.snapshots.rename('root@a', name)));
    meta.release();
    const outcomes = (await renames).map((outcome) => outcome.status === 'rejected' && outcome.reason.code);
    expect(outcomes).toContain('exists');
    await rolledBack;
    await volume.close();
  });

  it('goes with a dataset that is deleted meanwhile', async () => {
    const meta = new HeldMetaStore();
    const volume = await openMemoryVolume({ meta });
    await volume.datasets.create('nested', {});
    await volume.snapshots.create('nested', 'a', {});
    meta.hold();
    const rolledBack = volume.snapshots.rollback('nested@a', false);
    await sleep(5);
    const { id } = volume.datasets.get('nested')!;
    const deleted = volume.datasets.delete('nested', false);
    meta.release();
    await Promise.all([rolledBack, deleted]);
    expect(volume.snapshots.of(id)).toEqual([]);
    expect(volume.snapshots.list()).toEqual([]);
    await volume.snapshots.idle();
    const { gte, lt } = { gte: keys.snapshot.key(id, 0), lt: keys.snapshot.range(id).lt };
    expect(await meta.page({ gte, lt }, 10)).toEqual([]);
    await volume.close();
  });
});
