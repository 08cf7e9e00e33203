// A new name for a dataset and for all nested in it, also in another dataset or in none. Ids, and so the handles that
// clients hold, stay. The directory that a nested one is in its parent is renamed, or moves, in the same batch.

import type { Turn } from '../fs/turn.ts';
import { checkNotRoot } from './catalog.ts';
import type { DatasetEntry } from './dataset-entry.ts';
import type { DatasetRecord } from './dataset-record.ts';
import { DatasetError } from './datasets.ts';
import { addMountPoint, removeMountPoint, renameMountPoint } from './mount-point.ts';
import { checkDatasetName, isNestedIn, parseSnapshotName } from './names.ts';
import type { RegistryContext } from './registry-context.ts';
import { nameRowWithout, rowsOf } from './registry-rows.ts';
import { chargedBytes, fitsInQuotas } from './space.ts';

/** @throws Wait and starts over, having staged nothing; DatasetError */
export function stageRename(context: RegistryContext, name: string, newName: string): DatasetEntry {
  const { catalog, store } = context;
  const entry = catalog.get(name);
  checkNotRoot(entry, 'rename');
  checkDatasetName(newName);
  if (isNestedIn(newName, name)) {
    throw new DatasetError('invalid', `Cannot rename ${name} to ${newName}: it would be nested in itself`);
  }
  if (catalog.find(newName)) throw new DatasetError('exists', `There is a dataset ${newName} already`);
  const around = catalog.parentFor(newName);
  const records = renamed(context, entry, newName);
  checkQuotas(entry, around, newName);
  for (const turn of moveMountPoint(entry, around, newName)) turn.commit();
  store.stageRows([
    ...[...records.keys()].map(({ name: old }) => nameRowWithout(old)),
    ...[...records.values()].flatMap(rowsOf),
  ]);
  catalog.rename(entry, records);
  return entry;
}

/** The turns that do it, none of them committed: each may still have to wait. */
function moveMountPoint(entry: DatasetEntry, around: DatasetEntry | undefined, newName: string): Turn[] {
  const { parent } = entry;
  if (parent && parent === around) return [renameMountPoint(parent, entry, newName)];
  return [
    ...(parent ? [removeMountPoint(parent, entry)] : []),
    ...(around ? [addMountPoint(around, newName, entry.id)] : []),
  ];
}

function renamed(
  { snapshots }: RegistryContext,
  top: DatasetEntry,
  newName: string,
): Map<DatasetEntry, DatasetRecord> {
  const records = new Map<DatasetEntry, DatasetRecord>();
  for (const entry of top.subtree()) {
    const name = newName + entry.name.slice(top.name.length);
    checkDatasetName(name);
    // Their full names have the same limit.
    for (const snapshot of snapshots.namesOf(entry)) parseSnapshotName(`${name}@${snapshot}`);
    records.set(entry, { ...entry.record, name });
  }
  return records;
}

function checkQuotas(entry: DatasetEntry, around: DatasetEntry | undefined, newName: string): void {
  const countedBy = (holder: unknown): boolean => {
    for (let at = entry.parent; at; at = at.parent) if (at === holder) return true;
    return false;
  };
  if (!around || fitsInQuotas(around, chargedBytes(entry), countedBy)) return;
  throw new DatasetError(
    'no-space',
    `Cannot rename ${entry.name} to ${newName}: the quotas there do not leave room for what it uses`,
  );
}
