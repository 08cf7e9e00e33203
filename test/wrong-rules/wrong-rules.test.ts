import { describe, expect, it } from 'vitest';
import { runPatched } from './patched-project.ts';
import { WRONG_RULES } from './rules.ts';

describe('a test fails when the source follows the wrong rule', () => {
  it.each(WRONG_RULES)('$rule', { timeout: 120_000 }, async (wrong) => {
    expect(await runPatched(wrong)).toEqual({ passed: 0, failed: 1 });
  });
});
