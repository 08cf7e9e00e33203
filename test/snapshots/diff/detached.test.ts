import { expect, it } from 'vitest';
import { compareMoments } from '../../../src/snapshots/diff/compare.ts';
import { any, DetachWorld } from '../../fs/detach/detach-world.ts';
import { seededRandom } from '../../kv/seeded-random.ts';
import { asTold, expectedChanges } from './expected-changes.ts';

const SEEDS = 4;

it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
  'a comparison tells all that differs also after a detach, where no notes lead across (seed %i)',
  async (seed) => {
    const random = seededRandom(seed);
    const detaching = await DetachWorld.open({ random });
    const { world } = detaching;
    await detaching.operate(60);
    await detaching.clone(await world.keep(world.datasets[0]!));
    await detaching.operate(15);
    for (const dataset of world.datasets) await world.keep(dataset);
    await detaching.detach(any(random, detaching.clones));
    for (const from of world.kept) {
      for (const to of world.kept) {
        const changes = [];
        const { store } = world.shared;
        for await (const change of compareMoments(store, from, to, { ranges: false })) changes.push(change);
        expect(asTold(changes, from.walk, to.walk)).toEqual(expectedChanges(from.walk, to.walk));
      }
    }
  },
);
