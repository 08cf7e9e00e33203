import { describe, expect, it } from 'vitest';
import { treeCaches } from '../../../src/fs/tree.ts';
import { shownThrough } from '../../../src/fs/versions-at.ts';
import { keys } from '../../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import type { Range, Row } from '../../../src/kv/meta-store.ts';
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

const hardlyAny = () => treeCaches({ inodes: 8, names: 8, chunkBytes: 16_384 });

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

describe('a detached tree', { timeout: 30_000 }, () => {
  it.each(seeds)('shows the same as before, and holds nothing of others (seed %i)', (seed) =>
    run({ random: seededRandom(seed) }),
  );

  it.each(seeds)('does so with records elsewhere and hardly anything cached (seed %i)', (seed) => {
    const random = seededRandom(1000 + seed);
    const meta = new AbsentMetaStore(new MemoryMetaStore(), random);
    return run({ random, meta, caches: hardlyAny() });
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

  it('has for its snapshots what they did not find in HISTORY before, and found in its parent', async () => {
    const detaching = await DetachWorld.open({ random: seededRandom(4), caches: hardlyAny() });
    const { world } = detaching;
    await detaching.operate(40);
    await detaching.clone(await world.keep(world.datasets[0]!));
    const [clone] = detaching.clones;
    await detaching.operate(40);
    await world.keep(world.datasets[1]!);
    await detaching.operate(40);
    await world.compare();
    await detaching.flatten(clone!);
    await world.compare();
  });
});

describe('a flattening of more than one view of the store has', () => {
  it('takes all of it along, whatever happens to the origin meanwhile', { timeout: 60_000 }, async () => {
    const detaching = await DetachWorld.open({ random: seededRandom(6) });
    const { world } = detaching;
    const { fileSystem } = world.datasets[0]!;
    const root = await fileSystem.root();
    const names = Array.from({ length: 4200 }, (_, number) => Buffer.from(`file ${number}`));
    const how = { mode: 'guarded', changes: {} } as const;
    await Promise.all(names.map((name) => fileSystem.create(call, root, name, how)));
    await detaching.clone(await world.keep(world.datasets[0]!));
    const [clone] = detaching.clones;
    const flattened = detaching.flatten(clone!);
    await Promise.all(names.map((name) => fileSystem.remove(call, root, name)));
    await flattened;
    const { store } = world.shared;
    // The root directory is one more.
    expect(await store.page(keys.inode.range(clone!.id), 5000)).toHaveLength(names.length + 1);
    expect(await store.page(keys.dirEntry.range(clone!.id), 5000)).toHaveLength(names.length);
  });
});

/** Does something once, in front of the first look at a tombstone. */
class ObservedMetaStore extends MemoryMetaStore {
  beforeTombstones: (() => Promise<void>) | null = null;

  override async page(range: Range, limit: number): Promise<Row[]> {
    const { beforeTombstones } = this;
    const { gte, lt } = keys.tombstone.range();
    if (beforeTombstones && Buffer.compare(range.gte, gte) > 0 && Buffer.compare(range.gte, lt) < 0) {
      this.beforeTombstones = null;
      await beforeTombstones();
    }
    return super.page(range, limit);
  }
}

describe('a flattening takes no data along that was given up before the fork', () => {
  it.each(['is still to be drained', 'is drained meanwhile'])('and %s', async (when) => {
    const meta = new ObservedMetaStore();
    const detaching = await DetachWorld.open({ random: seededRandom(5), meta });
    const { world } = detaching;
    const { reclaimer } = world;
    const { fileSystem } = world.datasets[0]!;
    const root = await fileSystem.root();
    const how = { mode: 'guarded', changes: {} } as const;
    const { result } = await fileSystem.create(call, root, Buffer.from('given up'), how);
    // In so many windows that they are not given up at once.
    await fileSystem.write(call, result.node, 5 * 2 ** 20, Buffer.alloc(100_000, 1), false);
    await fileSystem.settled((await fileSystem.commit(call, result.node)).ticket);
    world.datasets[0]!.walk = null;
    await reclaimer.pause();
    await fileSystem.remove(call, root, Buffer.from('given up'));
    await detaching.clone(await world.keep(world.datasets[0]!));
    const [clone] = detaching.clones;
    const { store } = world.shared;
    const { parent } = clone!;
    expect(await store.page(keys.chunk.range(parent!.tree), 1)).toHaveLength(1);
    if (when === 'is drained meanwhile')
      meta.beforeTombstones = async () => {
        reclaimer.resume();
        await reclaimer.idle();
        await reclaimer.pause();
      };
    await detaching.flatten(clone!);
    expect(await store.page(keys.chunk.range(clone!.id), 1)).toEqual([]);
    reclaimer.resume();
  });
});
