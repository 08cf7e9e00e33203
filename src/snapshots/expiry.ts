import type { Timestamp } from '../clock.ts';
import { DatasetError } from '../datasets/datasets.ts';

/** A hundred years: past that a number of seconds is a slip of the finger. */
const TTL_SECONDS_MAX = 100 * 365 * 86_400;

/** Unix seconds. @throws DatasetError `invalid` */
export function expiryAt({ seconds }: Timestamp, ttlSeconds: number): number {
  if (Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 1 && ttlSeconds <= TTL_SECONDS_MAX) {
    return seconds + ttlSeconds;
  }
  throw new DatasetError(
    'invalid',
    `A time to live is from 1 second to 100 years, not ${ttlSeconds} seconds`,
  );
}
