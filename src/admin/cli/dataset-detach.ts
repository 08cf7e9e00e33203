import type { Command } from 'commander';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { refuseColumns } from './dataset-list.ts';
import { followJob } from './followed-job.ts';
import { jobFields } from './job-command.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { isJson } from './table.ts';
import { oneName } from './typed-arguments.ts';

interface DetachFlags extends AddressOptions {
  readonly name?: string;
  readonly background?: boolean;
  readonly output?: string;
}

export function addDetach(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('detach [name]')
    .description('copy what a clone, or a dataset that was rolled back, still shares with what it comes from')
    .option('--name <name>', 'the same as the argument')
    .option('--background', 'do not wait until all of it is its own')
    .option('-o, --output <format>', '"json"');
  withAddressOptions(command).action(async (argument: string | undefined, flags: DetachFlags) => {
    refuseColumns(flags);
    const name = oneName(argument, flags.name, { option: '--name', example: 'cairn dataset detach NAME' });
    const job = await callServer(flags, io, async (client) => {
      const { job: begun } = await client.call('Detach', { name });
      return flags.background ? begun : followJob(client, begun);
    });
    const sentence =
      job.state === 'running' ? `Job ${job.id} detaches ${name}` : `${name} shares nothing any more`;
    io.stdout.write(
      isJson(flags) ? jsonOutput('cairn dataset detach', { job: jobFields(job) }) : `${sentence}\n`,
    );
  });
}
