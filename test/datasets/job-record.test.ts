import { describe, expect, it } from 'vitest';
import { decodeJob, encodeJob, type JobRecord } from '../../src/datasets/job-record.ts';
import { DamageError } from '../../src/fs/versioned-value.ts';

const place = { dataset: 3, directory: 2 ** 40 + 5, generation: 0xffff_fffe };
const RESTORE: JobRecord = {
  kind: 'restore',
  ...place,
  snapshot: 7,
  replaces: true,
  path: '/größe/file',
  destination: '/other',
};
const JOBS: readonly (readonly [JobRecord, string])[] = [
  [{ kind: 'drop-tree', tree: 258 }, '010100000102'],
  [{ kind: 'restore-rest', ...place }, '0102000000030000010000000005fffffffe'],
  [{ kind: 'detach', tree: 258 }, '010300000102'],
  [{ kind: 'flatten', tree: 258 }, '010400000102'],
  [{ kind: 'drop-snapshots', dataset: 258 }, '010600000102'],
  [RESTORE, '0105000000030000010000000005fffffffe00000007010000000d'],
];

describe('the row of a job', () => {
  it.each(JOBS)('is read back as it was written: %o', (job, head) => {
    const value = encodeJob(job);
    expect(value.toString('hex').slice(0, head.length)).toBe(head);
    expect(decodeJob(1, value)).toEqual(job);
  });

  it('is damaged when a byte of it is another, or missing, or when it is of no known kind', () => {
    const value = encodeJob(RESTORE);
    for (let at = 0; at < value.length; at++) {
      const wrong = Buffer.from(value);
      wrong[at]! ^= 1;
      expect(() => decodeJob(1, wrong)).toThrow(DamageError);
      expect(() => decodeJob(1, value.subarray(0, at))).toThrow(DamageError);
    }
  });
});
