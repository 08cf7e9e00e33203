import { describe, expect, it } from 'vitest';
import { withPatchedCopy } from './patched-copy.ts';
import { loadProduct } from './product.ts';
import { RunFailure, run } from './run.ts';
import { STEPS } from './seeds.ts';
import { WRONG_RULES } from './wrong-rules.ts';

/** Each wrong rule is found within so many runs. */
const SEEDS_MAX = 100;

describe('the model finds the wrong rule', () => {
  it.each(WRONG_RULES)('$rule', { timeout: 120_000 }, async (wrong) => {
    const failure = await withPatchedCopy(wrong, firstFailure);
    expect(failure).toBeInstanceOf(RunFailure);
  });
});

async function firstFailure(source: string): Promise<unknown> {
  const product = await loadProduct(source);
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    try {
      await run(product, seed, STEPS);
    } catch (error) {
      return error;
    }
  }
  return undefined;
}
