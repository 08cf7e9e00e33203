import { expect, it } from 'vitest';
import { isDrained } from '../../src/fs/tombstone.ts';
import { keys } from '../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import type { Range, Row } from '../../src/kv/meta-store.ts';
import { seededRandom } from '../kv/seeded-random.ts';
import { ViewWorld } from './views/view-world.ts';
import { SUPERUSER } from './views/walk.ts';

const call = { caller: SUPERUSER };
const FILES = 40;
/** Of so many windows that the data is drained, and not taken away with the name. */
const FILE_BYTES = 8 * 2 ** 20;

class WatchedMetaStore extends MemoryMetaStore {
  tombstones = 0;

  override async page(range: Range, limit: number): Promise<Row[]> {
    const rows = await super.page(range, limit);
    this.tombstones += rows.filter(([key]) => key[0] === keys.tombstone.prefix).length;
    return rows;
  }
}

it('the tombstones that a clone keeps are read once a run, not at each look for what is to be drained', async () => {
  const meta = new WatchedMetaStore();
  const world = await ViewWorld.open({ random: seededRandom(1), meta });
  const dataset = await world.create();
  const root = await dataset.fileSystem.root();
  const how = { mode: 'guarded', changes: {} } as const;
  for (let at = 0; at < FILES; at++) {
    const { result } = await dataset.fileSystem.create(call, root, Buffer.from(`f${at}`), how);
    await dataset.fileSystem.write(call, result.node, FILE_BYTES, Buffer.from('end'), true);
  }
  dataset.walk = null;
  const clone = await world.clone(await world.keep(dataset));
  const drained = async () => {
    world.reclaimer.wake();
    await world.reclaimer.idle();
  };
  await drained();
  meta.tombstones = 0;
  for (let at = 0; at < FILES; at++) {
    await clone.fileSystem.remove(call, root, Buffer.from(`f${at}`));
    await drained();
  }
  expect(meta.tombstones).toBe(FILES);
  clone.walk = null;
  await world.restart();
  // Of an earlier run it is not known.
  await drained();
  meta.tombstones = 0;
  await drained();
  expect(meta.tombstones).toBe(0);
  const { id } = clone.operations.records.tree;
  const kept = await world.shared.store.page(keys.tombstone.range(id), FILES + 1);
  expect(kept.map(([, value]) => isDrained(value))).toEqual(Array(FILES).fill(true));
});
