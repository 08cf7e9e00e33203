// `cairn export`, `cairn clients` and `cairn status`: what the server does at this moment.

import type { Command } from 'commander';
import { restartText } from '../config/changed-keys.ts';
import type { ClientMessage, ExportRuleMessage, StatusMessage } from '../grpc/admin-messages.ts';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { alignedFields } from './dataset-fields.ts';
import { refuseColumns } from './dataset-list.ts';
import { humanSize } from './human-size.ts';
import { humanDuration } from './human-time.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import {
  type Column,
  isJson,
  type ListOptions,
  listText,
  numberColumn,
  type SortKey,
  withListOptions,
} from './table.ts';

export function addExportCommand(program: Command, io: CliIo): void {
  const exports = program.command('export').description('who may use which datasets');
  const list = exports.command('list').description('list the export rules in force');
  const reload = exports
    .command('reload')
    .description('read the export rules of the configuration file again, without a remount');
  for (const [command, method] of [
    [list, 'ListExports'],
    [reload, 'ReloadExports'],
  ] as const) {
    const sortKeys = withListOptions(withAddressOptions(command));
    command.action(async (flags: AddressOptions & ListOptions) => {
      const answer = await callServer(flags, io, (client) => client.call(method, {}));
      const { exports: rules } = answer;
      const needRestart = 'needRestart' in answer ? answer.needRestart : [];
      const warning = restartText(needRestart);
      if (warning !== undefined) io.stderr.write(`cairn: ${warning}\n`);
      io.stdout.write(
        isJson(flags)
          ? jsonOutput(`cairn export ${command.name()}`, {
              exports: rules,
              ...(command === reload && { need_restart: needRestart }),
            })
          : serverList(rules, EXPORT_COLUMNS, flags, sortKeys),
      );
    });
  }
}

export function addClientsCommand(program: Command, io: CliIo): void {
  const command = program.command('clients').description('list the connections of clients');
  const sortKeys = withListOptions(withAddressOptions(command));
  command.action(async (flags: AddressOptions & ListOptions) => {
    const { clients } = await callServer(flags, io, (client) => client.call('ListClients', {}));
    io.stdout.write(
      isJson(flags)
        ? jsonOutput('cairn clients', { clients: clients.map(clientFields) })
        : serverList(clients, CLIENT_COLUMNS, flags, sortKeys),
    );
  });
}

export function addStatusCommand(program: Command, io: CliIo): void {
  const command = program
    .command('status')
    .description('show how the server is')
    .option('-p, --parsable', 'exact numbers')
    .option('-o, --output <format>', '"json"');
  withAddressOptions(command).action(async (flags: AddressOptions & ListOptions) => {
    refuseColumns(flags);
    const status = await callServer(flags, io, (client) => client.call('GetStatus', {}));
    const fields = statusFields(status);
    io.stdout.write(
      isJson(flags) ? jsonOutput('cairn status', fields) : statusText(fields, flags.parsable ?? false),
    );
  });
}

function serverList<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: ListOptions,
  sortKeys: readonly SortKey[],
): string {
  const columnNames = columns.map((column) => column.name);
  const column = (name: string) => columns.find((each) => each.name === name);
  return listText({ rows, options, sortKeys, byDefault: columnNames, column, columnNames });
}

function text<Row>(name: string, value: (row: Row) => string): Column<Row> {
  return { name, align: 'left', human: value, exact: value, key: value };
}

const EXPORT_COLUMNS: readonly Column<ExportRuleMessage>[] = [
  text('network', (rule) => rule.networks.join(',')),
  text('access', (rule) => rule.access),
  text('squash', (rule) => rule.squash),
  numberColumn('anonuid', (rule) => rule.anonuid, String),
  numberColumn('anongid', (rule) => rule.anongid, String),
  text('secure', (rule) => (rule.secure ? 'on' : 'off')),
  text('datasets', (rule) => rule.datasets.join(',')),
];

const CLIENT_COLUMNS: readonly Column<ClientMessage>[] = [
  text('address', (client) => client.address),
  numberColumn('port', (client) => client.port, String),
  numberColumn('connected', (client) => client.connectedForMs, humanDuration),
  numberColumn('calls', (client) => client.calls, String),
  numberColumn('idle', (client) => client.sinceLastCallMs, humanDuration),
  text('mounts', (client) => client.mounts.join(',') || '-'),
];

function clientFields(client: ClientMessage): object {
  return {
    address: client.address,
    port: client.port,
    connected_for_ms: client.connectedForMs,
    calls: client.calls,
    since_last_call_ms: client.sinceLastCallMs,
    mounts: client.mounts,
  };
}

function statusFields(status: StatusMessage) {
  return {
    version: status.version,
    volume_uuid: status.volumeUuid,
    data_dir: status.dataDir,
    listen: status.listen,
    durability: status.durability,
    uptime_ms: status.uptimeMs,
    failure: status.failure || null,
    connections: status.connections,
    datasets: status.datasets,
    disk_bytes: status.diskBytes,
    disk_available_bytes: status.diskAvailableBytes,
    dirty_bytes: status.dirtyBytes,
    pending_datasets: status.pendingDatasets,
    pending_bytes: status.pendingBytes,
    pending_inodes: status.pendingInodes,
  };
}

function statusText(fields: ReturnType<typeof statusFields>, exact: boolean): string {
  const shown = Object.entries(fields).map(([name, value]): [string, string] => {
    if (value === null) return [name, 'none'];
    if (exact || typeof value === 'string') return [name, String(value)];
    if (name === 'uptime_ms') return ['uptime', humanDuration(value)];
    return name.endsWith('_bytes')
      ? [name.slice(0, -'_bytes'.length), humanSize(value)]
      : [name, String(value)];
  });
  return alignedFields(shown);
}
