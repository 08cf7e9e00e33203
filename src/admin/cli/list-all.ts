// `cairn dataset list -t all`: each dataset with its snapshots behind it, as `zfs list -t all` has them.

import type { DatasetMessage, LabelMessage } from '../grpc/admin-messages.ts';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { DATASET_COLUMN_NAMES, datasetColumn } from './dataset-columns.ts';
import { datasetFields } from './dataset-fields.ts';
import { jsonOutput } from './json-output.ts';
import { SNAPSHOT_COLUMN_NAMES, snapshotColumn } from './snapshot-columns.ts';
import { snapshotFields } from './snapshot-fields.ts';
import { hasLabels, labelSelectors } from './snapshot-labels.ts';
import type { SnapshotListFlags } from './snapshot-list.ts';
import { type Column, isJson, listText, type SortKey, sorted } from './table.ts';

const COLUMNS_BY_DEFAULT = ['name', 'used', 'avail', 'refer', 'type'];

export async function listAll(
  io: CliIo,
  name: string,
  { flags, sortKeys }: { readonly flags: SnapshotListFlags; readonly sortKeys: readonly SortKey[] },
): Promise<void> {
  const listing = {
    rows: await callServer(flags, io, (client) => rowsOf(client, name, labelSelectors(flags))),
    options: flags,
    sortKeys,
    byDefault: COLUMNS_BY_DEFAULT,
    column: eitherColumn,
    columnNames: [...new Set([...DATASET_COLUMN_NAMES, ...SNAPSHOT_COLUMN_NAMES])],
  };
  if (!isJson(flags)) {
    io.stdout.write(listText(listing));
    return;
  }
  const rows = sorted(listing);
  const datasets = rows.filter((row) => !row.isSnapshot).map(datasetFields);
  const snapshots = rows.filter((row) => row.isSnapshot).map(snapshotFields);
  io.stdout.write(jsonOutput('cairn dataset list', { datasets, snapshots }));
}

type Client = Parameters<Parameters<typeof callServer>[2]>[0];

async function rowsOf(
  client: Client,
  name: string,
  labels: readonly LabelMessage[],
): Promise<DatasetMessage[]> {
  const { datasets } = await client.call('ListDatasets', { name });
  const { snapshots } = await client.call('ListSnapshots', { source: name, labels });
  const snapshotsOf = new Map<string, DatasetMessage[]>(datasets.map((dataset) => [dataset.name, []]));
  for (const snapshot of snapshots) snapshotsOf.get(snapshot.name.split('@')[0]!)?.push(snapshot);
  return datasets.flatMap((dataset) => [
    ...(hasLabels(dataset, labels) ? [dataset] : []),
    ...(snapshotsOf.get(dataset.name) ?? []),
  ]);
}

/** Of a row that has no such column, a dash. */
function eitherColumn(name: string): Column<DatasetMessage> | undefined {
  const [ofDataset, ofSnapshot] = [datasetColumn(name), snapshotColumn(name)];
  const either = ofDataset ?? ofSnapshot;
  if (!either) return undefined;
  const { align } = either;
  const columnFor = (row: DatasetMessage) => (row.isSnapshot ? ofSnapshot : ofDataset);
  return {
    name: either.name,
    align,
    human: (row) => columnFor(row)?.human(row) ?? '-',
    exact: (row) => columnFor(row)?.exact(row) ?? '-',
    // Below all that have it.
    key: (row) => columnFor(row)?.key(row) ?? (align === 'right' ? -1 : ''),
  };
}
