import type { Command } from 'commander';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { DATASET_COLUMN_NAMES, DATASET_COLUMNS_BY_DEFAULT, datasetColumn } from './dataset-columns.ts';
import { datasetFields, datasetInfoText } from './dataset-fields.ts';
import { usageError } from './exit-code.ts';
import { jsonOutput } from './json-output.ts';
import { listAll } from './list-all.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { snapshotFields, snapshotInfoText } from './snapshot-fields.ts';
import { hasLabels, labelSelectors, withLabelSelectors } from './snapshot-labels.ts';
import { listSnapshots, type SnapshotListFlags } from './snapshot-list.ts';
import { isJson, type ListOptions, listText, sorted, withListOptions } from './table.ts';
import { oneName } from './typed-arguments.ts';

const LISTED_TYPES: readonly string[] = ['filesystem', 'snapshot'];

export function addList(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('list [name]')
    .description('list all datasets, or one with those nested in it')
    .option('--name <name>', 'the same as the argument')
    .option(
      '-t, --type <type>',
      '"filesystem", "snapshot": the snapshots of those datasets, or "all"',
      'filesystem',
    );
  const sortKeys = withListOptions(withAddressOptions(withLabelSelectors(command)));
  type Flags = SnapshotListFlags & { readonly name?: string; readonly type: string };
  command.action(async (argument: string | undefined, flags: Flags) => {
    const name = argument ?? flags.name ?? '';
    const types = listedTypes(flags.type);
    if (types.length > 1) return listAll(io, name, { flags, sortKeys });
    if (types[0] === 'snapshot') return listSnapshots(io, name, { flags, sortKeys, command: 'list' });
    const labels = labelSelectors(flags);
    const { datasets } = await callServer(flags, io, (client) => client.call('ListDatasets', { name }));
    const listing = {
      rows: datasets.filter((each) => hasLabels(each, labels)),
      options: flags,
      sortKeys,
      byDefault: DATASET_COLUMNS_BY_DEFAULT,
      column: datasetColumn,
      columnNames: DATASET_COLUMN_NAMES,
    };
    io.stdout.write(
      isJson(flags)
        ? jsonOutput('cairn dataset list', { datasets: sorted(listing).map(datasetFields) })
        : listText(listing),
    );
  });
}

/** @throws CliError */
function listedTypes(typed: string): readonly string[] {
  const types = new Set(typed.split(',').flatMap((type) => (type === 'all' ? LISTED_TYPES : [type])));
  const unknown = [...types].find((type) => !LISTED_TYPES.includes(type));
  if (unknown === undefined) return [...types];
  throw usageError(`-t must be filesystem, snapshot or all, not ${JSON.stringify(unknown)}`);
}

export function addInfo(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('info [name]')
    .description('show all about a dataset or a snapshot')
    .option('--name <name>', 'the same as the argument')
    .option('-p, --parsable', 'exact numbers')
    .option('-o, --output <format>', '"json"');
  type Flags = AddressOptions & ListOptions & { readonly name?: string };
  withAddressOptions(command).action(async (argument: string | undefined, flags: Flags) => {
    const name = oneName(argument, flags.name, { option: '--name', example: 'cairn dataset info NAME' });
    refuseColumns(flags);
    if (name.includes('@')) {
      const { snapshot } = await callServer(flags, io, (client) => client.call('GetSnapshotInfo', { name }));
      const text = isJson(flags)
        ? jsonOutput('cairn dataset info', snapshotFields(snapshot))
        : snapshotInfoText(snapshot, flags.parsable ?? false);
      io.stdout.write(text);
      return;
    }
    const { dataset: found } = await callServer(flags, io, (client) =>
      client.call('GetDatasetInfo', { name }),
    );
    io.stdout.write(
      isJson(flags)
        ? jsonOutput('cairn dataset info', datasetFields(found))
        : datasetInfoText(found, flags.parsable ?? false),
    );
  });
}

/** Where `-o` can only be `json`. @throws CliError */
export function refuseColumns({ output }: ListOptions): void {
  if (output !== undefined && output !== 'json') {
    throw usageError(`-o can only be json here, not ${JSON.stringify(output)}`);
  }
}
