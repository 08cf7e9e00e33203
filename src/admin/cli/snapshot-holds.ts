// Tags that keep a snapshot from being deleted and from expiring.

import type { Command } from 'commander';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { refuseColumns } from './dataset-list.ts';
import { usageError } from './exit-code.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { isJson, type ListOptions } from './table.ts';
import { oneName } from './typed-arguments.ts';

type HoldFlags = AddressOptions & {
  readonly name?: string;
  readonly tag?: string;
  readonly output?: string;
};

export function addHold(dataset: Command, io: CliIo): void {
  addTagVerb(dataset, io, {
    verb: 'hold',
    description: 'keep a snapshot from being deleted, and from expiring, until the tag is released',
    method: 'HoldSnapshot',
    done: (name, tag) => `${name} is held by ${tag}`,
  });
}

export function addRelease(dataset: Command, io: CliIo): void {
  addTagVerb(dataset, io, {
    verb: 'release',
    description: 'take a tag of "hold" away',
    method: 'ReleaseSnapshot',
    done: (name, tag) => `${name} is not held by ${tag} any more`,
  });
}

interface TagVerb {
  readonly verb: string;
  readonly description: string;
  readonly method: 'HoldSnapshot' | 'ReleaseSnapshot';
  readonly done: (name: string, tag: string) => string;
}

function addTagVerb(dataset: Command, io: CliIo, { verb, description, method, done }: TagVerb): void {
  const command = dataset
    .command(`${verb} [name] [tag]`)
    .description(description)
    .option('--name <name>', 'the same as the first argument')
    .option('--tag <tag>', 'the same as the second argument')
    .option('-o, --output <format>', '"json"');
  withAddressOptions(command).action(
    async (first: string | undefined, second: string | undefined, flags: HoldFlags) => {
      refuseColumns(flags);
      const example = `cairn dataset ${verb} NAME TAG`;
      const [one, two] = nameFirst(flags.name !== undefined ? [undefined, first] : [first, second]);
      const name = oneName(one, flags.name, { option: '--name', example });
      const tag = two ?? flags.tag;
      if (tag === undefined)
        throw usageError(`The tag is missing: give it as in "${example}", or with --tag`);
      const { elapsedUs } = await callServer(flags, io, (client) => client.call(method, { name, tag }));
      io.stdout.write(
        isJson(flags)
          ? jsonOutput(`cairn dataset ${verb}`, { name, tag, elapsed_us: elapsedUs })
          : `${done(name, tag)}\n`,
      );
    },
  );
}

/** `zfs hold` has the tag before the snapshot: which is which, the "@" says. */
function nameFirst([one, two]: [string | undefined, string | undefined]): [
  string | undefined,
  string | undefined,
] {
  return two?.includes('@') && !one?.includes('@') ? [two, one] : [one, two];
}

export function addHolds(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('holds [name]')
    .description('list the tags that hold a snapshot')
    .option('--name <name>', 'the same as the argument')
    .option('-o, --output <format>', '"json"');
  type Flags = AddressOptions & ListOptions & { readonly name?: string };
  withAddressOptions(command).action(async (argument: string | undefined, flags: Flags) => {
    refuseColumns(flags);
    const name = oneName(argument, flags.name, { option: '--name', example: 'cairn dataset holds NAME' });
    const { snapshot } = await callServer(flags, io, (client) => client.call('GetSnapshotInfo', { name }));
    io.stdout.write(
      isJson(flags)
        ? jsonOutput('cairn dataset holds', { name: snapshot.name, holds: snapshot.holds })
        : snapshot.holds.map((tag) => `${tag}\n`).join(''),
    );
  });
}
