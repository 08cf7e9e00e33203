// Completion: a short script for each shell asks this program for the words that may come next, so that it can never
// know other commands and options than the program itself. Dataset names come from the server, if it answers.

import type { Command, Option } from 'commander';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { usageError } from './exit-code.ts';

const SCRIPTS: ReadonlyMap<string, string> = new Map([
  [
    'bash',
    `_cairn() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(cairn complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _cairn cairn
`,
  ],
  [
    'zsh',
    `#compdef cairn
_cairn() {
  local -a candidates
  candidates=(\${(f)"$(cairn complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  compadd -a candidates || _files
}
compdef _cairn cairn
`,
  ],
  [
    'fish',
    `function __cairn_complete
  set -l words (commandline -opc) (commandline -ct)
  cairn complete -- $words[2..-1] 2>/dev/null
end
complete -c cairn -a '(__cairn_complete)'
`,
  ],
]);

export function addCompletionCommands(program: Command, io: CliIo): void {
  program
    .command('completion <shell>')
    .description('print the completion script of bash, zsh or fish: source <(cairn completion bash)')
    .action((shell: string) => {
      const script = SCRIPTS.get(shell);
      if (!script)
        throw usageError(`There is completion for ${[...SCRIPTS.keys()].join(', ')}, not for ${shell}`);
      io.stdout.write(script);
    });
  program.command('complete [words...]', { hidden: true }).action(async (words: string[]) => {
    const candidates = await candidatesFor(program, words, io);
    io.stdout.write(candidates.map((candidate) => `${candidate}\n`).join(''));
  });
}

/** What may stand in place of the last of `words`, which may be empty or begun. */
async function candidatesFor(program: Command, words: readonly string[], io: CliIo): Promise<string[]> {
  const partial = words.at(-1) ?? '';
  let command = program;
  let asked: Option | undefined;
  for (const word of words.slice(0, -1)) {
    const option: Option | undefined = command.options.find(
      (each) => each.short === word || each.long === word,
    );
    const inner = asked ? undefined : command.commands.find((each) => each.name() === word);
    command = inner ?? command;
    asked = !asked && option?.required ? option : undefined;
  }
  const all = asked
    ? await optionValues(asked, io)
    : partial.startsWith('-')
      ? command.options.flatMap((option) => option.long ?? [])
      : [...visibleCommands(command), ...(await argumentValues(command, io))];
  return all.filter((candidate) => candidate.startsWith(partial));
}

function visibleCommands(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((each) => each.name());
}

async function argumentValues(command: Command, io: CliIo): Promise<string[]> {
  if (command.name() === 'completion') return [...SCRIPTS.keys()];
  const takesDataset = command.parent?.name() === 'dataset' && command.registeredArguments.length > 0;
  return takesDataset && command.name() !== 'create' ? datasetNames(io) : [];
}

async function optionValues(option: Option, io: CliIo): Promise<string[]> {
  if (option.long === '--durability') return ['strict', 'relaxed'];
  return option.long === '--name' || option.long === '--source' ? datasetNames(io) : [];
}

async function datasetNames(io: CliIo): Promise<string[]> {
  try {
    const { datasets } = await callServer({}, io, (client) => client.call('ListDatasets', { name: '' }));
    return datasets.map((dataset) => dataset.name);
  } catch {
    // Completion has nobody to tell that no server runs.
    return [];
  }
}
