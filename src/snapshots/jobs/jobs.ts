// What runs in the background, for a person to look at and to call off.

import { DatasetError } from '../../datasets/datasets.ts';

export interface JobInfo {
  /** Of one volume never given twice, and the same after a restart. */
  readonly id: string;
  readonly kind: 'delete' | 'sweep' | 'restore' | 'detach' | 'flatten';
  /** What it works on, in words. */
  readonly subject: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly unit: 'bytes' | 'records';
  readonly done: number;
  /** Null: nobody knows. */
  readonly total: number | null;
  /** Unix seconds. */
  readonly startedAt: number;
  /** Why it has failed. */
  readonly message: string;
}

/** Who runs jobs of a kind. */
export interface JobSource {
  jobs(): readonly JobInfo[];
  /** False when it has no such job. Resolves when the job has ended. @throws DatasetError when it cannot be called off */
  cancel(id: string): Promise<boolean>;
}

export class Jobs {
  private readonly sources: readonly JobSource[];

  constructor(sources: readonly JobSource[]) {
    this.sources = sources;
  }

  /** Those that run, and of restores the last that have ended; the oldest first. */
  list(): readonly JobInfo[] {
    return this.sources
      .flatMap((source) => source.jobs())
      .sort((one, other) => one.startedAt - other.startedAt);
  }

  /** @throws DatasetError */
  get(id: string): JobInfo {
    const found = this.list().find((job) => job.id === id);
    if (found) return found;
    throw new DatasetError('not-found', `There is no job ${id}`);
  }

  /** @throws DatasetError */
  async cancel(id: string): Promise<void> {
    this.get(id);
    for (const source of this.sources) if (await source.cancel(id)) return;
  }
}
