// Completion: a short script for each shell asks this program for the words that may come next, so that it can never
// know other commands and options than the program itself. Names come from the server, if it answers.

import type { Command, Option } from 'commander';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { operandValues } from './completion-names.ts';
import { COMPLETION_SCRIPTS } from './completion-scripts.ts';
import { usageError } from './exit-code.ts';

export function addCompletionCommands(program: Command, io: CliIo): void {
  program
    .command('completion <shell>')
    .description('print the completion script of bash, zsh or fish: source <(cairn completion bash)')
    .action((shell: string) => {
      const script = COMPLETION_SCRIPTS.get(shell);
      if (!script)
        throw usageError(
          `There is completion for ${[...COMPLETION_SCRIPTS.keys()].join(', ')}, not for ${shell}`,
        );
      io.stdout.write(script);
    });
  program.command('complete [words...]', { hidden: true }).action(async (words: string[]) => {
    const candidates = await candidatesFor(program, words, io);
    io.stdout.write(candidates.map((candidate) => `${candidate}\n`).join(''));
  });
}

/** Where the word stands that is asked for. */
interface Place {
  readonly command: Command;
  /** Whose value it is. */
  readonly option: Option | undefined;
  /** Values of options before it, by their long names. */
  readonly given: ReadonlyMap<string, string>;
  /** Arguments of the command before it. */
  readonly operands: readonly string[];
  readonly partial: string;
}

/** What may stand in place of the last of `words`, which may be empty or begun. */
async function candidatesFor(program: Command, words: readonly string[], io: CliIo): Promise<string[]> {
  const place = placeOf(program, words);
  const { command, option, partial } = place;
  const all = option
    ? await optionValues(place, option, io)
    : partial.startsWith('-')
      ? command.options.flatMap((each) => each.long ?? [])
      : [...visibleCommands(command), ...(await argumentValues(place, io))];
  return all.filter((candidate) => candidate.startsWith(partial));
}

function placeOf(program: Command, words: readonly string[]): Place {
  let command = program;
  let option: Option | undefined;
  const given = new Map<string, string>();
  const operands: string[] = [];
  for (const word of words.slice(0, -1)) {
    if (option) {
      given.set(option.long ?? '', word);
      option = undefined;
      continue;
    }
    const inner = command.commands.find((each) => each.name() === word);
    const found = command.options.find((each) => each.short === word || each.long === word);
    if (inner) command = inner;
    else if (found?.required) option = found;
    else if (!word.startsWith('-')) operands.push(word);
  }
  return { command, option, given, operands, partial: words.at(-1) ?? '' };
}

function visibleCommands(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((each) => each.name());
}

async function argumentValues(place: Place, io: CliIo): Promise<string[]> {
  const { command, given, operands } = place;
  if (command.name() === 'completion') return [...COMPLETION_SCRIPTS.keys()];
  if (command.registeredArguments.length === 0) return [];
  const name = given.get('--name');
  return fromServer(place, name === undefined ? operands : [name, ...operands], io);
}

async function optionValues(place: Place, option: Option, io: CliIo): Promise<string[]> {
  if (option.long === '--durability') return ['strict', 'relaxed'];
  return option.long === '--name' || option.long === '--source' ? fromServer(place, [], io) : [];
}

async function fromServer(
  { command, given, partial }: Place,
  before: readonly string[],
  io: CliIo,
): Promise<string[]> {
  if (command.parent?.name() !== 'dataset') return [];
  const [adminSocket, config] = [given.get('--admin-socket'), given.get('--config')];
  const address = { ...(adminSocket && { adminSocket }), ...(config && { config }) };
  const operand = { verb: command.name(), before, partial };
  try {
    return await callServer(address, io, (client) => operandValues(operand, client));
  } catch {
    // Completion has nobody to tell that no server runs.
    return [];
  }
}
