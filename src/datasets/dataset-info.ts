// What `info` shows of a dataset: the published fields, exact counters, and its properties with where they come from.

import { spaceOf } from '../fs/space-report.ts';
import type { DatasetEntry } from './dataset-entry.ts';
import type { DatasetInfo, Property } from './datasets.ts';
import { effectiveProperties } from './properties.ts';
import { usedBytes } from './space.ts';

export interface Surroundings {
  readonly isDefault: boolean;
  /** Bytes that could still be written to the dataset's own tree. */
  readonly availableBytes: number;
  readonly cloneBytes: number;
  /** What a clone comes from. */
  readonly origin: string | null;
}

export function infoOf(
  entry: DatasetEntry,
  { isDefault, availableBytes, cloneBytes, origin }: Surroundings,
): DatasetInfo {
  const { record } = entry;
  const used = usedBytes(entry);
  const space = spaceOf(entry.tree);
  return {
    id: record.id,
    name: record.name,
    uuid: record.uuid,
    parentId: record.parentId,
    parentUuid: record.parentUuid,
    rootInode: record.rootInode,
    createdAt: record.createdAt,
    isReadonly: entry.readonly,
    isSnapshot: record.isSnapshot,
    isDefault,
    generation: entry.tree.accept,
    flags: record.flags,
    kind: record.kind,
    usedBytes: used,
    usedInodes: usedInodes(entry),
    availableBytes,
    referencedBytes: entry.referencedBytes(),
    liveBytes: space.live,
    snapshotBytes: entry.snapshotBytes(),
    cloneBytes,
    storedBytes: space.live + space.kept - space.keptOnly,
    pendingBytes: space.pending,
    origin,
    expiresAt: record.expiresAt,
    quota: entry.quota,
    refquota: entry.refquota,
    reservation: entry.reservation,
    properties: [
      computed('name', record.name),
      computed('type', record.kind),
      computed('creation', record.createdAt),
      computed('used', used),
      computed('available', availableBytes),
      computed('referenced', entry.referencedBytes()),
      computed('usedbydataset', space.live),
      computed('usedbysnapshots', entry.snapshotBytes()),
      computed('usedbyclones', cloneBytes),
      computed('origin', origin ?? '-'),
      ...effectiveProperties(entry),
    ],
  };
}

/** Inodes of the dataset and of all nested in it, root directories counted. */
function usedInodes(entry: DatasetEntry): number {
  let sum = entry.tree.usedInodes;
  for (const child of entry.children) sum += usedInodes(child);
  return sum;
}

function computed(name: string, value: string | number): Property {
  return { name, value: String(value), source: 'none' };
}
