// The bytes of a write follow from its number and from where in the file they are, and none is zero: so a hole, a
// stale, a lost or a misplaced byte shows (but for one in 255).

import { seededRandom, upTo } from '../../kv/seeded-random.ts';

/** A prime: writes shift through all of it. */
const PERIOD = 1_048_573;
const SHIFT = 104_729;
const random = seededRandom(1);
const period = Buffer.from(Array.from({ length: PERIOD }, () => 1 + upTo(random, 254)));
const POOL = Buffer.concat([period, period]);
const ZEROS = Buffer.alloc(PERIOD);

/** Number of the write that never was: a hole. */
export const HOLE = 0;

/** What write `id` puts from `from` up to `to`, at most 1,048,573 bytes. They are shared: not to be changed. */
export function patternOf(id: number, from: number, to: number): Buffer {
  if (id === HOLE) return ZEROS.subarray(0, to - from);
  const start = (from + id * SHIFT) % PERIOD;
  return POOL.subarray(start, start + to - from);
}
