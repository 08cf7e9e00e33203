import { expect, it } from 'vitest';
import { openMemoryVolume, writeText } from '../memory-volume.ts';

it('shows no job for a tree that lost its head, while all that is left of it is kept by snapshots', async () => {
  const volume = await openMemoryVolume();
  const { datasets, snapshots, jobs, trees } = volume;
  await datasets.create('data', {});
  await writeText(datasets.get('data')!.fileSystem, 'file', 'text');
  await snapshots.create('data', 'first', {});
  await writeText(datasets.get('data')!.fileSystem, 'later', 'text');
  await snapshots.rollback('data@first', true);
  expect(jobs.list()).toMatchObject([{ kind: 'delete', state: 'running' }]);
  await trees.drained();
  expect(jobs.list()).toEqual([]);
  await volume.close();
});
