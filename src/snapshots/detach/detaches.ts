// Detaching datasets from what they come from, as jobs that go on after a restart. A dataset that is rolled back or
// deleted meanwhile has another tree or none, so its job ends.

import type { Clock } from '../../clock.ts';
import { DatasetError } from '../../datasets/datasets.ts';
import { decodeJob, encodeJob } from '../../datasets/job-record.ts';
import type { DatasetRegistry } from '../../datasets/registry.ts';
import { detach } from '../../fs/detach/detach.ts';
import type { PinnedGenerations } from '../../fs/pinned-generations.ts';
import type { SegmentLog } from '../../fs/segment-log.ts';
import type { Store } from '../../fs/store.ts';
import type { Tree } from '../../fs/tree.ts';
import type { WriteBack } from '../../fs/write-back.ts';
import { keys } from '../../kv/keys.ts';
import type { JobInfo, JobSource } from '../jobs/jobs.ts';

/** Jobs that have ended and are still told of. */
const ENDED_MAX = 100;

export interface DetachesParts {
  readonly store: Store;
  readonly segmentLog: SegmentLog;
  readonly writeBack: WriteBack;
  readonly datasets: DatasetRegistry;
  readonly clock: Clock;
  readonly pins: PinnedGenerations;
  readonly newJobId: () => number;
}

type Ending = Pick<JobInfo, 'state' | 'message'>;

interface Job {
  readonly id: number;
  readonly tree: Tree;
  readonly abort: AbortController;
  info: JobInfo;
  /** The volume is closed: the next start goes on. */
  goesOn: boolean;
  ended: Promise<void>;
}

export class Detaches implements JobSource {
  private readonly parts: DetachesParts;
  private readonly all: Job[] = [];

  constructor(parts: DetachesParts) {
    this.parts = parts;
  }

  /** Goes on with what an earlier run has left. */
  async resume(): Promise<void> {
    const { store, datasets } = this.parts;
    for await (const [key, value] of store.parts.meta.rows(keys.job.range())) {
      const { job: id } = keys.job.parse(key);
      const job = decodeJob(id, value);
      if (job.kind !== 'detach') continue;
      const dataset = [...datasets.context.catalog.all()].find(({ tree }) => tree.id === job.tree);
      if (dataset) this.begin(id, dataset.name, dataset.tree);
      else store.stageRows([{ key, value: null }]);
    }
  }

  /** A second job for the same dataset is the first one. @throws DatasetError */
  start(name: string): JobInfo {
    const { store, datasets, newJobId } = this.parts;
    const { tree } = datasets.context.catalog.get(name);
    const known = this.all.find((job) => job.tree === tree && job.info.state === 'running');
    if (known) return known.info;
    if (tree.parent === null)
      throw new DatasetError(
        'invalid',
        `${name} has nothing to be detached from: all that it shows is its own`,
      );
    const id = newJobId();
    store.stageRows([{ key: keys.job.key(id), value: encodeJob({ kind: 'detach', tree: tree.id }) }]);
    return this.begin(id, name, tree).info;
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

  /** Ends after the batch under way; the next start goes on. */
  async stop(): Promise<void> {
    for (const job of this.all) {
      job.goesOn = true;
      job.abort.abort();
    }
    await Promise.all(this.all.map(({ ended }) => ended));
  }

  private begin(id: number, name: string, tree: Tree): Job {
    const info: JobInfo = {
      id: String(id),
      kind: 'detach',
      subject: `${name} from what it was cloned from`,
      state: 'running',
      unit: 'records',
      done: 0,
      total: null,
      startedAt: this.parts.clock.now().seconds,
      message: '',
    };
    const abort = new AbortController();
    const job: Job = { id, tree, abort, info, goesOn: false, ended: Promise.resolve() };
    this.all.push(job);
    job.ended = this.run(job).then((ending) => {
      job.info = { ...job.info, ...ending };
      this.forgetOld();
    });
    return job;
  }

  private async run(job: Job): Promise<Ending> {
    const { store } = this.parts;
    const row = { key: keys.job.key(job.id), value: null };
    const { signal } = job.abort;
    const onProgress = (records: number, bytes: number) => {
      const { info } = job;
      // Records come first, data is most of it.
      const unit = bytes > 0 ? 'bytes' : info.unit;
      const before = unit === info.unit ? info.done : 0;
      job.info = { ...info, unit, done: before + (unit === 'bytes' ? bytes : records) };
    };
    let ending: Ending;
    try {
      if (await detach({ ...this.parts, signal, onProgress }, job.tree, [row]))
        return { state: 'done', message: '' };
      ending = { state: 'cancelled', message: '' };
    } catch (error) {
      ending = endingOf(error, signal);
      if (ending.state === 'failed')
        store.parts.log.warn({ err: error, job: job.id }, 'A dataset could not be detached');
    }
    // A store that fails tells everybody else.
    if (!job.goesOn && !store.poisoned) await store.durable(store.stageRows([row]))?.catch(() => {});
    return ending;
  }

  private forgetOld(): void {
    const ended = this.all.filter(({ info }) => info.state !== 'running');
    for (const job of ended.slice(0, Math.max(0, ended.length - ENDED_MAX)))
      this.all.splice(this.all.indexOf(job), 1);
  }
}

function endingOf(error: unknown, signal: AbortSignal): Ending {
  if (signal.aborted) return { state: 'cancelled', message: '' };
  return { state: 'failed', message: error instanceof Error ? error.message : String(error) };
}
