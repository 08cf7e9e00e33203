// The configuration file: TOML text to checked values. All that is wrong with it is told at once.

import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { ConfigError } from './config-error.ts';
import { EXPORT_KEYS, type Keys, SECTIONS, TOP_KEYS, type ValuesOf } from './config-keys.ts';
import { type Environment, withEnvironment } from './environment.ts';
import { KeyLines, pathOf } from './key-lines.ts';
import { nearest } from './nearest.ts';
import { unreadable } from './unreadable.ts';
import { ValueError } from './value-type.ts';

export type TopValues = ValuesOf<typeof TOP_KEYS>;
export type ExportValues = ValuesOf<typeof EXPORT_KEYS>;
export type SectionValues = {
  readonly [Name in keyof typeof SECTIONS]: ValuesOf<(typeof SECTIONS)[Name]>;
};

export interface ConfigValues {
  readonly top: TopValues;
  readonly sections: SectionValues;
  readonly exports: readonly ExportValues[];
  /** Whether the file itself has the top-level key. */
  has(key: keyof TopValues): boolean;
}

type Table = Readonly<Record<string, unknown>>;

/** @throws ConfigError */
export function readConfigFile(file: string, environment: Environment): ConfigValues {
  return parseConfig(readText(file), file, environment);
}

/**
 * Only the top-level keys that are named: what a command needs that has nothing to do with the rest, and may not have
 * the environment that the rest needs.
 *
 * @throws ConfigError
 */
export function readTopKeys<Name extends keyof TopValues>(
  file: string,
  names: readonly Name[],
  environment: Environment,
): Partial<Pick<TopValues, Name>> {
  const toml = readText(file);
  const reader = new TableReader(file, toml, environment);
  const table = parseToml(toml, file);
  const given = Object.fromEntries(names.filter((name) => name in table).map((name) => [name, table[name]]));
  const keys = Object.fromEntries(Object.keys(given).map((name) => [name, TOP_KEYS[name as Name]]));
  const values = reader.read(given, keys, '') as Partial<Pick<TopValues, Name>>;
  reader.finish();
  return values;
}

/** @throws ConfigError */
export function parseConfig(toml: string, file: string, environment: Environment): ConfigValues {
  const table = parseToml(toml, file);
  const reader = new TableReader(file, toml, environment);
  const { export: exports, ...rest } = table;
  const tables = Object.entries(rest).filter(([name]) => Object.hasOwn(SECTIONS, name));
  const others = Object.fromEntries(Object.entries(rest).filter(([name]) => !Object.hasOwn(SECTIONS, name)));
  const top = reader.read(others, TOP_KEYS, '');
  const given: Table = Object.fromEntries(tables);
  const sections = Object.fromEntries(
    Object.entries(SECTIONS).map(([name, keys]) => [name, reader.readSection(given[name], keys, name)]),
  ) as SectionValues;
  const rules = reader.readArray(exports, EXPORT_KEYS, 'export');
  reader.finish();
  return { top, sections, exports: rules, has: (key) => Object.hasOwn(table, key) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([`Cannot read the configuration file ${file}: ${unreadable(error)}`], {
      cause: error,
    });
  }
}

function parseToml(toml: string, file: string): Table {
  try {
    return parse(toml);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
    throw new ConfigError([`${file}, line ${error.line}: this is not TOML: ${reason}`], { cause: error });
  }
}

class TableReader {
  readonly #file: string;
  readonly #lines: KeyLines;
  readonly #environment: Environment;
  readonly #problems: string[] = [];

  constructor(file: string, toml: string, environment: Environment) {
    this.#file = file;
    this.#lines = new KeyLines(toml);
    this.#environment = environment;
  }

  read<K extends Keys>(table: Table, keys: K, path: string): ValuesOf<K> {
    for (const name of Object.keys(table)) {
      if (!Object.hasOwn(keys, name)) this.#problem(pathOf(path, name), unknownKey(name, keys, path));
    }
    const values = Object.entries(keys).map(([name, { type, byDefault, required }]) => {
      if (Object.hasOwn(table, name)) return [name, this.#value(type, table[name], pathOf(path, name))];
      if (required) this.#problem(path, `${sectionText(path)} needs the key "${name}"`);
      return [name, byDefault];
    });
    return Object.fromEntries(values) as ValuesOf<K>;
  }

  readSection<K extends Keys>(table: unknown, keys: K, name: string): ValuesOf<K> {
    if (table === undefined || isTable(table)) return this.read(table ?? {}, keys, name);
    this.#problem(name, `${name} must be a section: write [${name}] on a line of its own, its keys below it`);
    return this.read({}, keys, name);
  }

  readArray<K extends Keys>(tables: unknown, keys: K, name: string): ValuesOf<K>[] {
    if (tables === undefined) return [];
    if (!Array.isArray(tables) || !tables.every(isTable)) {
      this.#problem(name, `each ${name} rule has two brackets: write [[${name}]], not [${name}]`);
      return [];
    }
    return tables.map((table, index) => this.read(table, keys, pathOf(name, index)));
  }

  /** @throws ConfigError */
  finish(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
  }

  #value(type: Keys[string]['type'], raw: unknown, path: string): unknown {
    try {
      return type.parse(this.#substituted(raw));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      for (const problem of error.problems) this.#problem(path, `${keyText(path)} ${problem}`);
      return undefined;
    }
  }

  #substituted(raw: unknown): unknown {
    if (typeof raw === 'string') return withEnvironment(raw, this.#environment);
    return Array.isArray(raw) ? raw.map((value) => this.#substituted(value)) : raw;
  }

  #problem(path: string, sentence: string): void {
    const line = this.#lines.lineOf(path);
    this.#problems.push(`${this.#file}${line === undefined ? '' : `, line ${line}`}: ${sentence}`);
  }
}

function unknownKey(name: string, keys: Keys, path: string): string {
  const where = path === '' ? '' : ` in ${sectionText(path)}`;
  const names = [...Object.keys(keys), ...(path === '' ? [...Object.keys(SECTIONS), 'export'] : [])];
  const near = nearest(name, names);
  if (near) return `there is no key "${name}"${where}; did you mean "${near}"?`;
  const sections = Object.entries(SECTIONS).filter(([, inside]) => Object.hasOwn(inside, name));
  if (path === '' && sections.length > 0) {
    return `there is no key "${name}" here; it belongs below [${sections[0]![0]}]`;
  }
  if (path !== '' && Object.hasOwn(TOP_KEYS, name)) {
    return `there is no key "${name}"${where}; it belongs at the top of the file, before the first section`;
  }
  return `there is no key "${name}"${where}; the keys there are ${names.join(', ')}`;
}

/** `cache` is `[cache]`, `export.1` is the second `[[export]]`. */
function sectionText(path: string): string {
  const [name, index] = path.split('.');
  return index === undefined ? `[${name}]` : `[[${name}]] number ${Number(index) + 1}`;
}

function keyText(path: string): string {
  const end = path.lastIndexOf('.');
  return end < 0 ? path : `${path.slice(end + 1)} in ${sectionText(path.slice(0, end))}`;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
