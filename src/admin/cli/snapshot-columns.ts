// What lists of snapshots can show.

import type { DatasetMessage } from '../grpc/admin-messages.ts';
import { findColumn } from './find-column.ts';
import { humanSize } from './human-size.ts';
import { humanTime } from './human-time.ts';
import { type Column, numberColumn, textColumn } from './table.ts';

type SnapshotColumn = Column<DatasetMessage>;

const SNAPSHOT_COLUMNS: readonly SnapshotColumn[] = [
  textColumn('name', (snapshot) => snapshot.name),
  numberColumn('used', (snapshot) => snapshot.usedBytes, humanSize),
  numberColumn('refer', (snapshot) => snapshot.referencedBytes, humanSize),
  numberColumn('inodes', (snapshot) => snapshot.usedInodes, String),
  numberColumn('creation', (snapshot) => snapshot.createdAt, humanTime),
  numberColumn(
    'expires',
    (snapshot) => snapshot.expiresAt ?? 0,
    (at) => (at === 0 ? '-' : humanTime(at)),
  ),
  textColumn('holds', (snapshot) => snapshot.holds.join(',') || '-'),
  textColumn('clones', (snapshot) => snapshot.clones.join(',') || '-'),
  textColumn('type', () => 'snapshot'),
  numberColumn('id', (snapshot) => snapshot.id, String),
  textColumn('uuid', (snapshot) => snapshot.uuid),
  numberColumn('generation', (snapshot) => snapshot.generation, String),
];

export const SNAPSHOT_COLUMN_NAMES = SNAPSHOT_COLUMNS.map((column) => column.name);
export const SNAPSHOT_COLUMNS_BY_DEFAULT = ['name', 'used', 'refer', 'creation'];

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['referenced', 'refer'],
  ['created', 'creation'],
  ['used_bytes', 'used'],
  ['referenced_bytes', 'refer'],
  ['referenced_inodes', 'inodes'],
  ['expires_at', 'expires'],
]);

export function snapshotColumn(name: string): SnapshotColumn | undefined {
  return findColumn(SNAPSHOT_COLUMNS, ALIASES, name);
}
