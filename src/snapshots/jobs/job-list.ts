// The jobs of one kind: those that run, and the last that have ended.

import type { Clock } from '../../clock.ts';
import type { JobInfo, JobSource } from './jobs.ts';

/** Jobs that have ended and are still told of. */
export const ENDED_MAX = 100;

export type Ending = Pick<JobInfo, 'state' | 'message'>;

export interface RunningJob {
  readonly id: number;
  /** It is called off, or the volume is closed. */
  readonly signal: AbortSignal;
  /** The volume is closed. */
  readonly closed: boolean;
  info: JobInfo;
}

interface ListedJob extends RunningJob {
  readonly abort: AbortController;
  closed: boolean;
  ended: Promise<void>;
}

export class JobList implements JobSource {
  private readonly clock: Clock;
  private readonly all: ListedJob[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** @param work runs until the job has ended, and tells how */
  begin(
    id: number,
    what: Pick<JobInfo, 'kind' | 'subject' | 'unit' | 'total'>,
    work: (job: RunningJob) => Promise<Ending>,
  ): RunningJob {
    const abort = new AbortController();
    const job: ListedJob = {
      id,
      abort,
      signal: abort.signal,
      closed: false,
      info: {
        ...what,
        id: String(id),
        state: 'running',
        done: 0,
        startedAt: this.clock.now().seconds,
        message: '',
      },
      ended: Promise.resolve(),
    };
    this.all.push(job);
    job.ended = work(job)
      .catch((error: unknown) => endingOf(error, abort.signal))
      .then((ending) => {
        job.info = { ...job.info, ...ending };
        this.forgetOld();
      });
    return job;
  }

  jobs(): readonly JobInfo[] {
    return this.all.map(({ info }) => info);
  }

  async cancel(id: string): Promise<boolean> {
    const job = this.all.find(({ info }) => info.id === id);
    if (!job) return false;
    job.abort.abort();
    await job.ended;
    return true;
  }

  /** All end after the step under way. */
  async close(): Promise<void> {
    for (const job of this.all) {
      job.closed = true;
      job.abort.abort();
    }
    await Promise.all(this.all.map(({ ended }) => ended));
  }

  private forgetOld(): void {
    const ended = this.all.filter(({ info }) => info.state !== 'running');
    for (const job of ended.slice(0, Math.max(0, ended.length - ENDED_MAX)))
      this.all.splice(this.all.indexOf(job), 1);
  }
}

/** How a job has ended that threw. */
export function endingOf(error: unknown, signal: AbortSignal): Ending {
  if (signal.aborted) return { state: 'cancelled', message: '' };
  return { state: 'failed', message: error instanceof Error ? error.message : String(error) };
}
