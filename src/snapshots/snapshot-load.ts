// The registry of snapshots at start: what its rows say, held against the datasets and the kept generations.

import { openKept } from '../fs/kept-file-system.ts';
import { DamageError } from '../fs/versioned-value.ts';
import type { SnapshotContext } from './snapshot-context.ts';
import { SnapshotEntry } from './snapshot-entry.ts';
import { SnapshotList } from './snapshot-list.ts';
import { loadSnapshots } from './snapshot-rows.ts';

/** @throws DamageError when the rows cannot be read, or there is no such dataset or generation */
export async function loadLists({ shared, datasets, lists, byUuid }: SnapshotContext): Promise<void> {
  const { trees, parts } = shared.store;
  const kept = new Map([...trees].map(([id, { generations }]) => [id, new Set(generations.kept)]));
  for (const [dataset, { list, snapshots }] of await loadSnapshots(parts.meta)) {
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
}
