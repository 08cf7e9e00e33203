import { expect, it } from 'vitest';
import { DroppedTrees } from '../../src/datasets/dropped-trees.ts';
import { Deferred } from '../../src/deferred.ts';
import { stageRelease } from '../../src/fs/holds.ts';
import { Sweeps } from '../../src/fs/sweep.ts';
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
const SNAPSHOT = Buffer.from('snapshot');

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

/** Holds the first look for what a drain takes back until somebody looks for old versions. */
class HoldingMetaStore extends MemoryMetaStore {
  readonly looked = new Deferred();
  /** What goes on before old versions are told. */
  meanwhile: (() => Promise<void>) | null = null;
  private readonly goesOn = new Deferred();

  override async page(range: Range, limit: number): Promise<Row[]> {
    const rows = await super.page(range, limit);
    const { meanwhile } = this;
    if (!meanwhile) return rows;
    if (range.gte[0] === keys.chunk.prefix) {
      this.looked.resolve();
      await this.goesOn.promise;
    } else if (range.gte[0] === keys.history.prefix) {
      this.meanwhile = null;
      this.goesOn.resolve();
      await meanwhile();
    }
    return rows;
  }
}

it('a drain leaves a tree alone that is given up with all that it kept while it looks', async () => {
  const meta = new HoldingMetaStore();
  const world = await ViewWorld.open({ random: seededRandom(1), meta });
  const { store } = world.shared;
  const trees = await DroppedTrees.open(store, new Sweeps(store, store.parts.log));
  const { fileSystem, operations } = await world.create();
  const { tree } = operations.records;
  const root = await fileSystem.root();
  const how = { mode: 'guarded', changes: {} } as const;
  const { result } = await fileSystem.create(call, root, Buffer.from('f'), how);
  await fileSystem.write(call, result.node, 0, Buffer.alloc(100_000, 1), true);
  // In so many windows that it is drained.
  await fileSystem.write(call, result.node, FILE_BYTES, Buffer.from('end'), true);
  const kept = await world.keep(world.datasets[0]!);
  // Both versions name the frame.
  await fileSystem.write(call, result.node, 0, Buffer.alloc(1000, 2), true);
  meta.meanwhile = () => world.reclaimer.idle();
  await fileSystem.remove(call, root, Buffer.from('f'));
  world.reclaimer.wake();
  await meta.looked.promise;
  stageRelease(store, tree, kept.generation, SNAPSHOT);
  trees.drop(tree);
  await trees.drained();
  await store.idle();
  expect(store.poisoned).toBe(false);
  expect(world.log).toEqual([]);
  for (const family of [keys.chunk, keys.history, keys.tombstone, keys.tree])
    expect(await store.page(family.range(tree.id), 10)).toEqual([]);
});
