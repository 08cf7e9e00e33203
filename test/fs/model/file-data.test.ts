import { expect, it } from 'vitest';
import { loadProduct, SOURCE } from './product.ts';
import { run } from './run.ts';
import { SEEDS, STEPS } from './seeds.ts';

it('agrees with the model over crashes, failures and kept generations', {
  timeout: 2 ** 31 - 1,
}, async () => {
  const product = await loadProduct(SOURCE);
  for (let seed = SEEDS.first; seed <= SEEDS.last; seed++) await run(product, seed, STEPS);
  expect(SEEDS.last).toBeGreaterThanOrEqual(SEEDS.first);
});
