// What lists of datasets can show.

import type { DatasetMessage } from '../grpc/admin-messages.ts';
import { humanLimit, humanSize } from './human-size.ts';
import { humanTime } from './human-time.ts';
import type { Column } from './table.ts';

type DatasetColumn = Column<DatasetMessage>;

const DATASET_COLUMNS: readonly DatasetColumn[] = [
  text('name', (dataset) => dataset.name),
  number('used', (dataset) => dataset.usedBytes, humanSize),
  number('avail', (dataset) => dataset.availableBytes, humanSize),
  number('quota', (dataset) => dataset.quota, humanLimit),
  number('refquota', (dataset) => dataset.refquota, humanLimit),
  number('reservation', (dataset) => dataset.reservation, humanLimit),
  number('inodes', (dataset) => dataset.usedInodes, String),
  text('readonly', (dataset) => (dataset.isReadonly ? 'on' : 'off')),
  text('default', (dataset) => (dataset.isDefault ? 'yes' : '-')),
  text('type', (dataset) => dataset.kind),
  number('creation', (dataset) => dataset.createdAt, humanTime),
  number('id', (dataset) => dataset.id, String),
  text('uuid', (dataset) => dataset.uuid),
  number('generation', (dataset) => dataset.generation, String),
];

export const DATASET_COLUMN_NAMES = DATASET_COLUMNS.map((column) => column.name);
export const DATASET_COLUMNS_BY_DEFAULT = ['name', 'used', 'avail', 'quota', 'inodes', 'readonly'];

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['available', 'avail'],
  ['kind', 'type'],
  ['created', 'creation'],
  ['used_bytes', 'used'],
  ['used_inodes', 'inodes'],
]);

/** User properties are columns as well. */
export function datasetColumn(name: string): DatasetColumn | undefined {
  const known = DATASET_COLUMNS.find((column) => column.name === (ALIASES.get(name) ?? name));
  if (known || !name.includes(':')) return known;
  return text(name, (dataset) => dataset.properties.find((property) => property.name === name)?.value ?? '-');
}

function text(name: string, value: (dataset: DatasetMessage) => string): DatasetColumn {
  return { name, align: 'left', human: value, exact: value, key: value };
}

function number(
  name: string,
  value: (dataset: DatasetMessage) => number,
  human: (value: number) => string,
): DatasetColumn {
  return {
    name,
    align: 'right',
    human: (dataset) => human(value(dataset)),
    exact: (dataset) => String(value(dataset)),
    key: value,
  };
}
