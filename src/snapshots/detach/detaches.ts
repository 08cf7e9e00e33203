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

export class Detaches {
  readonly jobs: JobList;
  private readonly parts: DetachesParts;
  private readonly running = new Map<Tree, RunningJob>();

  constructor(parts: DetachesParts) {
    this.parts = parts;
    this.jobs = new JobList(parts.clock);
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
    const known = this.running.get(tree);
    if (known) return known.info;
    if (tree.parent === null)
      throw new DatasetError(
        'invalid',
        `${name} has nothing to be detached from: all that it shows is its own`,
      );
    const id = newJobId();
    store.stageRows([{ key: keys.job.key(id), value: encodeJob({ kind: 'detach', tree: tree.id }) }]);
    return this.begin(id, name, tree);
  }

  private begin(id: number, name: string, tree: Tree): JobInfo {
    const subject = `${name} from what it was cloned from`;
    const what = { kind: 'detach', subject, unit: 'records', total: null } as const;
    const job = this.jobs.begin(id, what, (begun) =>
      this.run(begun, tree).finally(() => this.running.delete(tree)),
    );
    this.running.set(tree, job);
    return job.info;
  }

  private async run(job: RunningJob, tree: Tree): Promise<Ending> {
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
    let ending: Ending;
    try {
      if (await detach({ ...this.parts, signal, onProgress }, tree, [row]))
        return { state: 'done', message: '' };
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
