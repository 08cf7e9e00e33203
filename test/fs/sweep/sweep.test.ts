import { describe, expect, it } from 'vitest';
import { framesIn } from '../../../src/fs/chunk-frames.ts';
import { snapshotHolder } from '../../../src/fs/holder.ts';
import { stageHold, stageRelease } from '../../../src/fs/holds.ts';
import { bytesFreed } from '../../../src/fs/space-report.ts';
import { Sweeps } from '../../../src/fs/sweep.ts';
import { type Tree, treeCaches } from '../../../src/fs/tree.ts';
import { loadTrees } from '../../../src/fs/tree-rows.ts';
import { keys } from '../../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { AbsentMetaStore } from '../../kv/absent-meta-store.ts';
import { seededRandom, upTo } from '../../kv/seeded-random.ts';
import { type Dataset, type Kept, ViewWorld, type WorldOptions } from '../views/view-world.ts';
import { expectCounted } from './recounted-space.ts';

const SEEDS = 12;
const ROUNDS = 16;
const OPERATIONS = 25;
const SNAPSHOT = Buffer.from('snapshot');

const rowsOf = async (
  world: ViewWorld,
  family: { range(): { gte: Buffer; lt: Buffer } },
): Promise<number> => {
  let rows = 0;
  for await (const _ of world.shared.store.parts.meta.rows(family.range())) rows++;
  return rows;
};

/** Frames that any version of any map names, and those that the segments count as live. */
async function frames(world: ViewWorld): Promise<{ named: number; live: number }> {
  const { store } = world.shared;
  const named = new Set<number>();
  for (const range of [keys.chunk.range(), keys.history.range()]) {
    for await (const [key, value] of store.parts.meta.rows(range)) {
      if (key[0] === 0x0c && key[5] !== 0xfe) continue;
      for (const [id, { inherited }] of framesIn(value)) if (!inherited) named.add(id);
    }
  }
  let live = 0;
  for (const record of store.live.segments.values()) live += record.liveCount;
  return { named: named.size, live };
}

function letGo(world: ViewWorld, kept: Kept): void {
  world.trace.push(`release generation ${kept.generation} of tree ${kept.tree.id}`);
  stageRelease(world.shared.store, kept.tree, kept.generation, SNAPSHOT);
  world.kept.splice(world.kept.indexOf(kept), 1);
}

/** Every note is of a version that is there, and of one interval between kept generations a key has one. */
async function expectBounded(world: ViewWorld): Promise<void> {
  const versions = (await rowsOf(world, keys.history)) + (await rowsOf(world, keys.inode));
  const others = (await rowsOf(world, keys.dirEntry)) + (await rowsOf(world, keys.chunk));
  expect(await rowsOf(world, keys.changed)).toBeLessThanOrEqual(2 * (versions + others));
}

const heldBytes = (tree: Tree): number => [...tree.space.all()].reduce((sum, { bytes }) => sum + bytes, 0);

/** Nothing dirty, nothing to drain, nothing to sweep. */
async function quiet(world: ViewWorld, sweeps: Sweeps): Promise<void> {
  const { store, writeBack } = world.shared;
  for (const tree of store.trees.values()) await writeBack.flushAll(tree);
  await store.idle();
  await sweeps.idle();
  world.reclaimer.wake();
  await world.reclaimer.idle();
}

async function run(options: WorldOptions): Promise<void> {
  const { random } = options;
  const world = await ViewWorld.open(options);
  const { store, writeBack } = world.shared;
  const sweeps = new Sweeps(store, store.parts.log);
  sweeps.start();
  const dataset: Dataset = await world.create();
  const any = <T>(list: readonly T[]): T => list[upTo(random, list.length - 1)]!;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < OPERATIONS; i++) {
        await world.operate(dataset);
        // While a sweep is under way, or before it has begun.
        if (random() < 0.04 && world.kept.length > 1) letGo(world, any(world.kept));
      }
      if (random() < 0.7) await world.keep(dataset);
      if (random() < 0.5) await sweeps.idle();
      if (random() < 0.5) {
        world.reclaimer.wake();
        await world.reclaimer.idle();
      }
      await world.compare();
      await expectCounted(world);
    }
    await sweeps.idle();
    await expectBounded(world);
    while (world.kept.length > 0) {
      const some = world.kept.filter(() => random() < 0.5);
      await quiet(world, sweeps);
      const { tree } = dataset.operations.records;
      const foretold = bytesFreed(tree, new Set(some.map(({ generation }) => generation)));
      const before = heldBytes(tree);
      for (const kept of some) letGo(world, kept);
      await quiet(world, sweeps);
      expect(before - heldBytes(tree), 'bytes freed').toBe(foretold);
      await expectCounted(world);
      if (random() < 0.3) await world.operate(dataset);
      await world.compare();
    }
    const { tree } = dataset.operations.records;
    await writeBack.flushAll(tree);
    await store.idle();
    await sweeps.idle();
    world.reclaimer.wake();
    await world.reclaimer.idle();
    await world.compare();
    for (const family of [keys.history, keys.changed, keys.kept, keys.tombstone])
      expect(await rowsOf(world, family), `rows of family ${family.prefix}`).toBe(0);
    const { named, live } = await frames(world);
    expect(live).toBe(named);
    expect(tree.generations.leaving).toEqual([]);
  } catch (error) {
    throw new Error(world.trace.join('\n'), { cause: error });
  }
}

const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);

describe('a kept generation that nobody holds any more', () => {
  it.each(seeds)('goes with all that only it needed, in any order (seed %i)', (seed) =>
    run({ random: seededRandom(seed) }),
  );

  it.each(seeds.slice(0, 4))('does so with records elsewhere (seed %i)', (seed) => {
    const random = seededRandom(1000 + seed);
    const meta = new AbsentMetaStore(new MemoryMetaStore(), random);
    return run({ random, meta, caches: treeCaches({ inodes: 8, names: 8, chunkBytes: 16_384 }) });
  });

  it('stays as long as anybody holds it', async () => {
    const world = await ViewWorld.open({ random: seededRandom(4) });
    const { store } = world.shared;
    const sweeps = new Sweeps(store, store.parts.log);
    sweeps.start();
    const dataset = await world.create();
    for (let i = 0; i < 50; i++) await world.operate(dataset);
    const kept = await world.keep(dataset);
    const other = snapshotHolder(1, 7);
    stageHold(store, kept.tree, kept.generation, other);
    stageRelease(store, kept.tree, kept.generation, SNAPSHOT);
    for (let i = 0; i < 50; i++) await world.operate(dataset);
    await store.idle();
    await sweeps.idle();
    await world.compare();
    stageRelease(store, kept.tree, kept.generation, other);
    await store.idle();
    await sweeps.idle();
    expect(kept.tree.generations.kept).toEqual([]);
    expect(await rowsOf(world, keys.history)).toBe(0);
  });

  it('is swept together with those beside it', async () => {
    const world = await ViewWorld.open({ random: seededRandom(8) });
    const { store } = world.shared;
    const sweeps = new Sweeps(store, store.parts.log);
    sweeps.start();
    const dataset = await world.create();
    for (let i = 0; i < 60; i++) {
      for (let change = 0; change < 5; change++) await world.operate(dataset);
      await world.keep(dataset);
    }
    await quiet(world, sweeps);
    const { batches } = store.statistics;
    for (const kept of world.kept.slice(1, -1)) letGo(world, kept);
    await store.idle();
    await sweeps.idle();
    expect(store.statistics.batches - batches).toBeLessThan(20);
    expect(dataset.operations.records.tree.generations.leaving).toEqual([]);
    await world.compare();
    await expectCounted(world);
  });

  it('is swept after a restart where it was cut short, and one that was never finished is let go', async () => {
    const random = seededRandom(3);
    const meta = new MemoryMetaStore();
    const world = await ViewWorld.open({ random, meta });
    const dataset = await world.create();
    for (let i = 0; i < 100; i++) await world.operate(dataset);
    const kept = await world.keep(dataset);
    for (let i = 0; i < 100; i++) await world.operate(dataset);
    letGo(world, kept);
    await world.shared.store.idle();
    const trees = await loadTrees(meta, world.shared.store.parts.settings.caches);
    const loaded = trees.get(kept.tree.id)!;
    expect(loaded.generations.leaving).toEqual([kept.generation]);
    expect(loaded.generations.kept).toEqual([]);
    const sweeps = new Sweeps(world.shared.store, world.shared.store.parts.log);
    sweeps.start();
    await sweeps.idle();
    expect(await rowsOf(world, keys.history)).toBe(0);
    expect(await rowsOf(world, keys.kept)).toBe(0);
  });
});
