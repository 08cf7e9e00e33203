// Restores: a file or a tree out of a snapshot back into the live dataset, inside the server, as a job.
//
// The copy is made under a name of its own beside its destination and renamed when it is whole, so nobody finds half of
// it. What a crash leaves of it is taken away at the next start, by the job's row.

import type { Clock } from '../../clock.ts';
import type { DatasetEntry } from '../../datasets/dataset-entry.ts';
import { DatasetError } from '../../datasets/datasets.ts';
import { decodeJob, encodeJob } from '../../datasets/job-record.ts';
import { ADMINISTRATOR, type Attributes, FileType } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import { type KeptFileSystem, openKept } from '../../fs/kept-file-system.ts';
import type { SharedParts } from '../../fs/open-dataset.ts';
import type { PinnedGeneration, PinnedGenerations } from '../../fs/pinned-generations.ts';
import { keys } from '../../kv/keys.ts';
import { MomentView } from '../diff/moment-view.ts';
import { type Ending, endingOf, JobList, type RunningJob } from '../jobs/job-list.ts';
import type { JobInfo } from '../jobs/jobs.ts';
import { findSource, type SourceParts } from '../source-names.ts';
import { type Place, removeTree, TreeCopy } from './copy-tree.ts';
import { checkFree, findFreePlace, findSourceNode } from './restore-place.ts';

export interface RestoreParts extends SourceParts {
  readonly shared: SharedParts;
  readonly clock: Clock;
  readonly pins: PinnedGenerations;
  readonly newJobId: () => number;
}

export interface RestoreRequest {
  /** `dataset@snapshot`, or a bare snapshot name. */
  readonly snapshot: string;
  readonly path: string;
  /** In the snapshot's dataset; `path` when undefined. */
  readonly destination: string | undefined;
}

export class Restores {
  readonly jobs: JobList;
  private readonly parts: RestoreParts;

  constructor(parts: RestoreParts) {
    this.parts = parts;
    this.jobs = new JobList(parts.clock);
  }

  /** Takes away what a crash has left of unfinished ones. */
  async clean(): Promise<void> {
    const { store, datasets } = this.parts;
    for await (const [key, value] of store.parts.meta.rows(keys.job.range())) {
      const { job: id } = keys.job.parse(key);
      const job = decodeJob(id, value);
      if (job.kind !== 'restore') continue;
      const dataset = datasets.context.catalog.findId(job.dataset);
      const directory = { ino: job.directory, generation: job.generation };
      if (dataset) await removeMeanwhile(dataset, { directory, name: nameMeanwhile(id) });
      store.stageRows([{ key, value: null }]);
    }
  }

  /** Resolves when it has begun. @throws DatasetError */
  async start({ snapshot: name, path, destination }: RestoreRequest): Promise<JobInfo> {
    const { shared, store, pins, newJobId } = this.parts;
    const { dataset, snapshot } = findSource(this.parts, name);
    if (!snapshot) throw new DatasetError('invalid', `${name} is a dataset: say which snapshot of it`);
    const pinned = pins.pin(snapshot.tree, snapshot.generation);
    const source = openKept(shared, dataset.id, snapshot.tree, snapshot.generation);
    try {
      const node = await findSourceNode(source, name, path);
      const place = await findFreePlace(dataset, destination ?? path);
      const id = newJobId();
      const { ino: directory, generation } = place.directory;
      const value = encodeJob({ kind: 'restore', dataset: dataset.id, directory, generation });
      store.stageRows([{ key: keys.job.key(id), value }]);
      const what = {
        kind: 'restore',
        subject: `${path} of ${name} to ${destination ?? path} of ${dataset.name}`,
        unit: 'bytes',
        total: node.type === FileType.file ? node.allocated : null,
      } as const;
      const work = { dataset, place, pinned, source, node };
      return this.jobs.begin(id, what, (job) => this.run(job, work)).info;
    } catch (error) {
      source.close();
      pinned.release();
      throw error;
    }
  }

  private async run(job: RunningJob, work: Work): Promise<Ending> {
    const { store } = this.parts.shared;
    const meanwhile = { directory: work.place.directory, name: nameMeanwhile(job.id) };
    let ending: Ending = { state: 'done', message: '' };
    try {
      await this.copy(job, work, meanwhile);
    } catch (error) {
      ending = endingOf(error, job.signal);
      if (ending.state === 'failed')
        store.parts.log.warn({ err: error, job: job.id }, 'A restore from a snapshot has failed');
      if (!store.poisoned) await removeMeanwhile(work.dataset, meanwhile);
    } finally {
      work.source.close();
      work.pinned.release();
      if (!store.poisoned) {
        const ticket = store.stageRows([{ key: keys.job.key(job.id), value: null }]);
        // A store that fails tells everybody else.
        await store.durable(ticket)?.catch(() => {});
      }
    }
    return ending;
  }

  /** Under another name until all of it is there and durable. */
  private async copy(
    job: RunningJob,
    { dataset, place, pinned, source, node }: Work,
    meanwhile: Place,
  ): Promise<void> {
    const { signal } = job;
    const target = dataset.fileSystem;
    const view = new MomentView(this.parts.shared.store, pinned);
    const onBytes = (bytes: number) => {
      job.info = { ...job.info, done: job.info.done + bytes };
    };
    try {
      const copy = new TreeCopy({ source, view, target, onBytes, signal });
      await copy.copy(node, meanwhile);
      await copy.commit();
      await checkFree(dataset, place);
      signal.throwIfAborted();
      const { name, directory } = place;
      await target.rename({ caller: ADMINISTRATOR }, directory, meanwhile.name, directory, name);
    } finally {
      view.close();
    }
  }
}

interface Work {
  readonly dataset: DatasetEntry;
  readonly place: Place;
  readonly pinned: PinnedGeneration;
  readonly source: KeptFileSystem;
  readonly node: Attributes;
}

/** No name that a client would choose; the job's number tells it from that of another restore. */
function nameMeanwhile(job: number): Buffer {
  return Buffer.from(`.cairn-restore-${job}`);
}

/** Where its directory is gone, it is gone as well. */
async function removeMeanwhile({ fileSystem }: DatasetEntry, place: Place): Promise<void> {
  try {
    await removeTree(fileSystem, place);
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
  }
}
