// What `info` and lists show of a snapshot.

import { originOf } from './origin.ts';
import type { SnapshotContext } from './snapshot-context.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import type { SnapshotInfo } from './snapshots.ts';

/** Names of the datasets that are clones of each snapshot, by the snapshot's uuid. */
export function clonesByOrigin(context: SnapshotContext): ReadonlyMap<string, readonly string[]> {
  const clones = new Map<string, string[]>();
  for (const dataset of context.datasets.catalog.all()) {
    const origin = originOf(context, dataset);
    if (!origin) continue;
    const names = clones.get(origin.uuid);
    if (names) names.push(dataset.name);
    else clones.set(origin.uuid, [dataset.name]);
  }
  return clones;
}

export function snapshotInfo(
  { datasets, charges }: SnapshotContext,
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
    usedBytes: charges.aloneBytes(record),
    clones: clones.get(record.uuid) ?? [],
    holds: record.holds,
    expiresAt: record.expiresAt,
    properties: record.properties,
  };
}
