// Restores: a file or a tree out of a snapshot back into the live dataset, inside the server, as a job.
//
// The copy is made under a name of its own beside its destination and gets its name when it is whole, in one batch, so
// nobody finds half of it. What has the name by then and is to be replaced gets the other name in the same batch, and is
// removed afterwards. The job's row says at each time what the next start has to do:
//
//   restore        take away what is there of the copy, and begin again
//   restore-rest   the copy is in its place: take away what it has replaced

import type { Clock } from '../../clock.ts';
import type { DatasetEntry } from '../../datasets/dataset-entry.ts';
import { DatasetError } from '../../datasets/datasets.ts';
import {
  encodeJob,
  type JobRecord,
  type RestorePlace,
  type RestoreRecord,
} from '../../datasets/job-record.ts';
import { storedJobs } from '../../datasets/stored-jobs.ts';
import { type Attributes, FileType } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import { type KeptFileSystem, openKept } from '../../fs/kept-file-system.ts';
import type { SharedParts } from '../../fs/open-dataset.ts';
import { swapIn } from '../../fs/ops/swap-in.ts';
import type { PinnedGeneration, PinnedGenerations } from '../../fs/pinned-generations.ts';
import { keys } from '../../kv/keys.ts';
import type { Write } from '../../kv/meta-store.ts';
import { MomentView } from '../diff/moment-view.ts';
import { type Ending, endingOf, JobList, type RunningJob } from '../jobs/job-list.ts';
import type { JobInfo } from '../jobs/jobs.ts';
import { findSource, type SourceParts } from '../source-names.ts';
import { type Place, removeTree, TreeCopy } from './copy-tree.ts';
import type { ShownThen } from './nested-at.ts';
import { checkPlace, findPlace, findSourceNode, nameIn, occupied } from './restore-place.ts';

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
  /** What stands at the destination goes when the copy is whole; else it is refused. */
  readonly replace: boolean;
}

/** What a restore reads: kept while it does. */
interface Source {
  readonly dataset: DatasetEntry;
  readonly pinned: PinnedGeneration;
  readonly fileSystem: KeptFileSystem;
}

const DONE: Ending = { state: 'done', message: '' };

export class Restores {
  readonly jobs: JobList;
  private readonly parts: RestoreParts;

  constructor(parts: RestoreParts) {
    this.parts = parts;
    this.jobs = new JobList(parts.clock);
  }

  /** Goes on with what an earlier run has left. */
  async resume(): Promise<void> {
    const { store } = this.parts;
    for await (const { id, job } of storedJobs(store.parts.meta)) {
      if (job.kind === 'restore') this.again(id, job);
      if (job.kind === 'restore-rest') this.removeRest(id, job);
    }
  }

  /** Resolves when it has begun and its row is durable. @throws DatasetError */
  async start({ snapshot: name, path, destination = path, replace }: RestoreRequest): Promise<JobInfo> {
    const { store, snapshots, newJobId } = this.parts;
    const source = this.open(name);
    let begun: RunningJob;
    try {
      const { dataset } = source;
      const node = await this.nodeIn(source, name, path);
      const { directory } = await findPlace(dataset, destination, replace);
      const record: RestoreRecord = {
        kind: 'restore',
        dataset: dataset.id,
        directory: directory.ino,
        generation: directory.generation,
        snapshot: snapshots.entry(name).id,
        replaces: replace,
        path,
        destination,
      };
      const id = newJobId();
      store.stageRows([rowOf(id, record)]);
      const total = node.type === FileType.file ? node.allocated : null;
      const what = {
        kind: 'restore',
        subject: subjectOf(name, dataset, record),
        unit: 'bytes',
        total,
      } as const;
      begun = this.jobs.begin(id, what, (job) =>
        this.run(job, record, dataset, async () => ({ source, node })),
      );
    } catch (error) {
      close(source);
      throw error;
    }
    await store.durable(store.ticket);
    return begun.info;
  }

  /** Begins again what a crash, or the end of the volume, has cut short. */
  private again(id: number, record: RestoreRecord): void {
    const { datasets, snapshots, store } = this.parts;
    const dataset = datasets.context.catalog.findId(record.dataset);
    if (!dataset) {
      store.stageRows([rowOf(id, null)]);
      return;
    }
    const snapshot = snapshots.byId(record.dataset, record.snapshot);
    const name = `${dataset.name}@${snapshot?.name ?? '(deleted)'}`;
    const what = {
      kind: 'restore',
      subject: subjectOf(name, dataset, record),
      unit: 'bytes',
      total: null,
    } as const;
    this.jobs.begin(id, what, (job) =>
      this.run(job, record, dataset, async () => {
        if (!snapshot)
          throw new DatasetError(
            'not-found',
            'Its snapshot was deleted before the restore could begin again: restore from another one',
          );
        const source = this.open(name);
        return { source, node: await this.nodeIn(source, name, record.path) };
      }),
    );
  }

  private removeRest(id: number, record: RestorePlace): void {
    const dataset = this.parts.datasets.context.catalog.findId(record.dataset);
    const subject = `what a restore has left in ${dataset?.name ?? 'a dataset that is gone'}`;
    this.jobs.begin(id, { kind: 'restore', subject, unit: 'bytes', total: null }, async (job) => {
      if (dataset) await removeMeanwhile(dataset, placeMeanwhile(id, record), job);
      if (!job.closed) await this.end(job);
      return DONE;
    });
  }

  /** @throws DatasetError */
  private open(name: string): Source {
    const { shared, pins } = this.parts;
    const { dataset, snapshot } = findSource(this.parts, name);
    if (!snapshot) throw new DatasetError('invalid', `${name} is a dataset: say which snapshot of it`);
    const pinned = pins.pin(snapshot.tree, snapshot.generation);
    const fileSystem = openKept(shared, dataset.id, snapshot.tree, snapshot.generation);
    return { dataset, pinned, fileSystem };
  }

  /** @throws DatasetError `not-found` */
  private async nodeIn({ fileSystem, pinned }: Source, snapshot: string, path: string): Promise<Attributes> {
    const { shared, datasets } = this.parts;
    const view = new MomentView(shared.store, pinned);
    const shownAt = async ({ ino }: Attributes): Promise<ShownThen | undefined> => {
      const { mountedDataset = 0, entryCount = 0 } = (await view.inode(ino)) ?? {};
      if (mountedDataset === 0 || entryCount > 0) return undefined;
      return { name: datasets.context.catalog.findId(mountedDataset)?.name };
    };
    try {
      return await findSourceNode({ snapshot, fileSystem, shownAt }, path);
    } finally {
      view.close();
    }
  }

  private async run(
    job: RunningJob,
    record: RestoreRecord,
    dataset: DatasetEntry,
    find: () => Promise<{ readonly source: Source; readonly node: Attributes }>,
  ): Promise<Ending> {
    const { store } = this.parts;
    const meanwhile = placeMeanwhile(job.id, record);
    let source: Source | null = null;
    let ending = DONE;
    try {
      await removeMeanwhile(dataset, meanwhile, job);
      const found = await find();
      source = found.source;
      const place = { ...meanwhile, name: nameIn(record.destination)! };
      // When it was accepted may be long ago, and in an earlier run of the server.
      await checkPlace(dataset, place);
      await this.copy(job, source, found.node, meanwhile);
      await checkPlace(dataset, place);
      if (await this.putInPlace(job, record, dataset)) await removeMeanwhile(dataset, meanwhile, job);
    } catch (error) {
      ending = endingOf(error, job.signal);
      if (ending.state === 'failed') {
        // A refusal says all in its sentence; where it was thrown tells nobody anything.
        const why = error instanceof DatasetError ? { reason: error.message } : { err: error };
        store.parts.log.warn({ ...why, job: job.id }, 'A restore from a snapshot has failed');
      }
      if (!job.closed && !store.poisoned) await removeMeanwhile(dataset, meanwhile, job);
    } finally {
      if (source) close(source);
      // Else the next start goes on by the row.
      if (!job.closed) await this.end(job);
    }
    return ending;
  }

  /** Under another name, until all of it is there and durable. */
  private async copy(
    job: RunningJob,
    { dataset, pinned, fileSystem: source }: Source,
    node: Attributes,
    meanwhile: Place,
  ): Promise<void> {
    const { signal } = job;
    const view = new MomentView(this.parts.shared.store, pinned);
    const onBytes = (bytes: number) => {
      job.info = { ...job.info, done: job.info.done + bytes };
    };
    try {
      const copy = new TreeCopy({ source, view, target: dataset.fileSystem, onBytes, signal });
      await copy.copy(node, meanwhile);
      await copy.commit();
    } finally {
      view.close();
    }
    signal.throwIfAborted();
  }

  /** @returns whether something was there, which has the other name now */
  private async putInPlace(job: RunningJob, record: RestoreRecord, dataset: DatasetEntry): Promise<boolean> {
    const { directory, name: made } = placeMeanwhile(job.id, record);
    const { destination, replaces } = record;
    const row = (exchanged: boolean) => rowOf(job.id, exchanged ? { ...record, kind: 'restore-rest' } : null);
    const name = nameIn(destination)!;
    try {
      const swap = { directory, made, name, replaces, row };
      const { result, ticket } = await swapIn(dataset.operations, swap);
      await this.parts.store.durable(ticket);
      return result;
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      // A nested dataset took the name since the last look.
      if (error.code === 'EEXIST' || error.code === 'EACCES') await checkPlace(dataset, { directory, name });
      throw error.code === 'EEXIST' ? occupied(dataset.name, destination) : error;
    }
  }

  private async end(job: RunningJob): Promise<void> {
    const { store } = this.parts;
    if (store.poisoned) return;
    // A store that fails tells everybody else.
    await store.durable(store.stageRows([rowOf(job.id, null)]))?.catch(() => {});
  }
}

function close({ fileSystem, pinned }: Source): void {
  fileSystem.close();
  pinned.release();
}

function rowOf(job: number, record: JobRecord | null): Write {
  return { key: keys.job.key(job), value: record && encodeJob(record) };
}

function subjectOf(name: string, dataset: DatasetEntry, { path, destination }: RestoreRecord): string {
  return `${path} of ${name} to ${destination} of ${dataset.name}`;
}

/** No name that a client would choose; the job's number tells it from that of another restore. */
function placeMeanwhile(job: number, { directory: ino, generation }: RestorePlace): Place {
  return { directory: { ino, generation }, name: Buffer.from(`.cairn-restore-${job}`) };
}

/** Where its directory is gone, it is gone as well. Not to its end when the volume is closed. */
async function removeMeanwhile(
  { fileSystem }: DatasetEntry,
  place: Place,
  job: Pick<RunningJob, 'closed'>,
): Promise<void> {
  try {
    await removeTree(fileSystem, place, () => job.closed);
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
  }
}
