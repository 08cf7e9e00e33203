import type { Command } from 'commander';
import type { CreateDatasetRequest } from '../grpc/admin-messages.ts';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { datasetFields } from './dataset-fields.ts';
import { usageError } from './exit-code.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { collect, oneName, parseAssignments, parseMode, parseOwner } from './typed-arguments.ts';

interface CreateFlags extends AddressOptions {
  readonly name?: string;
  readonly owner?: string;
  readonly mode?: string;
  readonly readonly?: boolean;
  readonly quota?: string;
  readonly refquota?: string;
  readonly reservation?: string;
  readonly output?: readonly string[];
}

/** Properties that have an option of their own. */
const PROPERTY_FLAGS = ['quota', 'refquota', 'reservation'] as const;

export function addCreate(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('create [name]')
    .description('make a dataset; "a/b" is nested in a, and a directory there')
    .option('--name <name>', 'the same as the argument')
    .option('--owner <uid[:gid]>', 'owner of its root directory (0:0)')
    .option('--mode <octal>', 'mode of its root directory (0755)')
    .option('--readonly', 'nothing in it can be changed')
    .option('--quota <size>', 'limit of it and all nested in it, such as 10GiB')
    .option('--refquota <size>', 'limit of it alone')
    .option('--reservation <size>', 'space that only it can use')
    .option(
      '-o, --output <property=value>',
      'set a property (repeatable); or "json": print what is made',
      collect,
    );
  withAddressOptions(command).action(async (argument: string | undefined, flags: CreateFlags) => {
    const name = oneName(argument, flags.name, { option: '--name', example: 'cairn dataset create NAME' });
    const request = createRequest(name, flags);
    const { dataset: created, elapsedUs } = await callServer(flags, io, (client) =>
      client.call('CreateDataset', request),
    );
    io.stdout.write(
      flags.output?.includes('json')
        ? jsonOutput('cairn dataset create', { ...datasetFields(created), elapsed_us: elapsedUs })
        : `Created ${created.name}\n`,
    );
  });
}

function createRequest(name: string, flags: CreateFlags): CreateDatasetRequest {
  const typed = (flags.output ?? []).filter((each) => each !== 'json');
  const properties = parseAssignments([
    ...typed,
    ...PROPERTY_FLAGS.flatMap((property) =>
      flags[property] === undefined ? [] : [`${property}=${flags[property]}`],
    ),
  ]);
  if (flags.readonly && Object.hasOwn(properties, 'readonly')) {
    throw usageError('The property readonly is given twice');
  }
  return {
    name,
    readonly: flags.readonly ?? false,
    ...(flags.mode === undefined ? {} : { mode: parseMode(flags.mode) }),
    ...(flags.owner === undefined ? {} : parseOwner(flags.owner)),
    properties,
  };
}
