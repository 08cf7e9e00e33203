import { expect, it } from 'vitest';
import { JOB_ROWS, openRestoring, type RestoringVolume } from './restoring-volume.ts';

const FILES = 5;

/** A dataset with a snapshot of a directory that was lost since. */
async function prepared(): Promise<RestoringVolume> {
  const volume = await openRestoring();
  await volume.datasets.create('d', {});
  await volume.makeFiles('d', 'dir', FILES);
  await volume.snapshots.create('d', 's', {});
  await volume.removeAll('d', 'dir');
  return volume;
}

it('a crash at any batch of a restore leaves all of it or nothing', async () => {
  let batches = 0;
  for (let whole = false; !whole; batches++) {
    const volume = await prepared();
    volume.meta.dieAfter(batches);
    await volume.restores.start({ snapshot: 'd@s', path: '/dir', destination: undefined }).catch(() => {});
    whole = await Promise.race([volume.meta.died.then(() => false), volume.ended().then(() => true)]);
    const after = await openRestoring(volume);
    await after.restores.clean();
    const names = await after.list('d', '');
    expect(names, `after ${batches} batches`).toEqual(names.length > 0 ? ['dir'] : []);
    if (names.length > 0) expect(await after.list('d', 'dir')).toHaveLength(FILES);
    await after.store.durable(after.store.ticket);
    expect(await after.meta.page(JOB_ROWS, 10)).toEqual([]);
  }
  expect(batches).toBeGreaterThan(5);
});

it('a restore that is called off, or for which there is no room, leaves nothing', async () => {
  const volume = await prepared();
  const { id } = await volume.restores.start({ snapshot: 'd@s', path: '/dir', destination: undefined });
  expect(await volume.restores.jobs.cancel(id)).toBe(true);
  expect(volume.restores.jobs.jobs()).toMatchObject([{ state: 'cancelled', message: '' }]);
  expect(await volume.list('d', '')).toEqual([]);

  await volume.datasets.set('d', { refquota: '8192' });
  await volume.restores.start({ snapshot: 'd@s', path: '/dir', destination: undefined });
  await volume.ended();
  expect(volume.restores.jobs.jobs()[1]).toMatchObject({ state: 'failed' });
  expect(await volume.list('d', '')).toEqual([]);
  await volume.store.durable(volume.store.ticket);
  expect(await volume.meta.page(JOB_ROWS, 10)).toEqual([]);
});
