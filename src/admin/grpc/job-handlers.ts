// The methods of the service that begin jobs, tell of them and call them off.

import type { JobInfo } from '../../snapshots/jobs/jobs.ts';
import type { ManagedServer } from '../managed-server.ts';
import type { AdminHandlers } from './admin-handlers.ts';
import type { JobMessage } from './admin-messages.ts';
import { given, givenDataset } from './request-check.ts';

type JobMethods = 'Restore' | 'Detach' | 'ListJobs' | 'CancelJob';

export function jobHandlers({
  restores,
  detaches,
  jobs,
}: Pick<ManagedServer, 'restores' | 'detaches' | 'jobs'>): Pick<AdminHandlers, JobMethods> {
  return {
    async Restore({ snapshot, path, destination, replace }) {
      const job = await restores.start({
        snapshot: given(snapshot, 'snapshot'),
        path: given(path, 'path'),
        destination: destination === '' ? undefined : destination,
        replace,
      });
      return { job: jobMessage(job) };
    },
    async Detach({ name }) {
      return { job: jobMessage(await detaches.start(givenDataset(name))) };
    },
    ListJobs: () => ({ jobs: jobs.list().map(jobMessage) }),
    async CancelJob({ id }) {
      await jobs.cancel(given(id, 'job'));
      return { job: jobMessage(jobs.get(id)) };
    },
  };
}

function jobMessage({ total, ...job }: JobInfo): JobMessage {
  return { ...job, ...(total === null ? {} : { total }) };
}
