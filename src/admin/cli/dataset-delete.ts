import type { Command } from 'commander';
import type { DeletePlanMessage } from '../grpc/admin-messages.ts';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { counted } from './counted.ts';
import { refuseColumns } from './dataset-list.ts';
import { usageError } from './exit-code.ts';
import { humanSize } from './human-size.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { deleteSnapshots } from './snapshot-delete.ts';
import { isJson } from './table.ts';
import { oneName } from './typed-arguments.ts';

interface DeleteFlags extends AddressOptions {
  readonly name?: string;
  readonly recursive?: boolean;
  readonly dryRun?: boolean;
  readonly parsable?: boolean;
  readonly output?: string;
}

export function addDelete(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('delete [name]')
    .description('delete a dataset with its snapshots, or a snapshot')
    .option('--name <name>', 'the same as the argument')
    .option('-r, --recursive', 'also the datasets nested in it')
    .option('--dry-run', 'only say what would go')
    .option('-p, --parsable', 'exact numbers')
    .option('-o, --output <format>', '"json"');
  withAddressOptions(command).action(async (argument: string | undefined, flags: DeleteFlags) => {
    const name = oneName(argument, flags.name, { option: '--name', example: 'cairn dataset delete NAME' });
    refuseColumns(flags);
    if (name.includes('@')) {
      if (flags.recursive) throw usageError('A snapshot has nothing nested in it: -r is for datasets');
      await deleteSnapshots(io, { name, labels: [], source: '' }, flags, 'delete');
      return;
    }
    const { elapsedUs, ...plan } = await callServer(flags, io, (client) =>
      client.call(flags.dryRun ? 'PlanDelete' : 'DeleteDataset', {
        name,
        recursive: flags.recursive ?? false,
      }),
    );
    io.stdout.write(
      isJson(flags)
        ? jsonOutput('cairn dataset delete', {
            dry_run: flags.dryRun ?? false,
            ...plan,
            elapsed_us: elapsedUs,
          })
        : planText(plan, flags),
    );
  });
}

function planText({ names, bytes, inodes }: DeletePlanMessage, { dryRun, parsable }: DeleteFlags): string {
  const space = `${parsable ? bytes : humanSize(bytes)} and ${counted(inodes, 'inode')}`;
  const lines = names.map((name) => `${dryRun ? 'Would delete' : 'Deleted'} ${name}`);
  lines.push(dryRun ? `Would give back ${space}` : `Giving back ${space} in the background`);
  return `${lines.join('\n')}\n`;
}
