import type { Command } from 'commander';
import type { PropertyMessage } from '../grpc/admin-messages.ts';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { sourceText } from './dataset-fields.ts';
import { usageError } from './exit-code.ts';
import { humanSize } from './human-size.ts';
import { humanTime } from './human-time.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { type Column, isJson, type ListOptions, listText, withListOptions } from './table.ts';
import { oneName, parseAssignments } from './typed-arguments.ts';

interface NameFlags extends AddressOptions {
  readonly name?: string;
}

export function addSet(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('set [name] [assignments...]')
    .description('set properties: cairn dataset set NAME quota=10GiB readonly=on')
    .option('--name <name>', 'the same as the first argument');
  withAddressOptions(command).action(
    async (first: string | undefined, rest: readonly string[], flags: NameFlags) => {
      // A name has no "=", so what has one is an assignment wherever it stands.
      const words = first === undefined ? rest : [first, ...rest];
      const names = words.filter((word) => !word.includes('='));
      if (names.length > 1)
        throw usageError(`${JSON.stringify(names[1])} is no PROPERTY=VALUE, such as quota=10GiB`);
      const name = oneName(names[0], flags.name, {
        option: '--name',
        example: 'cairn dataset set NAME quota=10GiB',
      });
      const properties = parseAssignments(words.filter((word) => word.includes('=')));
      if (Object.keys(properties).length === 0)
        throw usageError('What should be set? Give PROPERTY=VALUE, such as quota=10GiB');
      await callServer(flags, io, (client) => client.call('SetProperties', { name, properties }));
    },
  );
}

export function addInherit(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('inherit [name] [property]')
    .description('take away what is set on the dataset itself')
    .option('--name <name>', 'the same as the first argument');
  withAddressOptions(command).action(
    async (first: string | undefined, second: string | undefined, flags: NameFlags) => {
      const example = 'cairn dataset inherit NAME PROPERTY';
      const [argument, property] =
        flags.name !== undefined && second === undefined ? [undefined, first] : [first, second];
      const name = oneName(argument, flags.name, { option: '--name', example });
      if (property === undefined) throw usageError(`The property is missing: give it as in "${example}"`);
      await callServer(flags, io, (client) => client.call('InheritProperty', { name, property }));
    },
  );
}

export function addGet(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('get [name] [properties...]')
    .description('show properties with where their values come from; all of them unless some are named')
    .option('--name <name>', 'the same as the first argument');
  const sortKeys = withListOptions(withAddressOptions(command));
  type Flags = NameFlags & ListOptions;
  command.action(async (first: string | undefined, rest: readonly string[], flags: Flags) => {
    const argument = flags.name === undefined ? first : undefined;
    const words = flags.name === undefined || first === undefined ? rest : [first, ...rest];
    const name = oneName(argument, flags.name, {
      option: '--name',
      example: 'cairn dataset get NAME [PROPERTY…]',
    });
    const wanted = words.flatMap((word) => word.split(',')).filter((word) => word !== 'all' && word !== '');
    const { properties } = await callServer(flags, io, (client) =>
      client.call('GetProperties', { name, properties: wanted }),
    );
    const columns = propertyColumns(name);
    io.stdout.write(
      isJson(flags)
        ? jsonOutput('cairn dataset get', { name, properties: propertiesJson(properties) })
        : listText({
            rows: properties,
            options: flags,
            sortKeys,
            byDefault: columns.map((column) => column.name),
            column: (chosen) => columns.find((column) => column.name === chosen),
            columnNames: columns.map((column) => column.name),
          }),
    );
  });
}

function propertiesJson(properties: readonly PropertyMessage[]): object {
  return Object.fromEntries(
    properties.map((property) => [property.name, { value: property.value, source: sourceText(property) }]),
  );
}

function propertyColumns(dataset: string): readonly Column<PropertyMessage>[] {
  const column = (
    name: string,
    exact: (property: PropertyMessage) => string,
    human = exact,
  ): Column<PropertyMessage> => ({ name, align: 'left', human, exact, key: exact });
  return [
    column('name', () => dataset),
    column('property', (property) => property.name),
    column('value', (property) => property.value, humanValue),
    column('source', sourceText),
  ];
}

const SIZES: readonly string[] = [
  'used',
  'available',
  'referenced',
  'usedbydataset',
  'usedbysnapshots',
  'usedbyclones',
  'quota',
  'refquota',
  'reservation',
];

function humanValue({ name, value }: PropertyMessage): string {
  if (!/^\d+$/.test(value)) return value;
  if (name === 'creation') return humanTime(Number(value));
  return SIZES.includes(name) ? humanSize(Number(value)) : value;
}
