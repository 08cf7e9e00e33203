import type { Command } from 'commander';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { refuseColumns } from './dataset-list.ts';
import { changeFields, changeJson, changeLines } from './diff-text.ts';
import { usageError } from './exit-code.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { isJson } from './table.ts';

interface DiffFlags extends AddressOptions {
  readonly ranges?: boolean;
  readonly watch?: boolean;
  readonly null?: boolean;
  readonly output?: string;
}

export function addDiff(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('diff <from> [to]')
    .description('say what differs between two snapshots, or a snapshot and a dataset as it is now')
    .option('--ranges', 'also say which bytes of files differ')
    .option('--watch', 'go on with what changes')
    .option('-z, --null', 'a NUL behind each kind and path, names as they are: for scripts')
    .option('-o, --output <format>', '"json"; with --watch a line for each change');
  withAddressOptions(command).action(async (from: string, to: string | undefined, flags: DiffFlags) => {
    refuseColumns(flags);
    const json = isJson(flags);
    if (json && flags.null) throw usageError('Either --null or -o json');
    const watch = flags.watch ?? false;
    const request = { from, to: to ?? '', ranges: flags.ranges ?? false, watch };
    const collected: object[] = [];
    await callServer(flags, io, async (client) => {
      for await (const { changes } of client.diff(request)) {
        if (flags.null) io.stdout.write(Buffer.concat(changes.map(changeFields)));
        else if (!json) io.stdout.write(changes.map(changeLines).join(''));
        else if (watch)
          io.stdout.write(changes.map((change) => `${JSON.stringify(changeJson(change))}\n`).join(''));
        else for (const change of changes) collected.push(changeJson(change));
      }
    });
    if (json && !watch)
      io.stdout.write(jsonOutput('cairn dataset diff', { from, to: to ?? null, changes: collected }));
  });
}
