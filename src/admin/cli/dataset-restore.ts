import type { Command } from 'commander';
import type { JobMessage } from '../grpc/admin-messages.ts';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { refuseColumns } from './dataset-list.ts';
import { usageError } from './exit-code.ts';
import { followJob } from './followed-job.ts';
import { jobFields, progressOf } from './job-command.ts';
import { jsonOutput } from './json-output.ts';
import { type AddressOptions, withAddressOptions } from './server-address.ts';
import { isJson } from './table.ts';

interface RestoreFlags extends AddressOptions {
  readonly background?: boolean;
  readonly replace?: boolean;
  readonly output?: string;
}

export function addRestore(dataset: Command, io: CliIo): void {
  const command = dataset
    .command('restore <snapshot:path> [destination]')
    .description('bring a file or a directory back out of a snapshot, as DATASET@SNAPSHOT:/PATH says')
    .option('--replace', 'replace what is there already, when all of the copy is there')
    .option('--background', 'do not wait until all of it is there')
    .option('-o, --output <format>', '"json"');
  withAddressOptions(command).action(
    async (source: string, destination: string | undefined, flags: RestoreFlags) => {
      refuseColumns(flags);
      const request = {
        ...sourceOf(source),
        destination: destination ?? '',
        replace: flags.replace === true,
      };
      const job = await callServer(flags, io, async (client) => {
        const { job: begun } = await client.call('Restore', request);
        return flags.background ? begun : followJob(client, begun);
      });
      io.stdout.write(
        isJson(flags) ? jsonOutput('cairn dataset restore', { job: jobFields(job) }) : sentence(job),
      );
    },
  );
}

/** A path that begins with "/" tells itself from a ":" in the snapshot's name. */
function sourceOf(source: string): { readonly snapshot: string; readonly path: string } {
  const slash = source.indexOf(':/');
  const colon = slash >= 0 ? slash : source.indexOf(':');
  if (colon <= 0 || colon === source.length - 1)
    throw usageError(`${source} does not say what to restore: write it as DATASET@SNAPSHOT:/PATH`);
  return { snapshot: source.slice(0, colon), path: source.slice(colon + 1) };
}

function sentence(job: JobMessage): string {
  if (job.state === 'running') return `Job ${job.id} restores ${job.subject}\n`;
  return `Restored ${job.subject}: ${progressOf(job)}\n`;
}
