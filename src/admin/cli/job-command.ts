// `cairn job …`: what runs in the background.

import type { Command } from 'commander';
import type { JobMessage } from '../grpc/admin-messages.ts';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { refuseColumns } from './dataset-list.ts';
import { humanSize } from './human-size.ts';
import { humanTime } from './human-time.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import {
  type Column,
  isJson,
  type ListOptions,
  listText,
  numberColumn,
  sorted,
  textColumn,
  withListOptions,
} from './table.ts';

const COLUMNS: readonly Column<JobMessage>[] = [
  textColumn('id', ({ id }) => id),
  textColumn('kind', ({ kind }) => kind),
  textColumn('state', ({ state }) => state),
  textColumn('progress', progressOf),
  numberColumn('started', ({ startedAt }) => startedAt, humanTime),
  textColumn('subject', ({ subject, message }) => (message === '' ? subject : `${subject}: ${message}`)),
];
const COLUMN_NAMES = COLUMNS.map(({ name }) => name);

export function addJobCommand(program: Command, io: CliIo): void {
  const job = program.command('job').description('look at what runs in the background, and call it off');
  addJobList(job, io);
  addJobCancel(job, io);
}

/** As a list and a restore under way say it: `1.50G of 3.00G`. */
export function progressOf({ unit, done, total }: JobMessage): string {
  const amount = unit === 'bytes' ? humanSize : (records: number) => `${records} ${unit}`;
  return total === undefined ? amount(done) : `${amount(done)} of ${amount(total)}`;
}

export function jobFields({ id, kind, subject, state, unit, done, total, startedAt, message }: JobMessage) {
  return { id, kind, subject, state, unit, done, total: total ?? null, started_at: startedAt, message };
}

function addJobList(job: Command, io: CliIo): void {
  const command = job
    .command('list')
    .description('list the jobs that run, and the restores that have ended last');
  const sortKeys = withListOptions(withAddressOptions(command));
  command.action(async (flags: AddressOptions & ListOptions) => {
    const { jobs } = await callServer(flags, io, (client) => client.call('ListJobs', {}));
    const listing = {
      rows: jobs,
      options: flags,
      sortKeys,
      byDefault: COLUMN_NAMES,
      column: (name: string) => COLUMNS.find((column) => column.name === name),
      columnNames: COLUMN_NAMES,
    };
    io.stdout.write(
      isJson(flags)
        ? jsonOutput('cairn job list', { jobs: sorted(listing).map(jobFields) })
        : listText(listing),
    );
  });
}

function addJobCancel(job: Command, io: CliIo): void {
  const command = job
    .command('cancel <id>')
    .description('call a restore, a detach or a flattening off')
    .option('-o, --output <format>', '"json"');
  withAddressOptions(command).action(async (id: string, flags: AddressOptions & ListOptions) => {
    refuseColumns(flags);
    const { job: ended, elapsedUs } = await callServer(flags, io, (client) =>
      client.call('CancelJob', { id }),
    );
    io.stdout.write(
      isJson(flags)
        ? jsonOutput('cairn job cancel', { ...jobFields(ended), elapsed_us: elapsedUs })
        : `Job ${id} is ${ended.state}\n`,
    );
  });
}
