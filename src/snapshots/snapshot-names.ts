// Which snapshots a name means.
//
//   a@s        one
//   s          one, when exactly one dataset has a snapshot of this name, and no dataset is called so
//   a@s%t      those from s to t, by age; without s from the oldest, without t to the newest

import type { DatasetEntry } from '../datasets/dataset-entry.ts';
import { DatasetError } from '../datasets/datasets.ts';
import { checkSnapshotPart, parseSnapshotName } from '../datasets/names.ts';
import { fullName, type SnapshotContext } from './snapshot-context.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';

/** Names that a refusal lists. */
const LISTED_MAX = 5;

/** @throws DatasetError `not-found`; `invalid` for a bare name that several datasets have, or that is a dataset */
export function findSnapshot(context: SnapshotContext, name: string): SnapshotEntry {
  if (!name.includes('@')) return findBare(context, name);
  const { dataset, snapshot } = parseSnapshotName(name);
  return inDataset(context, context.datasets.catalog.get(dataset), snapshot);
}

/** @throws as {@link findSnapshot}; `invalid` for a range whose end is older than its beginning */
export function findSnapshots(context: SnapshotContext, name: string): readonly SnapshotEntry[] {
  const at = name.indexOf('@');
  const percent = name.indexOf('%', at);
  if (at < 0 || percent < 0) return [findSnapshot(context, name)];
  const dataset = context.datasets.catalog.get(name.slice(0, at));
  const entries = context.lists.get(dataset.id)?.entries ?? [];
  const [first, last] = [name.slice(at + 1, percent), name.slice(percent + 1)];
  const from = first === '' ? 0 : entries.indexOf(inDataset(context, dataset, first));
  const to = last === '' ? entries.length - 1 : entries.indexOf(inDataset(context, dataset, last));
  if (first !== '' && last !== '' && from > to) {
    throw new DatasetError('invalid', `${name} is no range: ${last} is older than ${first}`);
  }
  const range = entries.slice(from, to + 1);
  if (range.length > 0) return range;
  throw new DatasetError('not-found', `There is no snapshot of ${dataset.name} in ${name}`);
}

/** Those of one dataset and of all nested in it, or of all datasets when `dataset` is undefined. */
export function snapshotsBelow(
  { datasets, lists }: SnapshotContext,
  dataset: string | undefined,
): readonly SnapshotEntry[] {
  const { catalog } = datasets;
  const owners = dataset === undefined ? catalog.list() : [...catalog.get(dataset).subtree()];
  return owners.flatMap(({ id }) => lists.get(id)?.entries ?? []);
}

function inDataset(context: SnapshotContext, dataset: DatasetEntry, snapshot: string): SnapshotEntry {
  checkSnapshotPart(`${dataset.name}@${snapshot}`, snapshot);
  const found = context.lists.get(dataset.id)?.find(snapshot);
  if (found) return found;
  throw new DatasetError('not-found', `There is no snapshot ${dataset.name}@${snapshot}`);
}

function findBare(context: SnapshotContext, name: string): SnapshotEntry {
  const isDataset = context.datasets.catalog.find(name) !== undefined;
  if (!isDataset) checkSnapshotPart(name, name);
  const found = [...context.lists.values()].flatMap((list) => list.find(name) ?? []);
  const [only] = found;
  // Whoever names a dataset means it, and must not be given what another one has under that name.
  if (isDataset) throw new DatasetError('invalid', datasetMeant(context, name, found));
  if (found.length === 1) return only!;
  if (!only) throw new DatasetError('not-found', `There is no snapshot ${name} of any dataset`);
  throw new DatasetError(
    'invalid',
    `Several datasets have a snapshot ${name}; which of ${listed(context, found)}?`,
  );
}

function datasetMeant(context: SnapshotContext, name: string, found: readonly SnapshotEntry[]): string {
  if (found.length === 0) return `${name} is a dataset: say which snapshot of it`;
  return `${name} is a dataset; do you mean ${found.length > 1 ? 'one of ' : ''}${listed(context, found)}?`;
}

function listed(context: SnapshotContext, found: readonly SnapshotEntry[]): string {
  const names = found.map((entry) => fullName(context, entry)).sort();
  const more = names.length > LISTED_MAX ? `, and ${names.length - LISTED_MAX} more` : '';
  return `${names.slice(0, LISTED_MAX).join(', ')}${more}`;
}
