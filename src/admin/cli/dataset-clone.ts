import type { Command } from 'commander';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { datasetFields } from './dataset-fields.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { type LabelFlags, labelProperties, withLabels } from './snapshot-labels.ts';
import { collect, oneName, parseAssignments, parseTtl } from './typed-arguments.ts';

interface CloneFlags extends AddressOptions, LabelFlags {
  readonly source?: string;
  readonly name?: string;
  readonly ttl?: string;
  readonly output?: readonly string[];
}

export function addClone(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('clone [source] [name]')
    .description('make a dataset that begins as a snapshot is, or as a dataset is now')
    .option('--source <name>', 'the same as the first argument')
    .option('--name <name>', 'the same as the second argument')
    .option('--ttl <duration>', 'delete it after so long, such as 2h or 30d')
    .option(
      '-o, --output <property=value>',
      'set a property (repeatable); or "json": print what is made',
      collect,
    );
  withAddressOptions(withLabels(command)).action(
    async (first: string | undefined, second: string | undefined, flags: CloneFlags) => {
      const example = 'cairn dataset clone SOURCE@SNAPSHOT NAME';
      // With the source as an option, a single argument is the name.
      const [one, two] =
        flags.source !== undefined && second === undefined ? [undefined, first] : [first, second];
      const typed = (flags.output ?? []).filter((each) => each !== 'json');
      const request = {
        source: oneName(one, flags.source, { option: '--source', example }),
        name: oneName(two, flags.name, { option: '--name', example }),
        ttlSeconds: flags.ttl === undefined ? 0 : parseTtl(flags.ttl),
        properties: { ...parseAssignments(typed), ...labelProperties(flags) },
      };
      const { dataset: made, elapsedUs } = await callServer(flags, io, (client) =>
        client.call('CloneDataset', request),
      );
      io.stdout.write(
        flags.output?.includes('json')
          ? jsonOutput('cairn dataset clone', { ...datasetFields(made), elapsed_us: elapsedUs })
          : `Cloned ${request.source} to ${made.name}\n`,
      );
    },
  );
}

/** Known from ZFS, where a clone must be promoted before its origin can be deleted. */
export function addPromote(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('promote [name]')
    .description('says that nothing needs promoting: a clone and its origin are deleted in any order')
    .option('--name <name>', 'the same as the argument');
  withAddressOptions(command).action(async (argument: string | undefined, flags: CloneFlags) => {
    const name = oneName(argument, flags.name, { option: '--name', example: 'cairn dataset promote NAME' });
    await callServer(flags, io, (client) => client.call('GetDatasetInfo', { name }));
    io.stdout.write(
      `Nothing needs promoting: ${name} and what it was cloned from can be deleted in any order\n`,
    );
  });
}
