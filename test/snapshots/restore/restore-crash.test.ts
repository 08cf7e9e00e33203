import { describe, expect, it } from 'vitest';
import { JOB_ROWS, openRestoring, type RestoringVolume } from './restoring-volume.ts';

const FILES = 5;
const OTHER_FILES = 2;
const REQUEST = { snapshot: 'd@s', path: '/dir', destination: undefined, replace: false };

/** A dataset with a snapshot of a directory that was lost since. */
async function prepared(): Promise<RestoringVolume> {
  const volume = await openRestoring();
  await volume.datasets.create('d', {});
  await volume.makeFiles('d', 'dir', FILES);
  await volume.snapshots.create('d', 's', {});
  await volume.removeAll('d', 'dir');
  return volume;
}

/** The same, and there is another directory of that name. */
async function preparedWithOther(): Promise<RestoringVolume> {
  const volume = await prepared();
  await volume.makeFiles('d', 'dir', OTHER_FILES);
  return volume;
}

/** After each number of batches the process dies: what the next one finds, and the same once it has gone on. */
async function* crashes(prepare: () => Promise<RestoringVolume>, replace: boolean) {
  for (let batches = 0, whole = false; !whole; batches++) {
    const volume = await prepare();
    volume.meta.dieAfter(batches);
    const restored = async () => {
      await volume.restores.start({ ...REQUEST, replace });
      await volume.ended();
      return true;
    };
    whole = await Promise.race([volume.meta.died.then(() => false), restored()]);
    const after = await openRestoring(volume);
    yield { batches, after, hasJob: (await after.meta.page(JOB_ROWS, 1)).length > 0, whole };
  }
}

async function goOn(volume: RestoringVolume): Promise<void> {
  await volume.restores.resume();
  await volume.ended();
  await volume.store.durable(volume.store.ticket);
  expect(await volume.meta.page(JOB_ROWS, 10)).toEqual([]);
}

describe('a crash at any batch of a restore', () => {
  it('is gone on with: in the end all of it is there, or nothing where it was not yet accepted', async () => {
    let last = 0;
    for await (const { batches, after, hasJob, whole } of crashes(prepared, false)) {
      await goOn(after);
      const isThere = hasJob || whole || (await after.list('d', '')).length > 0;
      expect(await after.list('d', ''), `after ${batches} batches`).toEqual(isThere ? ['dir'] : []);
      if (isThere) expect(await after.list('d', 'dir')).toHaveLength(FILES);
      last = batches;
    }
    expect(last).toBeGreaterThan(5);
  });

  it('leaves what it replaces whole until the copy is in its place', async () => {
    const seen = new Set<number>();
    for await (const { batches, after, hasJob, whole } of crashes(preparedWithOther, true)) {
      const files = (await after.list('d', 'dir')).length;
      expect([OTHER_FILES, FILES], `after ${batches} batches`).toContain(files);
      seen.add(files);
      await goOn(after);
      expect(await after.list('d', '')).toEqual(['dir']);
      expect(await after.list('d', 'dir')).toHaveLength(hasJob || whole ? FILES : files);
    }
    expect(seen.size).toBe(2);
  });

  it('is told where the snapshot was deleted meanwhile, and leaves nothing', async () => {
    for await (const { batches, after, hasJob } of crashes(prepared, false)) {
      if (!hasJob || batches < 3) continue;
      await after.snapshots.delete('d@s');
      await goOn(after);
      expect(after.restores.jobs.jobs()).toMatchObject([
        { state: 'failed', message: expect.stringContaining('Its snapshot was deleted') },
      ]);
      expect(await after.list('d', '')).toEqual([]);
      return;
    }
    expect.unreachable('no crash has left a job');
  });
});

it('a restore that is cut short by the end of the volume begins again at the next start', async () => {
  const volume = await prepared();
  await volume.restores.start(REQUEST);
  await volume.restores.jobs.close();
  await volume.store.durable(volume.store.ticket);
  const after = await openRestoring(volume);
  await goOn(after);
  expect(await after.list('d', 'dir')).toHaveLength(FILES);
});

it('a restore that is called off, or for which there is no room, leaves nothing', async () => {
  const volume = await prepared();
  const { id } = await volume.restores.start(REQUEST);
  expect(await volume.restores.jobs.cancel(id)).toBe(true);
  expect(volume.restores.jobs.jobs()).toMatchObject([{ state: 'cancelled', message: '' }]);
  expect(await volume.list('d', '')).toEqual([]);

  await volume.datasets.set('d', { refquota: '8192' });
  await volume.restores.start(REQUEST);
  await volume.ended();
  expect(volume.restores.jobs.jobs()[1]).toMatchObject({ state: 'failed' });
  expect(await volume.list('d', '')).toEqual([]);
  await volume.store.durable(volume.store.ticket);
  expect(await volume.meta.page(JOB_ROWS, 10)).toEqual([]);
});

it('a restore never takes the place of what a client has made meanwhile', async () => {
  const volume = await prepared();
  await volume.restores.start(REQUEST);
  await volume.makeFiles('d', 'dir', OTHER_FILES);
  await volume.ended();
  expect(volume.restores.jobs.jobs()).toMatchObject([
    { state: 'failed', message: expect.stringContaining('There is a /dir in d already') },
  ]);
  expect(await volume.list('d', '')).toEqual(['dir']);
  expect(await volume.list('d', 'dir')).toHaveLength(OTHER_FILES);
});
