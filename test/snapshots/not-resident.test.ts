import { expect, it } from 'vitest';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { AbsentMetaStore } from '../kv/absent-meta-store.ts';
import { seededRandom } from '../kv/seeded-random.ts';
import { openMemoryVolume, writeText } from './memory-volume.ts';

const SNAPSHOTS = 3;

it('says what deletions would give back, and deletes, where rows are elsewhere and have to be fetched', async () => {
  const meta = new AbsentMetaStore(new MemoryMetaStore(), seededRandom(1), 0.5);
  const volume = await openMemoryVolume({ meta });
  const { datasets, snapshots } = volume;
  await datasets.create('d', {});
  for (let at = 0; at < SNAPSHOTS; at++) {
    await writeText(datasets.get('d')!.fileSystem, 'file', `text ${at}`);
    await snapshots.create('d', `s${at}`, {});
  }
  const names = ['d@s0', 'd@s1', 'd@s2'];
  // What is fetched once may be elsewhere the next time.
  for (let round = 0; round < 10; round++) {
    expect(await snapshots.planDelete('d@%')).toEqual({ names, bytes: 12 });
    expect(await datasets.planDelete('d', false)).toMatchObject({ names: ['d', ...names], bytes: 18 });
  }
  expect(await snapshots.delete('d@s0')).toEqual({ names: ['d@s0'], bytes: 6 });
  expect(await datasets.delete('d', false)).toMatchObject({ names: ['d', 'd@s1', 'd@s2'], bytes: 12 });
  await volume.close();
});
