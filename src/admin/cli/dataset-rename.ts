// The name of a dataset, and which one is the default.

import type { Command } from 'commander';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { datasetFields } from './dataset-fields.ts';
import { refuseColumns } from './dataset-list.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { snapshotFields } from './snapshot-fields.ts';
import { isJson } from './table.ts';
import { oneName } from './typed-arguments.ts';

interface NameFlags extends AddressOptions {
  readonly name?: string;
}

export function addRename(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('rename [name] [new-name]')
    .description('give a dataset another name, those nested in it go with it; or a snapshot')
    .option('--name <name>', 'the same as the first argument')
    .option('--new-name <name>', 'the same as the second argument')
    .option('-o, --output <format>', '"json"');
  type Flags = NameFlags & { readonly newName?: string; readonly output?: string };
  withAddressOptions(command).action(
    async (first: string | undefined, second: string | undefined, flags: Flags) => {
      const example = 'cairn dataset rename NAME NEW-NAME';
      // With the old name as an option, a single argument is the new one.
      const [old, next] =
        flags.name !== undefined && second === undefined ? [undefined, first] : [first, second];
      const name = oneName(old, flags.name, { option: '--name', example });
      const newName = oneName(next, flags.newName, { option: '--new-name', example });
      refuseColumns(flags);
      const request = { name, newName };
      const [fields, elapsedUs] = await callServer(flags, io, async (client) => {
        if (name.includes('@')) {
          const renamed = await client.call('RenameSnapshot', request);
          return [snapshotFields(renamed.snapshot), renamed.elapsedUs] as const;
        }
        const renamed = await client.call('RenameDataset', request);
        return [datasetFields(renamed.dataset), renamed.elapsedUs] as const;
      });
      io.stdout.write(
        isJson(flags)
          ? jsonOutput('cairn dataset rename', { ...fields, elapsed_us: elapsedUs })
          : `Renamed ${name} to ${fields.name}\n`,
      );
    },
  );
}

export function addSetDefault(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('set-default [name]')
    .description('choose the dataset that clients get who mount "/"')
    .option('--name <name>', 'the same as the argument');
  withAddressOptions(command).action(async (argument: string | undefined, flags: NameFlags) => {
    const name = oneName(argument, flags.name, {
      option: '--name',
      example: 'cairn dataset set-default NAME',
    });
    await callServer(flags, io, (client) => client.call('SetDefaultDataset', { name }));
    io.stdout.write(`The default dataset is ${name}\n`);
  });
}

export function addGetDefault(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('get-default')
    .description('name the dataset that clients get who mount "/"')
    .option('-o, --output <format>', '"json"');
  type Flags = AddressOptions & { readonly output?: string };
  withAddressOptions(command).action(async (flags: Flags) => {
    refuseColumns(flags);
    const { dataset: found } = await callServer(flags, io, (client) => client.call('GetDefaultDataset', {}));
    io.stdout.write(
      isJson(flags) ? jsonOutput('cairn dataset get-default', datasetFields(found)) : `${found.name}\n`,
    );
  });
}
