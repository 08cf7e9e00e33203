// The command line: `cairn COMMAND …`.

import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { StartError } from '../start-error.ts';
import { addCheckCommand } from './check-command.ts';
import type { CliIo } from './cli-io.ts';
import { addCompletionCommands } from './completion.ts';
import { addConfigCommand } from './config-command.ts';
import { addDatasetCommand } from './dataset-command.ts';
import { CliError, EXIT, EXIT_CODES_HELP, type ExitCode } from './exit-code.ts';
import { addJobCommand } from './job-command.ts';
import { addServeCommand } from './serve-command.ts';
import { addClientsCommand, addExportCommand, addStatusCommand } from './server-commands.ts';

/** Answers the exit status. `argv` begins with the command. */
export async function main(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  try {
    await programOf(io).parseAsync([...argv], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const exitCode = exitCodeOf(error);
    for (const line of (error as Error).message.split('\n')) io.stderr.write(`cairn: ${line}\n`);
    return exitCode;
  }
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof ConfigError) return EXIT.usage;
  if (error instanceof StartError) return error.isDenied ? EXIT.denied : EXIT.other;
  // A bug of ours: its stack is what helps.
  throw error;
}

function programOf(io: CliIo): Command {
  const program = new Command('cairn')
    .description('A userspace NFSv3 file server')
    .version(io.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text.replace(/^error: /, 'cairn: ')),
    })
    .addHelpText('afterAll', EXIT_CODES_HELP);
  addServeCommand(program, io);
  addDatasetCommand(program, io);
  addExportCommand(program, io);
  addClientsCommand(program, io);
  addStatusCommand(program, io);
  addConfigCommand(program, io);
  addCheckCommand(program, io);
  addJobCommand(program, io);
  addCompletionCommands(program, io);
  return program;
}
