import type { Command } from 'commander';
import type { RollbackMessage } from '../grpc/admin-messages.ts';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { counted } from './counted.ts';
import { refuseColumns } from './dataset-list.ts';
import { humanSize } from './human-size.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { isJson } from './table.ts';
import { oneName } from './typed-arguments.ts';

interface RollbackFlags extends AddressOptions {
  readonly name?: string;
  readonly discard?: boolean;
  readonly dryRun?: boolean;
  readonly output?: string;
}

export function addRollback(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('rollback [name]')
    .description('make a dataset what a snapshot of it is; newer snapshots stay')
    .option('--name <name>', 'the same as the argument')
    .option('--discard', 'do not keep what is there now as a snapshot')
    .option('--dry-run', 'only say what would happen')
    .option('-o, --output <format>', '"json"');
  withAddressOptions(command).action(async (argument: string | undefined, flags: RollbackFlags) => {
    const example = 'cairn dataset rollback NAME@SNAPSHOT';
    const name = oneName(argument, flags.name, { option: '--name', example });
    refuseColumns(flags);
    const { elapsedUs, ...plan } = await callServer(flags, io, (client) =>
      client.call(flags.dryRun ? 'PlanRollback' : 'RollbackDataset', {
        name,
        discard: flags.discard ?? false,
      }),
    );
    io.stdout.write(
      isJson(flags) ? rollbackJson(plan, elapsedUs, flags.dryRun ?? false) : rollbackText(plan, flags),
    );
  });
}

function rollbackJson(plan: RollbackMessage, elapsedUs: number, dryRun: boolean): string {
  return jsonOutput('cairn dataset rollback', {
    dry_run: dryRun,
    target: plan.target,
    before: plan.before || null,
    live_bytes: plan.liveBytes,
    live_inodes: plan.liveInodes,
    target_bytes: plan.targetBytes,
    target_inodes: plan.targetInodes,
    lost_bytes: plan.lostBytes,
    elapsed_us: elapsedUs,
  });
}

function rollbackText(plan: RollbackMessage, { dryRun }: RollbackFlags): string {
  const dataset = plan.target.slice(0, plan.target.indexOf('@'));
  const live = `${humanSize(plan.liveBytes)} and ${counted(plan.liveInodes, 'inode')}`;
  const target = `${humanSize(plan.targetBytes)} and ${counted(plan.targetInodes, 'inode')}`;
  const lines = dryRun
    ? [`Would make ${dataset} (${live}) what ${plan.target} is (${target})`]
    : [`${dataset} is what ${plan.target} is`];
  const lost = `${humanSize(plan.lostBytes)} that only it holds`;
  if (plan.before === '')
    lines.push(dryRun ? `Would lose what is there now, ${lost}` : `What was there before is gone, ${lost}`);
  else if (dryRun) lines.push(`Would keep what is there now as ${plan.before}`);
  else lines.push(`What was there before is ${plan.before}`);
  return `${lines.join('\n')}\n`;
}
