// What deletions leave to do, as jobs. They cannot be called off: what they take back is nobody's any more.

import type { Clock } from '../../clock.ts';
import { DatasetError } from '../../datasets/datasets.ts';
import type { DroppedTrees } from '../../datasets/dropped-trees.ts';
import type { Sweeps } from '../../fs/sweep.ts';
import type { JobInfo, JobSource } from './jobs.ts';

export interface BackgroundParts {
  readonly trees: Pick<DroppedTrees, 'going'>;
  readonly sweeps: Pick<Sweeps, 'pending'>;
  readonly clock: Clock;
}

export class BackgroundJobs implements JobSource {
  private readonly parts: BackgroundParts;
  /** When each was first seen; their rows do not say when they began. */
  private startedAt = new Map<string, number>();

  constructor(parts: BackgroundParts) {
    this.parts = parts;
  }

  jobs(): readonly JobInfo[] {
    const jobs = [...this.deletions(), ...this.sweeps()];
    this.startedAt = new Map(jobs.map(({ id, startedAt }) => [id, startedAt]));
    return jobs;
  }

  async cancel(id: string): Promise<boolean> {
    const job = this.jobs().find((each) => each.id === id);
    if (!job) return false;
    throw new DatasetError('busy', `Job ${id} takes back what was deleted: it cannot be called off`);
  }

  private deletions(): JobInfo[] {
    return this.parts.trees.going().map(({ job, tree, bytesBefore, bytes }) => {
      const subject = `what the lost head of tree ${tree} held`;
      const counts = { unit: 'bytes', done: Math.max(0, bytesBefore - bytes), total: bytesBefore } as const;
      return this.running({ id: String(job), kind: 'delete', subject, ...counts });
    });
  }

  private sweeps(): JobInfo[] {
    return this.parts.sweeps.pending().map(({ tree, generation, visited }) => {
      const id = `sweep-${tree.id}-${generation}`;
      const subject = `what only generation ${generation} of tree ${tree.id} held`;
      return this.running({ id, kind: 'sweep', subject, unit: 'records', done: visited, total: null });
    });
  }

  private running(job: Omit<JobInfo, 'state' | 'startedAt' | 'message'>): JobInfo {
    const startedAt = this.startedAt.get(job.id) ?? this.parts.clock.now().seconds;
    return { ...job, state: 'running', startedAt, message: '' };
  }
}
