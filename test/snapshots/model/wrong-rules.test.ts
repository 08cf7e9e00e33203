import { describe, expect, it } from 'vitest';
import { withPatchedCopy } from '../../fs/model/patched-copy.ts';
import { loadProduct } from '../../fs/model/product.ts';
import { RunFailure, run } from './run.ts';
import { STEPS } from './seeds.ts';
import { WRONG_RULES } from './wrong-rules.ts';

/** Each wrong rule is found within so many runs from the one that found it first. */
const SEEDS_MAX = 150;

describe('the model of snapshots finds the wrong rule', () => {
  it.each(WRONG_RULES)('$rule', { timeout: 120_000 }, async (wrong) => {
    const failure = await withPatchedCopy(wrong, (source) => firstFailure(source, wrong.seed));
    expect(failure).toBeInstanceOf(RunFailure);
  });
});

async function firstFailure(source: string, from: number): Promise<unknown> {
  const product = await loadProduct(source);
  for (let seed = from; seed < from + SEEDS_MAX; seed++) {
    try {
      await run(product, seed, STEPS);
    } catch (error) {
      return error;
    }
  }
  return undefined;
}
