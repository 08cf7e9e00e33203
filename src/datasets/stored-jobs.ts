// The jobs that earlier runs have left: each kind goes on with its own.

import { keys } from '../kv/keys.ts';
import type { MetaStore } from '../kv/meta-store.ts';
import { decodeJob, type JobRecord } from './job-record.ts';

export interface StoredJob {
  readonly id: number;
  readonly job: JobRecord;
}

/** In the order in which they were begun. @throws DamageError */
export async function* storedJobs(meta: MetaStore): AsyncGenerator<StoredJob> {
  for await (const [key, value] of meta.rows(keys.job.range())) {
    const { job: id } = keys.job.parse(key);
    yield { id, job: decodeJob(id, value) };
  }
}
