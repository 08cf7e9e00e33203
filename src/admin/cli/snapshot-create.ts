import type { Command } from 'commander';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { usageError } from './exit-code.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { snapshotFields } from './snapshot-fields.ts';
import { type LabelFlags, labelProperties, withLabels } from './snapshot-labels.ts';
import { collect, oneName, parseAssignments, parseTtl } from './typed-arguments.ts';

interface SnapshotFlags extends AddressOptions, LabelFlags {
  readonly source?: string;
  readonly name?: string;
  readonly recursive?: boolean;
  readonly ttl?: string;
  readonly output?: readonly string[];
}

export function addSnapshot(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('snapshot [source] [name]')
    .description('keep a dataset as it is now: cairn dataset snapshot SOURCE NAME, or SOURCE@NAME')
    .option('--source <name>', 'the same as the first argument')
    .option('--name <name>', 'the same as the second argument')
    .option('-r, --recursive', 'also the datasets nested in it, all at one moment')
    .option('--ttl <duration>', 'delete it after so long, such as 2h or 30d, unless it is held')
    .option(
      '-o, --output <property=value>',
      'set a property of your own (repeatable); or "json": print what is made',
      collect,
    );
  withAddressOptions(withLabels(command)).action(
    async (first: string | undefined, second: string | undefined, flags: SnapshotFlags) => {
      const typed = (flags.output ?? []).filter((each) => each !== 'json');
      const request = {
        ...sourceAndName(first, second, flags),
        recursive: flags.recursive ?? false,
        ttlSeconds: flags.ttl === undefined ? 0 : parseTtl(flags.ttl),
        properties: { ...parseAssignments(typed), ...labelProperties(flags) },
      };
      const { snapshot, nested, elapsedUs } = await callServer(flags, io, (client) =>
        client.call('CreateSnapshot', request),
      );
      const names = [snapshot, ...nested].map(({ name }) => `Created ${name}\n`);
      io.stdout.write(
        flags.output?.includes('json')
          ? jsonOutput('cairn dataset snapshot', {
              ...snapshotFields(snapshot),
              nested: nested.map(snapshotFields),
              elapsed_us: elapsedUs,
            })
          : names.join(''),
      );
    },
  );
}

/** `SOURCE NAME`, `SOURCE@NAME`, or the published flags. @throws CliError */
function sourceAndName(first: string | undefined, second: string | undefined, flags: SnapshotFlags) {
  const example = 'cairn dataset snapshot SOURCE NAME';
  // With the source as an option, a single argument is the name.
  const [one, two] =
    flags.source !== undefined && second === undefined ? [undefined, first] : [first, second];
  const source = oneName(one, flags.source, { option: '--source', example });
  const at = source.indexOf('@');
  if (at < 0) return { source, name: oneName(two, flags.name, { option: '--name', example }) };
  const name = source.slice(at + 1);
  const other = two ?? flags.name;
  if (other !== undefined && other !== name) {
    throw usageError(`There are two names: ${name} in ${source}, and ${other}; give one of them`);
  }
  return { source: source.slice(0, at), name };
}
