import type { Command } from 'commander';
import { loadSettings, type SettingsFlags } from '../config/settings.ts';
import { settingsText } from '../config/settings-text.ts';
import type { CliIo } from './cli-io.ts';
import { withServeOptions } from './serve-options.ts';

export function addConfigCommand(program: Command, io: CliIo): void {
  const config = program.command('config').description('the configuration file');
  const check = config
    .command('check')
    .description('say what is wrong with the configuration, or print what cairn serve would use');
  withServeOptions(check).action((flags: SettingsFlags) => {
    io.stdout.write(settingsText(loadSettings(flags, io.environment, io.workingDirectory)));
  });
}
