// Which seeds run: MODEL_SEEDS=10000 takes the first 10,000, MODEL_SEEDS=17-17 the seventeenth alone.

const SEEDS_DEFAULT = '60';
const { MODEL_SEEDS = SEEDS_DEFAULT } = process.env;
const [first, last] = MODEL_SEEDS.split('-').map(Number);

export const SEEDS = last === undefined ? { first: 1, last: first! } : { first: first!, last };

/** Calls, completions, failures and crashes of one run, before everything is deleted. */
export const STEPS = 500;
