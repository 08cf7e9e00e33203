import { it } from 'vitest';
import { loadProduct, SOURCE } from '../../fs/model/product.ts';
import { run } from './run.ts';
import { SEEDS, STEPS } from './seeds.ts';

it('snapshots, clones and rollbacks follow the oracle through crashes, and leave nothing behind', {
  timeout: 2 ** 30,
}, async () => {
  const product = await loadProduct(SOURCE);
  for (let seed = SEEDS.first; seed <= SEEDS.last; seed++) await run(product, seed, STEPS);
});
