import { describe, expect, it } from 'vitest';
import { Deferred } from '../../../src/deferred.ts';
import {
  ENDED_MAX,
  type Ending,
  endingOf,
  JobList,
  type RunningJob,
} from '../../../src/snapshots/jobs/job-list.ts';
import { ManualClock } from '../../nfs/manual-clock.ts';

const WHAT = { kind: 'restore', subject: 'a file', unit: 'bytes', total: null } as const;
const DONE: Ending = { state: 'done', message: '' };

const untilAborted = ({ signal }: RunningJob): Promise<Ending> =>
  new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(endingOf(signal.reason, signal)), { once: true }),
  );

describe('a list of jobs', () => {
  it(`tells of those that run and of the last ${ENDED_MAX} that have ended`, async () => {
    const jobs = new JobList(new ManualClock());
    const running = jobs.begin(0, WHAT, untilAborted);
    for (let id = 1; id <= ENDED_MAX + 1; id++) {
      jobs.begin(id, WHAT, async () => DONE);
      await jobs.cancel(String(id));
    }
    const ids = jobs.jobs().map(({ id }) => id);
    expect(ids).toHaveLength(ENDED_MAX + 1);
    expect(ids.slice(0, 2)).toEqual(['0', '2']);
    expect(running.info.state).toBe('running');
    await jobs.close();
  });

  it('has a job that was called off when it has ended', async () => {
    const jobs = new JobList(new ManualClock());
    const step = new Deferred();
    const job = jobs.begin(1, WHAT, async (begun) => {
      await step.promise;
      return endingOf(new Error('late'), begun.signal);
    });
    const cancelled = jobs.cancel('1');
    expect(job.info.state).toBe('running');
    step.resolve();
    expect(await cancelled).toBe(true);
    expect(job.info).toMatchObject({ state: 'cancelled', message: '' });
    expect(await jobs.cancel('2')).toBe(false);
  });

  it('tells one that is called off from one whose volume is closed', async () => {
    const jobs = new JobList(new ManualClock());
    const closed: boolean[] = [];
    const work = (job: RunningJob) => untilAborted(job).finally(() => closed.push(job.closed));
    jobs.begin(1, WHAT, work);
    jobs.begin(2, WHAT, work);
    await jobs.cancel('1');
    await jobs.close();
    expect(closed).toEqual([false, true]);
  });

  it('says why a job has failed', async () => {
    const jobs = new JobList(new ManualClock());
    const job = jobs.begin(1, WHAT, () => Promise.reject(new Error('no room')));
    while (job.info.state === 'running') await new Promise(setImmediate);
    expect(job.info).toMatchObject({ state: 'failed', message: 'no room' });
  });
});
