import { expect, it } from 'vitest';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { openMemoryVolume, writeText } from '../snapshots/memory-volume.ts';

it('no row that is written is empty: LevelDB’s binding would lose the memory of its value', async () => {
  const written: string[] = [];
  const empty: string[] = [];
  class WatchedMetaStore extends MemoryMetaStore {
    override write(...[batch, durable]: Parameters<MemoryMetaStore['write']>): Promise<void> {
      for (const { key, value } of batch) {
        written.push(key.toString('hex'));
        if (value?.length === 0) empty.push(key.toString('hex'));
      }
      return super.write(batch, durable);
    }
  }
  const volume = await openMemoryVolume({ meta: new WatchedMetaStore() });
  const { fileSystem } = volume.datasets.get('root')!;
  for (let round = 0; round < 3; round++) {
    for (const name of ['a', 'b']) await writeText(fileSystem, name, `${name} ${round}`);
    await volume.snapshots.create('root', `round${round}`, {});
  }
  // CHANGED rows are there.
  expect(written.some((key) => key.startsWith('0d'))).toBe(true);
  expect(empty).toEqual([]);
  await volume.close();
});
