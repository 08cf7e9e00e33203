// The types of values in the configuration: what a value may be, how it is read, and how it is shown again.

import { ByteSizeError, formatByteSize, parseByteSize } from '../../byte-size.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { type HostPort, hostPortText, parseHostPort } from './host-port.ts';

export interface ValueType<T> {
  /** From what TOML or a flag gives. @throws ValueError */
  parse(raw: unknown): T;
  /** As it is typed in TOML. */
  print(value: T): string;
}

/** What is wrong with a value, each in words that go on after the name of its key. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
  readonly problems: readonly string[];

  constructor(...problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

export const text: ValueType<string> = {
  parse(raw) {
    if (typeof raw !== 'string') throw wrong('a text in quotes', raw);
    if (raw === '') throw new ValueError('must not be empty');
    return raw;
  },
  print: (value) => JSON.stringify(value),
};

/** Is never shown. */
export const secret: ValueType<string> = { parse: text.parse, print: () => '"(secret)"' };

export const boolean: ValueType<boolean> = {
  parse(raw) {
    // A variable of the environment can only be a text.
    if (raw === true || raw === 'true') return true;
    if (raw === false || raw === 'false') return false;
    throw wrong('true or false', raw);
  },
  print: String,
};

export function wholeNumber(range: { readonly min: number; readonly max: number }): ValueType<number> {
  return {
    parse(raw) {
      const value = typeof raw === 'string' && /^\d+$/.test(raw) ? Number(raw) : raw;
      if (!Number.isInteger(value) || (value as number) < range.min || (value as number) > range.max) {
        throw wrong(`a whole number from ${range.min} to ${range.max}`, raw);
      }
      return value as number;
    },
    print: String,
  };
}

export function size(range: { readonly min: number }): ValueType<number> {
  return {
    parse(raw) {
      if (typeof raw !== 'string' && !(Number.isInteger(raw) && (raw as number) >= 0)) {
        throw wrong('a size such as "64MiB"', raw);
      }
      const bytes = parseSize(String(raw));
      if (bytes < range.min) throw wrong(`at least ${formatByteSize(range.min)}`, raw);
      return bytes;
    },
    print(bytes) {
      // Only where nothing is lost by rounding.
      const rounded = formatByteSize(bytes);
      return parseByteSize(rounded) === bytes ? JSON.stringify(rounded) : String(bytes);
    },
  };
}

export function duration(range: { readonly minMs: number; readonly maxMs: number }): ValueType<number> {
  return {
    parse(raw) {
      const ms = typeof raw === 'string' ? parseDuration(raw) : undefined;
      if (ms === undefined) throw wrong('a duration such as "250ms", "30s", "10m" or "2h"', raw);
      if (ms < range.minMs || ms > range.maxMs) {
        throw wrong(`from ${formatDuration(range.minMs)} to ${formatDuration(range.maxMs)}`, raw);
      }
      return ms;
    },
    print: (ms) => JSON.stringify(formatDuration(ms)),
  };
}

export const hostPort: ValueType<HostPort> = {
  parse(raw) {
    const parsed = typeof raw === 'string' ? parseHostPort(raw) : undefined;
    if (!parsed) throw wrong('HOST:PORT, such as "127.0.0.1:2049" or "[::1]:2049"', raw);
    return parsed;
  },
  print: (value) => JSON.stringify(hostPortText(value)),
};

export function oneOf<const T extends string>(...values: T[]): ValueType<T> {
  return {
    parse(raw) {
      const value = values.find((candidate) => candidate === raw);
      if (value === undefined) throw wrong(`${values.slice(0, -1).join(', ')} or ${values.at(-1)}`, raw);
      return value;
    },
    print: (value) => JSON.stringify(value),
  };
}

export function listOf<T>(type: ValueType<T>): ValueType<readonly T[]> {
  return {
    parse(raw) {
      if (!Array.isArray(raw) || raw.length === 0) throw wrong('a list such as ["a", "b"]', raw);
      const values: T[] = [];
      const problems: string[] = [];
      for (const value of raw) {
        try {
          values.push(type.parse(value));
        } catch (error) {
          if (!(error instanceof ValueError)) throw error;
          problems.push(...error.problems);
        }
      }
      if (problems.length > 0) throw new ValueError(...problems);
      return values;
    },
    print: (values) => `[${values.map((value) => type.print(value)).join(', ')}]`,
  };
}

/** What must be given for a value of this sort, and what was. */
export function wrong(wanted: string, raw: unknown): ValueError {
  return new ValueError(`must be ${wanted}, not ${shown(raw)}`);
}

function parseSize(typed: string): number {
  try {
    return parseByteSize(typed);
  } catch (error) {
    if (error instanceof ByteSizeError) throw new ValueError(`must be a size: ${error.message}`);
    throw error;
  }
}

function shown(raw: unknown): string {
  if (Array.isArray(raw)) return raw.length === 0 ? 'an empty list' : 'a list';
  if (raw instanceof Date) return 'a date';
  if (typeof raw === 'object' && raw !== null) return 'a table';
  return JSON.stringify(raw);
}
