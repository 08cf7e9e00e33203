// Labels as they are typed: `-l pr=1234` on what is made gives it the user property `label:pr`, on lists and deletions it
// selects; `-l pr` selects whatever has such a label.

import type { Command } from 'commander';
import type { DatasetMessage, LabelMessage } from '../grpc/admin-messages.ts';
import { usageError } from './exit-code.ts';
import { collect } from './typed-arguments.ts';

export interface LabelFlags {
  readonly label?: readonly string[];
}

export function withLabelSelectors(command: Command): Command {
  return command.option(
    '-l, --label <key[=value]>',
    'only those with this label (repeatable: with all of them)',
    collect,
  );
}

export function withLabels(command: Command): Command {
  return command.option('-l, --label <key=value>', 'give it this label (repeatable)', collect);
}

/** @throws CliError */
export function labelSelectors({ label = [] }: LabelFlags): LabelMessage[] {
  return label.map((typed) => {
    const equals = typed.indexOf('=');
    const key = equals < 0 ? typed : typed.slice(0, equals);
    if (key === '') throw usageError(`${JSON.stringify(typed)} is no label, such as pr=1234 or pr`);
    return equals < 0 ? { key } : { key, value: typed.slice(equals + 1) };
  });
}

export function hasLabels({ properties }: DatasetMessage, labels: readonly LabelMessage[]): boolean {
  return labels.every(({ key, value }) =>
    properties.some((each) => each.name === `label:${key}` && (value === undefined || each.value === value)),
  );
}

/** The user properties that labels are. @throws CliError */
export function labelProperties(flags: LabelFlags): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const { key, value } of labelSelectors(flags)) {
    if (value === undefined) throw usageError(`The label ${key} has no value: give it as ${key}=VALUE`);
    const name = `label:${key}`;
    if (Object.hasOwn(properties, name)) throw usageError(`The label ${key} is given twice`);
    properties[name] = value;
  }
  return properties;
}
