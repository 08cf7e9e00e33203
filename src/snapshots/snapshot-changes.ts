// Changes of a snapshot's record: its name, its properties, and the tags that hold it. What it shows never changes.

import { DatasetError } from '../datasets/datasets.ts';
import { checkSnapshotPart, parseSnapshotName } from '../datasets/names.ts';
import { fullName, type SnapshotContext } from './snapshot-context.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import type { SnapshotRecord } from './snapshot-record.ts';
import { listRow, snapshotRow } from './snapshot-rows.ts';

/** Tags on one snapshot. */
export const HOLDS_MAX = 100;

/** @param newName a bare one, or `dataset@name` of the same dataset. @throws DatasetError */
export function stageSnapshotRename(
  context: SnapshotContext,
  entry: SnapshotEntry,
  newName: string,
): SnapshotEntry {
  const dataset = context.datasets.catalog.findId(entry.datasetId)!;
  const full = newName.includes('@') ? newName : `${dataset.name}@${newName}`;
  const { dataset: owner, snapshot: name } = parseSnapshotName(full);
  if (owner !== dataset.name) {
    const message = `Cannot rename ${dataset.name}@${entry.name} to ${full}: a snapshot stays with its dataset`;
    throw new DatasetError('invalid', message);
  }
  const list = context.lists.get(entry.datasetId)!;
  if (list.isTaken(name)) throw new DatasetError('exists', `There is a snapshot ${full} already`);
  const renamed = stageRecord(context, entry, { ...entry.record, name });
  context.shared.store.stageRows([listRow(list, list.changed(context.shared.clock.now()))]);
  return renamed;
}

export function stageSnapshotProperties(
  context: SnapshotContext,
  entry: SnapshotEntry,
  properties: SnapshotRecord['properties'],
): SnapshotEntry {
  return stageRecord(context, entry, { ...entry.record, properties });
}

/** @throws DatasetError `exists` when the snapshot has this tag, `no-space` when it has {@link HOLDS_MAX} */
export function stageTag(context: SnapshotContext, entry: SnapshotEntry, tag: string): SnapshotEntry {
  checkSnapshotPart(tag, tag);
  const { holds } = entry.record;
  const name = fullName(context, entry);
  if (holds.includes(tag)) throw new DatasetError('exists', `${name} is held by ${tag} already`);
  if (holds.length >= HOLDS_MAX) {
    throw new DatasetError('no-space', `Cannot hold ${name}: a snapshot has at most ${HOLDS_MAX} holds`);
  }
  return stageRecord(context, entry, { ...entry.record, holds: [...holds, tag] });
}

/** @throws DatasetError `not-found` when the snapshot has no such tag */
export function stageUntag(context: SnapshotContext, entry: SnapshotEntry, tag: string): SnapshotEntry {
  const { holds } = entry.record;
  if (!holds.includes(tag)) {
    throw new DatasetError('not-found', `${fullName(context, entry)} is not held by ${JSON.stringify(tag)}`);
  }
  return stageRecord(context, entry, { ...entry.record, holds: holds.filter((each) => each !== tag) });
}

function stageRecord(context: SnapshotContext, entry: SnapshotEntry, record: SnapshotRecord): SnapshotEntry {
  const changed = entry.with(record);
  context.shared.store.stageRows([snapshotRow(changed)]);
  context.lists.get(entry.datasetId)!.replace(entry, changed);
  context.byUuid.set(record.uuid, changed);
  return changed;
}
