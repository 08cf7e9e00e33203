// What lists of datasets can show.

import type { DatasetMessage } from '../grpc/admin-messages.ts';
import { findColumn } from './find-column.ts';
import { humanLimit, humanSize } from './human-size.ts';
import { humanTime } from './human-time.ts';
import { type Column, numberColumn, textColumn } from './table.ts';

type DatasetColumn = Column<DatasetMessage>;

const DATASET_COLUMNS: readonly DatasetColumn[] = [
  textColumn('name', (dataset) => dataset.name),
  numberColumn('used', (dataset) => dataset.usedBytes, humanSize),
  numberColumn('refer', (dataset) => dataset.referencedBytes, humanSize),
  numberColumn('usedsnap', (dataset) => dataset.snapshotBytes, humanSize),
  numberColumn('avail', (dataset) => dataset.availableBytes, humanSize),
  numberColumn('quota', (dataset) => dataset.quota, humanLimit),
  numberColumn('refquota', (dataset) => dataset.refquota, humanLimit),
  numberColumn('reservation', (dataset) => dataset.reservation, humanLimit),
  numberColumn('inodes', (dataset) => dataset.usedInodes, String),
  textColumn('readonly', (dataset) => (dataset.isReadonly ? 'on' : 'off')),
  textColumn('default', (dataset) => (dataset.isDefault ? 'yes' : '-')),
  textColumn('origin', (dataset) => dataset.origin || '-'),
  textColumn('type', (dataset) => dataset.kind),
  numberColumn('creation', (dataset) => dataset.createdAt, humanTime),
  numberColumn('id', (dataset) => dataset.id, String),
  textColumn('uuid', (dataset) => dataset.uuid),
  numberColumn('generation', (dataset) => dataset.generation, String),
];

export const DATASET_COLUMN_NAMES = DATASET_COLUMNS.map((column) => column.name);
export const DATASET_COLUMNS_BY_DEFAULT = ['name', 'used', 'avail', 'quota', 'inodes', 'readonly'];

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['available', 'avail'],
  ['kind', 'type'],
  ['created', 'creation'],
  ['used_bytes', 'used'],
  ['used_inodes', 'inodes'],
  ['referenced', 'refer'],
  ['usedbysnapshots', 'usedsnap'],
]);

export function datasetColumn(name: string): DatasetColumn | undefined {
  return findColumn(DATASET_COLUMNS, ALIASES, name);
}
