// Directories at which nested datasets show, on the way of a restore. What a restore puts below one lies in the dataset
// around it, where no client looks; and what a snapshot has of one is an empty directory.

import type { DatasetEntry } from '../../datasets/dataset-entry.ts';
import { DatasetError } from '../../datasets/datasets.ts';
import { lastComponentOf } from '../../datasets/names.ts';
import type { Attributes } from '../../fs/file-system.ts';

/** A dataset that was nested in that of a snapshot. */
export interface ShownThen {
  /** As it is called now; undefined when it is gone. */
  readonly name: string | undefined;
}

/** @throws DatasetError `invalid` for a directory on the way to the destination at which a nested dataset shows */
export function checkWayTo(dataset: DatasetEntry, node: Attributes): void {
  const nested = nestedAt(dataset, node);
  if (nested) throw new DatasetError('invalid', `${shownAt(dataset, nested)}, and ${ELSEWHERE}`);
}

/** @throws DatasetError `exists` for a destination at which a nested dataset shows, which is not replaced either */
export function checkDestination(dataset: DatasetEntry, node: Attributes): void {
  const nested = nestedAt(dataset, node);
  if (nested)
    throw new DatasetError('exists', `${shownAt(dataset, nested)}, which is not replaced: ${SAY_WHERE}`);
}

/** For what a snapshot of the dataset around has not. */
export function elsewhere(
  snapshot: string,
  path: string,
  { at, name }: ShownThen & { readonly at: string },
): DatasetError {
  const what =
    name === undefined
      ? 'a dataset showed that is gone'
      : `the dataset ${name} showed: restore from a snapshot of ${name}`;
  return new DatasetError('not-found', `${snapshot} has nothing of ${path}: ${at} is where ${what}`);
}

const SAY_WHERE = 'say where else to restore to';
const ELSEWHERE = `a restore stays in its own dataset: ${SAY_WHERE}`;

/** A clone, or a dataset rolled back, may have the directory of one that is nested elsewhere: an ordinary one. */
function nestedAt({ children }: DatasetEntry, { mountedDataset }: Attributes): DatasetEntry | undefined {
  return mountedDataset === 0 ? undefined : [...children].find(({ id }) => id === mountedDataset);
}

function shownAt({ name }: DatasetEntry, nested: DatasetEntry): string {
  return `/${lastComponentOf(nested.name)} of ${name} is where the dataset ${nested.name} shows`;
}
