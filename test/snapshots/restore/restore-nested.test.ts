// A restore where other datasets are nested: what it would put below their directories nobody would see.

import { expect, it } from 'vitest';
import { openRestoring, type RestoringVolume } from './restoring-volume.ts';

const REQUEST = { snapshot: 'w@s', path: '/dir', destination: undefined, replace: false };

async function prepared(): Promise<RestoringVolume> {
  const volume = await openRestoring();
  await volume.datasets.create('w', {});
  await volume.makeFiles('w', 'dir', 3);
  await volume.datasets.create('w/n', {});
  await volume.snapshots.create('w', 's', {});
  return volume;
}

/** What w stores in the directory at which w/n shows. */
const hidden = (volume: RestoringVolume) => volume.list('w', 'n');

it('is refused below and at the directory of a nested dataset, before anything is copied', async () => {
  const volume = await prepared();
  await expect(volume.restores.start({ ...REQUEST, destination: '/n/dir' })).rejects.toMatchObject({
    code: 'invalid',
    message:
      '/n of w is where the dataset w/n shows, and a restore stays in its own dataset: say where else to restore to',
  });
  for (const replace of [false, true])
    await expect(volume.restores.start({ ...REQUEST, destination: '/n', replace })).rejects.toMatchObject({
      code: 'exists',
      message: '/n of w is where the dataset w/n shows, which is not replaced: say where else to restore to',
    });
  expect(volume.restores.jobs.jobs()).toEqual([]);
  expect(await hidden(volume)).toEqual([]);
});

it('says where to look for what a nested dataset had', async () => {
  const volume = await prepared();
  for (const path of ['/n', '/n/one'])
    await expect(volume.restores.start({ ...REQUEST, path, destination: '/again' })).rejects.toMatchObject({
      code: 'not-found',
      message: `w@s has nothing of ${path}: /n is where the dataset w/n showed: restore from a snapshot of w/n`,
    });
  await volume.datasets.delete('w/n', false);
  await expect(volume.restores.start({ ...REQUEST, path: '/n' })).rejects.toMatchObject({
    message: 'w@s has nothing of /n: /n is where a dataset showed that is gone',
  });
});

it.each([false, true])(
  'fails where a dataset comes to show at its destination meanwhile (replace: %s)',
  async (replace) => {
    const volume = await prepared();
    await volume.restores.start({ ...REQUEST, destination: '/later', replace });
    await volume.datasets.create('w/later', {});
    await volume.ended();
    expect(volume.restores.jobs.jobs()).toMatchObject([
      { state: 'failed', message: expect.stringContaining('/later of w is where the dataset w/later shows') },
    ]);
    expect(await volume.list('w', '')).toEqual(expect.not.arrayContaining(['.cairn-restore-101']));
    expect(await volume.list('w', 'later')).toEqual([]);
  },
);

it('fails after a restart where a dataset shows at the directory by then', async () => {
  const volume = await openRestoring();
  await volume.datasets.create('w', {});
  await volume.makeFiles('w', 'dir', 3);
  await volume.makeFiles('w', 'n', 0);
  await volume.snapshots.create('w', 's', {});
  await volume.restores.start({ ...REQUEST, destination: '/n/dir' });
  await volume.restores.jobs.close();
  // The directory of the job, empty as the snapshot has it, is what w/n shows at after a rollback.
  await volume.removeAll('w', 'n');
  await volume.datasets.create('w/n', {});
  await volume.snapshots.rollback('w@s', false);
  const after = await openRestoring(volume);
  await after.restores.resume();
  await after.ended();
  expect(after.restores.jobs.jobs()).toMatchObject([
    { state: 'failed', message: expect.stringContaining('/n of w is where the dataset w/n shows') },
  ]);
  expect(await hidden(after)).toEqual([]);
});
