import { describe, it } from 'vitest';
import { treeCaches } from '../../../src/fs/tree.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { AbsentMetaStore } from '../../kv/absent-meta-store.ts';
import { seededRandom, upTo } from '../../kv/seeded-random.ts';
import { ViewWorld, type WorldOptions } from './view-world.ts';

const SEEDS = 3;
const ROUNDS = 10;
const OPERATIONS = 30;
const DATASETS_MAX = 4;

/** Operations on every dataset, between which datasets are kept, cloned and taken back. */
async function run(options: WorldOptions, rollbacks: boolean): Promise<void> {
  const { random } = options;
  const world = await ViewWorld.open(options);
  await world.create();
  const any = <T>(list: readonly T[]): T => list[upTo(random, list.length - 1)]!;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < OPERATIONS; i++) await world.operate(any(world.datasets));
      if (round % 2 === 0) await world.keep(any(world.datasets));
      else if (rollbacks && random() < 0.6) {
        const dataset = any(world.datasets);
        const own = world.kept.filter((kept) => kept.dataset === dataset.id);
        if (own.length > 0) await world.rollback(dataset, any(own));
      } else if (world.datasets.length < DATASETS_MAX) await world.clone(any(world.kept));
      if (random() < 0.4) {
        world.reclaimer.wake();
        await world.reclaimer.idle();
      }
      await world.compare();
    }
  } catch (error) {
    throw new Error(world.trace.join('\n'), { cause: error });
  }
}

const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);
const absent = (seed: number): WorldOptions => {
  const random = seededRandom(1000 + seed);
  const meta = new AbsentMetaStore(new MemoryMetaStore(), random);
  return { random, meta, caches: treeCaches({ inodes: 8, names: 8, chunkBytes: 16_384 }) };
};

describe('a clone', () => {
  it.each(seeds)('goes its own way, and so does its origin (seed %i)', (seed) =>
    run({ random: seededRandom(seed) }, false),
  );

  it.each(seeds)('does so with records elsewhere and hardly anything cached (seed %i)', (seed) =>
    run(absent(seed), false),
  );
});

describe('a rollback', () => {
  it.each(seeds)('gives back what was kept, and newer snapshots stay (seed %i)', (seed) =>
    run({ random: seededRandom(seed) }, true),
  );

  it.each(seeds)('does so with records elsewhere and hardly anything cached (seed %i)', (seed) =>
    run(absent(seed), true),
  );
});
