// What `info` and lists show of a snapshot.

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
