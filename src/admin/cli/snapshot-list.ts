import type { Command } from 'commander';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { SNAPSHOT_COLUMN_NAMES, SNAPSHOT_COLUMNS_BY_DEFAULT, snapshotColumn } from './snapshot-columns.ts';
import { snapshotFields } from './snapshot-fields.ts';
import { type LabelFlags, labelSelectors, withLabelSelectors } from './snapshot-labels.ts';
import { isJson, type ListOptions, listText, type SortKey, sorted, withListOptions } from './table.ts';

export type SnapshotListFlags = AddressOptions & ListOptions & LabelFlags;

export function addListSnapshots(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('list-snapshots [source]')
    .description('list the snapshots of all datasets, or of one with those nested in it; the oldest first')
    .option('--source <name>', 'the same as the argument');
  const sortKeys = withListOptions(withAddressOptions(withLabelSelectors(command)));
  type Flags = SnapshotListFlags & { readonly source?: string };
  command.action((argument: string | undefined, flags: Flags) =>
    listSnapshots(io, argument ?? flags.source ?? '', { flags, sortKeys, command: 'list-snapshots' }),
  );
}

export async function listSnapshots(
  io: CliIo,
  source: string,
  how: { readonly flags: SnapshotListFlags; readonly sortKeys: readonly SortKey[]; readonly command: string },
): Promise<void> {
  const { flags, sortKeys, command } = how;
  const labels = labelSelectors(flags);
  const { snapshots } = await callServer(flags, io, (client) =>
    client.call('ListSnapshots', { source, labels }),
  );
  const listing = {
    rows: snapshots,
    options: flags,
    sortKeys,
    byDefault: SNAPSHOT_COLUMNS_BY_DEFAULT,
    column: snapshotColumn,
    columnNames: SNAPSHOT_COLUMN_NAMES,
  };
  io.stdout.write(
    isJson(flags)
      ? jsonOutput(`cairn dataset ${command}`, { snapshots: sorted(listing).map(snapshotFields) })
      : listText(listing),
  );
}
