// A job that a command has begun and waits for.

import { setTimeout } from 'node:timers/promises';
import type { AdminClient } from '../grpc/admin-client.ts';
import type { JobMessage } from '../grpc/admin-messages.ts';
import { CliError, EXIT } from './exit-code.ts';

const LOOK_MS = 100;

/** Looks until the job has ended. @throws CliError when it has failed or was called off */
export async function followJob(client: AdminClient, begun: JobMessage): Promise<JobMessage> {
  let job = begun;
  while (job.state === 'running') {
    // Not by the clock, whose timers let a process end that waits for nothing else.
    await setTimeout(LOOK_MS);
    const { jobs } = await client.call('ListJobs', {});
    const found = jobs.find(({ id }) => id === begun.id);
    if (!found) throw new CliError(EXIT.other, `Job ${begun.id} is not there any more`);
    job = found;
  }
  if (job.state === 'done') return job;
  const why = job.state === 'cancelled' ? 'it was called off' : job.message;
  throw new CliError(EXIT.other, `Job ${job.id} has not finished: ${why}`);
}
