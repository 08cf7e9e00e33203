// What `info` and lists show of a snapshot.

import { holdersOf } from '../fs/release-plan.ts';
import { bytesOfAlone } from '../fs/space-report.ts';
import type { Store } from '../fs/store.ts';
import type { Tree } from '../fs/tree.ts';
import type { SnapshotContext } from './snapshot-context.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import type { SnapshotInfo } from './snapshots.ts';

/** Names of the datasets cloned from each snapshot, by the snapshot's uuid. */
export function clonesByOrigin({ datasets }: SnapshotContext): ReadonlyMap<string, readonly string[]> {
  const clones = new Map<string, string[]>();
  for (const { name, record } of datasets.catalog.all()) {
    if (record.parentUuid === null) continue;
    const names = clones.get(record.parentUuid);
    if (names) names.push(name);
    else clones.set(record.parentUuid, [name]);
  }
  return clones;
}

export function snapshotInfo(
  { datasets, shared: { store } }: SnapshotContext,
  { id, datasetId, record }: SnapshotEntry,
  clones: ReadonlyMap<string, readonly string[]>,
): SnapshotInfo {
  const dataset = datasets.catalog.findId(datasetId)!;
  return {
    id,
    datasetId,
    name: `${dataset.name}@${record.name}`,
    uuid: record.uuid,
    parentUuid: dataset.record.uuid,
    createdAt: record.seconds,
    generation: record.generation,
    referencedBytes: record.usedBytes,
    referencedInodes: record.usedInodes,
    usedBytes: aloneIn(store, store.trees.get(record.tree)!, record.generation),
    clones: clones.get(record.uuid) ?? [],
    holds: record.holds,
    expiresAt: record.expiresAt,
    properties: record.properties,
  };
}

/** Bytes that go with the snapshot alone: none while a clone or an earlier head needs its generation too. */
function aloneIn(store: Store, tree: Tree, generation: number): number {
  return holdersOf(store, tree, generation).length > 1 ? 0 : bytesOfAlone(tree, generation);
}
