// The registry of snapshots at start: what its rows say, held against the datasets and the kept generations.

import { storedJobs } from '../datasets/stored-jobs.ts';
import { openKept } from '../fs/kept-file-system.ts';
import { DamageError } from '../fs/versioned-value.ts';
import type { MetaStore } from '../kv/meta-store.ts';
import type { Dropped } from './dropped-snapshots.ts';
import type { SnapshotContext } from './snapshot-context.ts';
import { SnapshotEntry } from './snapshot-entry.ts';
import { SnapshotList } from './snapshot-list.ts';
import { loadSnapshots } from './snapshot-rows.ts';

type Loading = Pick<SnapshotContext, 'shared' | 'datasets' | 'lists' | 'byUuid'>;

/**
 * @returns those of datasets that were deleted, which nobody sees any more
 * @throws DamageError when the rows cannot be read, or there is no such dataset or generation
 */
export async function loadLists(context: Loading): Promise<readonly Dropped[]> {
  const { shared, datasets, lists, byUuid } = context;
  const { trees, parts } = shared.store;
  const kept = new Map([...trees].map(([id, { generations }]) => [id, new Set(generations.kept)]));
  const dropped: Dropped[] = [];
  const dropping = await loadDropping(parts.meta);
  for (const [dataset, { list, snapshots }] of await loadSnapshots(parts.meta)) {
    const job = dropping.get(dataset);
    if (job !== undefined) {
      dropped.push({ job, dataset, snapshots: snapshots.size });
      continue;
    }
    if (!datasets.catalog.findId(dataset)) {
      throw new DamageError(`Cannot read the snapshots: there is no dataset ${dataset}, which has some`);
    }
    const entries = [...snapshots].map(([id, record]) => {
      const { tree, generation } = record;
      if (!kept.get(tree)?.has(generation)) {
        const what = `generation ${generation} of tree ${tree} is not kept`;
        throw new DamageError(`Cannot read snapshot ${id} of dataset ${dataset}: ${what}`);
      }
      return new SnapshotEntry(dataset, id, record, openKept(shared, dataset, trees.get(tree)!, generation));
    });
    const loaded = new SnapshotList(dataset, list);
    loaded.load(entries);
    lists.set(dataset, loaded);
    for (const entry of entries) byUuid.set(entry.uuid, entry);
  }
  return dropped;
}

/** The jobs that let go of snapshots, by dataset. */
async function loadDropping(meta: MetaStore): Promise<ReadonlyMap<number, number>> {
  const dropping = new Map<number, number>();
  for await (const { id, job } of storedJobs(meta)) {
    if (job.kind === 'drop-snapshots') dropping.set(job.dataset, id);
  }
  return dropping;
}
