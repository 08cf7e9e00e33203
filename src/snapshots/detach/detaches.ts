// Detaching datasets from what they come from, or only letting reads stop at them, as jobs that go on after a restart. A
// dataset that is rolled back or deleted meanwhile has another tree or none, so its job ends.

import type { Clock } from '../../clock.ts';
import type { DatasetEntry } from '../../datasets/dataset-entry.ts';
import { DatasetError } from '../../datasets/datasets.ts';
import { encodeJob } from '../../datasets/job-record.ts';
import type { DatasetRegistry } from '../../datasets/registry.ts';
import { storedJobs } from '../../datasets/stored-jobs.ts';
import { detach, flatten } from '../../fs/detach/detach.ts';
import type { PinnedGenerations } from '../../fs/pinned-generations.ts';
import type { SegmentLog } from '../../fs/segment-log.ts';
import type { Store } from '../../fs/store.ts';
import type { Tree } from '../../fs/tree.ts';
import type { WriteBack } from '../../fs/write-back.ts';
import { keys } from '../../kv/keys.ts';
import { type Ending, endingOf, JobList, type RunningJob } from '../jobs/job-list.ts';
import type { JobInfo } from '../jobs/jobs.ts';

export interface DetachesParts {
  readonly store: Store;
  readonly segmentLog: SegmentLog;
  readonly writeBack: WriteBack;
  readonly datasets: DatasetRegistry;
  readonly clock: Clock;
  readonly pins: PinnedGenerations;
  readonly newJobId: () => number;
}

export type DetachKind = 'detach' | 'flatten';

interface Running {
  readonly kind: DetachKind;
  readonly job: RunningJob;
  readonly ended: Promise<Ending>;
}

export class Detaches {
  readonly jobs: JobList;
  private readonly parts: DetachesParts;
  private readonly running = new Map<Tree, Running>();

  constructor(parts: DetachesParts) {
    this.parts = parts;
    this.jobs = new JobList(parts.clock);
  }

  /** Goes on with what an earlier run has left. */
  async resume(): Promise<void> {
    const { store, datasets } = this.parts;
    for await (const { id, job } of storedJobs(store.parts.meta)) {
      if (job.kind !== 'detach' && job.kind !== 'flatten') continue;
      const dataset = [...datasets.context.catalog.all()].find(({ tree }) => tree.id === job.tree);
      if (dataset) this.list(id, dataset, job.kind);
      else store.stageRows([{ key: keys.job.key(id), value: null }]);
    }
  }

  /** Resolves when its row is durable. A second job for the same dataset is the first one. @throws DatasetError */
  async start(name: string): Promise<JobInfo> {
    const { store, datasets } = this.parts;
    const { catalog } = datasets.context;
    const known = this.running.get(catalog.get(name).tree);
    if (known?.kind === 'detach') return known.job.info;
    // A detach does what it does, and more.
    if (known) await this.jobs.cancel(known.job.info.id);
    const dataset = catalog.get(name);
    if (dataset.tree.parent === null)
      throw new DatasetError(
        'invalid',
        `${name} has nothing to be detached from: all that it shows is its own`,
      );
    const { job } = this.begin(dataset, 'detach');
    await store.durable(store.ticket);
    return job.info;
  }

  /** Begins a job and resolves when it has ended. */
  run(dataset: DatasetEntry, kind: DetachKind): Promise<Ending> {
    return this.begin(dataset, kind).ended;
  }

  /** Resolves when no job runs. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all([...this.running.values()].map(({ ended }) => ended));
  }

  private begin(dataset: DatasetEntry, kind: DetachKind): Running {
    const { store, newJobId } = this.parts;
    const known = this.running.get(dataset.tree);
    if (known) return known;
    const id = newJobId();
    const { tree } = dataset;
    store.stageRows([{ key: keys.job.key(id), value: encodeJob({ kind, tree: tree.id }) }]);
    return this.list(id, dataset, kind);
  }

  private list(id: number, { name, tree }: DatasetEntry, kind: DetachKind): Running {
    const subject = `${name} from what it was cloned from`;
    const what = { kind, subject, unit: 'records', total: null } as const;
    let ended!: Promise<Ending>;
    const job = this.jobs.begin(id, what, (begun) => {
      ended = this.work(begun, tree, kind).finally(() => this.running.delete(tree));
      return ended;
    });
    const running = { kind, job, ended };
    this.running.set(tree, running);
    return running;
  }

  private async work(job: RunningJob, tree: Tree, kind: DetachKind): Promise<Ending> {
    const { store } = this.parts;
    const row = { key: keys.job.key(job.id), value: null };
    const { signal } = job;
    const onProgress = (records: number, bytes: number) => {
      const { info } = job;
      // Records come first, data is most of it.
      const unit = bytes > 0 ? 'bytes' : info.unit;
      const before = unit === info.unit ? info.done : 0;
      job.info = { ...info, unit, done: before + (unit === 'bytes' ? bytes : records) };
    };
    const parts = { ...this.parts, signal, onProgress };
    let ending: Ending;
    try {
      const isDone = kind === 'detach' ? await detach(parts, tree, [row]) : await flatten(parts, tree, [row]);
      if (isDone) return { state: 'done', message: '' };
      ending = { state: 'cancelled', message: '' };
    } catch (error) {
      ending = endingOf(error, signal);
      if (ending.state === 'failed')
        store.parts.log.warn({ err: error, job: job.id }, 'A dataset could not be detached');
    }
    // A store that fails tells everybody else.
    if (!job.closed && !store.poisoned) await store.durable(store.stageRows([row]))?.catch(() => {});
    return ending;
  }
}
