// The published verbs of snapshots: the server answers what it can do about them.

import type { Command } from 'commander';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { oneName } from './typed-arguments.ts';

interface SnapshotFlags extends AddressOptions {
  readonly source?: string;
  readonly name?: string;
}

export function addSnapshotVerbs(dataset: Command, io: CliIo): void {
  const snapshot = dataset
    .command('snapshot [source] [name]')
    .description('keep a dataset as it is now (comes with the next version)')
    .option('--source <name>', 'the same as the first argument')
    .option('--name <name>', 'the same as the second argument');
  withAddressOptions(snapshot).action(
    async (first: string | undefined, second: string | undefined, flags: SnapshotFlags) => {
      const example = 'cairn dataset snapshot SOURCE NAME';
      const source = oneName(first, flags.source, { option: '--source', example });
      const name = oneName(second, flags.name, { option: '--name', example });
      await callServer(flags, io, (client) => client.call('CreateSnapshot', { source, name }));
    },
  );
  const list = dataset
    .command('list-snapshots [source]')
    .description('list snapshots (comes with the next version)')
    .option('--source <name>', 'the same as the argument');
  withAddressOptions(list).action(async (argument: string | undefined, flags: SnapshotFlags) => {
    const source = argument ?? flags.source ?? '';
    await callServer(flags, io, (client) => client.call('ListSnapshots', { source }));
  });
  const remove = dataset
    .command('delete-snapshot [name]')
    .description('delete a snapshot (comes with the next version)')
    .option('--name <name>', 'the same as the argument');
  withAddressOptions(remove).action(async (argument: string | undefined, flags: SnapshotFlags) => {
    const example = 'cairn dataset delete-snapshot NAME';
    const name = oneName(argument, flags.name, { option: '--name', example });
    await callServer(flags, io, (client) => client.call('DeleteSnapshot', { name }));
  });
}
