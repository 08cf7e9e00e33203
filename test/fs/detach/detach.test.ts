import { describe, expect, it } from 'vitest';
import { treeCaches } from '../../../src/fs/tree.ts';
import { shownThrough } from '../../../src/fs/versions-at.ts';
import { keys } from '../../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { AbsentMetaStore } from '../../kv/absent-meta-store.ts';
import { seededRandom } from '../../kv/seeded-random.ts';
import type { WorldOptions } from '../views/view-world.ts';
import { SUPERUSER } from '../views/walk.ts';
import { any, DetachWorld } from './detach-world.ts';

const call = { caller: SUPERUSER };
const SEEDS = 6;
const ROUNDS = 12;
const OPERATIONS = 20;
const DATASETS_MAX = 4;

async function run(options: WorldOptions): Promise<void> {
  const { random } = options;
  const detaching = await DetachWorld.open(options);
  const { world } = detaching;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await detaching.operate(OPERATIONS);
      const kept = await world.keep(any(random, world.datasets));
      if (world.datasets.length < DATASETS_MAX)
        await detaching.clone(random() < 0.5 ? kept : any(random, world.kept));
      if (random() < 0.3) detaching.letGo(any(random, world.kept));
      const { clones } = detaching;
      if (clones.length > 0 && random() < 0.4) await detaching.detach(any(random, clones));
      if (random() < 0.5) await detaching.rest();
      await world.compare();
    }
    while (world.kept.length > 0) detaching.letGo(any(random, world.kept));
    for (const tree of detaching.clones) await detaching.detach(tree);
    while (world.kept.length > 0) detaching.letGo(any(random, world.kept));
    await detaching.rest();
    await world.compare();
    await detaching.expectNoLeak();
    // Each dataset has all that it shows, and nothing else is there.
    for (const family of [keys.history, keys.changed, keys.tombstone, keys.kept])
      expect(await detaching.rowsOf(family), `rows of family ${family.prefix}`).toBe(0);
    for (const tree of world.shared.store.trees.values()) expect(tree.holds).toEqual([]);
  } catch (error) {
    throw new Error(world.trace.join('\n'), { cause: error });
  }
}

const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);

describe('a detached tree', () => {
  it.each(seeds)('shows the same as before, and holds nothing of others (seed %i)', (seed) =>
    run({ random: seededRandom(seed) }),
  );

  it.each(seeds)('does so with records elsewhere and hardly anything cached (seed %i)', (seed) => {
    const random = seededRandom(1000 + seed);
    const meta = new AbsentMetaStore(new MemoryMetaStore(), random);
    return run({ random, meta, caches: treeCaches({ inodes: 8, names: 8, chunkBytes: 16_384 }) });
  });
});

describe('a flattened tree', () => {
  it('shows the same as before without a look at its parent, and so do clones of what it had before it wrote', async () => {
    const detaching = await DetachWorld.open({ random: seededRandom(3) });
    const { world } = detaching;
    await detaching.operate(40);
    await detaching.clone(await world.keep(world.datasets[0]!));
    const [clone] = detaching.clones;
    await detaching.clone(await world.keep(world.datasets[1]!));
    await detaching.clone(await world.keep(world.datasets[2]!));
    await world.restart();
    await detaching.flatten(world.shared.store.tree(clone!.id));
    for (let round = 0; round < 2; round++) {
      await detaching.operate(20);
      await world.compare();
      await world.restart();
      const tree = world.shared.store.tree(clone!.id);
      expect(shownThrough(world.shared.store, tree)).toBeNull();
      expect(tree.parent).not.toBeNull();
    }
    await detaching.detach(world.shared.store.tree(clone!.id));
    await world.compare();
  });
});

it('a detach takes no data along that was given up before the fork and is still to be drained', async () => {
  const detaching = await DetachWorld.open({ random: seededRandom(5) });
  const { world } = detaching;
  const { fileSystem } = world.datasets[0]!;
  const root = await fileSystem.root();
  const how = { mode: 'guarded', changes: {} } as const;
  const { result } = await fileSystem.create(call, root, Buffer.from('given up'), how);
  await fileSystem.write(call, result.node, 0, Buffer.alloc(100_000, 1), true);
  world.datasets[0]!.walk = null;
  await world.reclaimer.pause();
  await fileSystem.remove(call, root, Buffer.from('given up'));
  await detaching.clone(await world.keep(world.datasets[0]!));
  const [clone] = detaching.clones;
  await detaching.detach(clone!);
  const { store } = world.shared;
  expect(await store.page(keys.chunk.range(clone!.id), 1)).toEqual([]);
  world.reclaimer.resume();
});
