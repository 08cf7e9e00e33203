// Snapshots, clones, rollbacks and datasets, let go of in any order: what is left shows what it showed, and in the end
// nothing is left in the store.

import { describe, expect, it } from 'vitest';
import { DroppedTrees } from '../../../src/datasets/dropped-trees.ts';
import { stageRelease } from '../../../src/fs/holds.ts';
import { Sweeps } from '../../../src/fs/sweep.ts';
import { keys } from '../../../src/kv/keys.ts';
import { seededRandom, upTo } from '../../kv/seeded-random.ts';
import { type Dataset, type Kept, ViewWorld } from '../views/view-world.ts';
import { expectCounted } from './recounted-space.ts';

/** A hundred were run by hand. */
const SEEDS = 8;
const ROUNDS = 14;
const OPERATIONS = 15;
const DATASETS_MAX = 4;
/** A tree that goes lets go of its parent's generation, and so on up; data is drained before it is swept. */
const RESTS = 6;
const SNAPSHOT = Buffer.from('snapshot');

/** A world whose datasets and snapshots can be deleted. */
class DeletingWorld {
  readonly world: ViewWorld;
  private readonly sweeps: Sweeps;
  private readonly trees: DroppedTrees;

  private constructor(world: ViewWorld, sweeps: Sweeps, trees: DroppedTrees) {
    this.world = world;
    this.sweeps = sweeps;
    this.trees = trees;
  }

  static async open(seed: number): Promise<DeletingWorld> {
    const world = await ViewWorld.open({ random: seededRandom(seed) });
    const { store } = world.shared;
    const sweeps = new Sweeps(store, store.parts.log);
    sweeps.start();
    return new DeletingWorld(world, sweeps, await DroppedTrees.open(store, sweeps));
  }

  async rollback(dataset: Dataset, kept: Kept): Promise<void> {
    const before = dataset.operations.records.tree;
    await this.world.rollback(dataset, kept);
    this.trees.drop(before);
  }

  deleteSnapshot(kept: Kept): void {
    const { world } = this;
    world.trace.push(`delete generation ${kept.generation} of tree ${kept.tree.id}`);
    stageRelease(world.shared.store, kept.tree, kept.generation, SNAPSHOT);
    world.kept.splice(world.kept.indexOf(kept), 1);
  }

  deleteDataset(dataset: Dataset): void {
    const { world } = this;
    world.trace.push(`delete dataset ${dataset.id}`);
    this.trees.drop(dataset.operations.records.tree);
    world.datasets.splice(world.datasets.indexOf(dataset), 1);
  }

  /** Everything that goes on in the background comes to its end; then a check finds nothing either. */
  async rest(): Promise<void> {
    const { reclaimer, shared } = this.world;
    for (let round = 0; round < RESTS; round++) {
      await shared.store.idle();
      await this.sweeps.idle();
      await this.trees.drained();
      reclaimer.wake();
      await reclaimer.idle();
    }
    await this.world.compare();
  }

  /** But those of the volume itself. */
  async rowsLeft(): Promise<string[]> {
    const left: string[] = [];
    for (const [name, family] of Object.entries(keys)) {
      if (name === 'system' || name === 'segment') continue;
      for await (const [key] of this.world.shared.store.parts.meta.rows(family.range()))
        left.push(`${name} ${key.toString('hex')}`);
    }
    return left;
  }
}

async function run(seed: number): Promise<void> {
  const random = seededRandom(10_000 + seed);
  const deleting = await DeletingWorld.open(seed);
  const { world } = deleting;
  const any = <T>(list: readonly T[]): T => list[upTo(random, list.length - 1)]!;
  try {
    await world.create();
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < OPERATIONS; i++) {
        await world.operate(any(world.datasets));
        if (random() < 0.03 && world.kept.length > 1) deleting.deleteSnapshot(any(world.kept));
      }
      const dataset = any(world.datasets);
      if (random() < 0.7) await world.keep(dataset);
      const cloneable = world.kept.filter((kept) => world.datasets.some(({ id }) => id === kept.dataset));
      const ofDataset = world.kept.filter((kept) => kept.dataset === dataset.id);
      if (random() < 0.3 && cloneable.length > 0 && world.datasets.length < DATASETS_MAX)
        await world.clone(any(cloneable));
      else if (random() < 0.3 && ofDataset.length > 0) await deleting.rollback(dataset, any(ofDataset));
      else if (random() < 0.1 && world.datasets.length > 1) deleting.deleteDataset(dataset);
      if (random() < 0.4) await deleting.rest();
      await world.compareShown();
      await expectCounted(world);
    }
    while (world.kept.length > 0 || world.datasets.length > 0) {
      const goes = upTo(random, world.kept.length + world.datasets.length - 1);
      if (goes < world.kept.length) deleting.deleteSnapshot(world.kept[goes]!);
      else deleting.deleteDataset(world.datasets[goes - world.kept.length]!);
      if (random() < 0.5) await deleting.rest();
      await world.compareShown();
    }
    await deleting.rest();
    expect(await deleting.rowsLeft()).toEqual([]);
    const { live, trees } = world.shared.store;
    for (const [segment, { liveCount }] of live.segments) expect(liveCount, `segment ${segment}`).toBe(0);
    expect(trees.size).toBe(0);
  } catch (error) {
    throw new Error(world.trace.join('\n'), { cause: error });
  }
}

describe('snapshots, clones and datasets', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    'are deleted in any order, and leave nothing (seed %i)',
    run,
  );
});
