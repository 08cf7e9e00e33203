import type { Command } from 'commander';
import type { DeleteSnapshotRequest } from '../grpc/admin-messages.ts';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { refuseColumns } from './dataset-list.ts';
import { usageError } from './exit-code.ts';
import { humanSize } from './human-size.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { type LabelFlags, labelSelectors, withLabelSelectors } from './snapshot-labels.ts';
import { isJson } from './table.ts';
import { oneName } from './typed-arguments.ts';

interface PlanFlags extends AddressOptions {
  readonly dryRun?: boolean;
  readonly parsable?: boolean;
  readonly output?: string;
}

type DeleteFlags = PlanFlags & LabelFlags & { readonly name?: string; readonly source?: string };

export function addDeleteSnapshot(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('delete-snapshot [name]')
    .description('delete a snapshot, a range NAME@A%B of them by age, or all with a label')
    .option('--name <name>', 'the same as the argument')
    .option('--source <name>', 'with labels: only snapshots of this dataset and those nested in it')
    .option('--dry-run', 'only say what would go')
    .option('-p, --parsable', 'exact numbers')
    .option('-o, --output <format>', '"json"');
  withAddressOptions(withLabelSelectors(command)).action(
    async (argument: string | undefined, flags: DeleteFlags) => {
      const labels = labelSelectors(flags);
      if (labels.length > 0) {
        // What a label is looked for in stands where the name would.
        const source = argument ?? flags.source ?? '';
        await deleteSnapshots(io, { name: '', labels, source }, flags, 'delete-snapshot');
        return;
      }
      if (flags.source !== undefined) throw usageError('--source goes with --label only');
      const example = 'cairn dataset delete-snapshot NAME';
      const name = oneName(argument, flags.name, { option: '--name', example });
      await deleteSnapshots(io, { name, labels, source: '' }, flags, 'delete-snapshot');
    },
  );
}

export async function deleteSnapshots(
  io: CliIo,
  request: DeleteSnapshotRequest,
  flags: PlanFlags,
  command: string,
): Promise<void> {
  refuseColumns(flags);
  const dryRun = flags.dryRun ?? false;
  const { names, bytes, elapsedUs } = await callServer(flags, io, (client) =>
    client.call(dryRun ? 'PlanDeleteSnapshot' : 'DeleteSnapshot', request),
  );
  if (isJson(flags)) {
    const content = { dry_run: dryRun, names, bytes, elapsed_us: elapsedUs };
    io.stdout.write(jsonOutput(`cairn dataset ${command}`, content));
    return;
  }
  if (names.length === 0) {
    const these = request.labels.length > 1 ? 'all of these labels' : 'this label';
    io.stdout.write(`No snapshot has ${these}: there is nothing to delete\n`);
    return;
  }
  const lines = names.map((name) => `${dryRun ? 'Would delete' : 'Deleted'} ${name}`);
  const space = flags.parsable ? String(bytes) : humanSize(bytes);
  lines.push(dryRun ? `Would give back ${space}` : `Giving back ${space} in the background`);
  io.stdout.write(`${lines.join('\n')}\n`);
}
