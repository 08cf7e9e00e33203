// The user properties of a snapshot. A label `pr=1234` is the property `label:pr`, and selects in lists and deletions.

import { DatasetError } from '../datasets/datasets.ts';
import { withChanges } from '../datasets/properties.ts';
import type { LabelSelector } from './snapshots.ts';

type Properties = Readonly<Record<string, string>>;

export const LABEL_PREFIX = 'label:';

/** @throws DatasetError `invalid` for a native property, or too many */
export function checkUserProperties(properties: Properties): void {
  changedProperties({}, properties);
}

/** `properties` with `changes`. @throws as {@link checkUserProperties} */
export function changedProperties(properties: Properties, changes: Properties): Properties {
  const native = Object.keys(changes).find((name) => !name.includes(':'));
  if (native !== undefined) {
    throw new DatasetError(
      'invalid',
      `A snapshot has only properties of your own, with a colon in the name, not ${JSON.stringify(native)}`,
    );
  }
  return withChanges(properties, changes);
}

export function hasLabels(properties: Properties, labels: readonly LabelSelector[]): boolean {
  return labels.every(({ key, value }) => {
    const found = properties[`${LABEL_PREFIX}${key}`];
    return found !== undefined && (value === undefined || found === value);
  });
}
