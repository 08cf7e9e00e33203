// Names, owners, modes and properties as they are typed.

import { usageError } from './exit-code.ts';

/** A name may be an argument or, as in the published commands, an option. @throws CliError */
export function oneName(
  argument: string | undefined,
  option: string | undefined,
  what: { readonly option: string; readonly example: string },
): string {
  if (argument !== undefined && option !== undefined && argument !== option) {
    throw usageError(`There are two names: ${argument}, and ${option} by ${what.option}; give one of them`);
  }
  const name = argument ?? option;
  if (name === undefined || name === '') {
    throw usageError(`The name is missing: give it as in "${what.example}", or with ${what.option}`);
  }
  return name;
}

/** For an option that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

const TTL_UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
  ['w', 7 * 86_400],
]);

/** Seconds. @throws CliError */
export function parseTtl(typed: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(typed) ?? [];
  const seconds = Math.round(Number(amount) * (TTL_UNITS.get(unit ?? '') ?? 0));
  if (seconds > 0) return seconds;
  throw usageError(`--ttl must be a duration such as 90s, 10m, 2h, 30d or 4w, not ${JSON.stringify(typed)}`);
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** One more is chown's "as it is". */
const ID_MAX = 0xffff_fffe;

/** `UID[:GID]`. @throws CliError */
export function parseOwner(typed: string): Owner {
  const [, uid, gid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(typed) ?? [];
  if (uid === undefined || Number(uid) > ID_MAX || Number(gid ?? 0) > ID_MAX) {
    throw usageError(
      `--owner must be UID or UID:GID, both numbers up to ${ID_MAX}, not ${JSON.stringify(typed)}`,
    );
  }
  return { uid: Number(uid), gid: Number(gid ?? 0) };
}

/** Octal. @throws CliError */
export function parseMode(typed: string): number {
  if (!/^(0o?)?[0-7]{1,4}$/.test(typed)) {
    throw usageError(`--mode must be an octal number up to 7777, such as 0755, not ${JSON.stringify(typed)}`);
  }
  return Number.parseInt(typed.replace('o', ''), 8);
}

/** `NAME=VALUE`, the value up to the end. @throws CliError */
function parseAssignment(typed: string): [name: string, value: string] {
  const equals = typed.indexOf('=');
  if (equals < 1) throw usageError(`${JSON.stringify(typed)} is no PROPERTY=VALUE, such as quota=10GiB`);
  return [typed.slice(0, equals), typed.slice(equals + 1)];
}

/** @throws CliError where one is there twice */
export function parseAssignments(typed: readonly string[]): Record<string, string> {
  const assignments = new Map<string, string>();
  for (const each of typed) {
    const [name, value] = parseAssignment(each);
    if (assignments.has(name)) throw usageError(`The property ${name} is given twice`);
    assignments.set(name, value);
  }
  return Object.fromEntries(assignments);
}
