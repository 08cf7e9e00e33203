// Lists as `zfs list` prints them: aligned columns for people, tab-separated lines for scripts.

import type { Command } from 'commander';
import { nearest } from '../config/nearest.ts';
import { usageError } from './exit-code.ts';
import { visibleText } from './visible-text.ts';

export interface Column<Row> {
  /** As chosen by `-o`; the header is this in capitals. */
  readonly name: string;
  readonly align: 'left' | 'right';
  human(row: Row): string;
  /** With `-p`: numbers as they are. */
  exact(row: Row): string;
  /** What `-s` sorts by. */
  key(row: Row): string | number;
}

export function textColumn<Row>(name: string, value: (row: Row) => string): Column<Row> {
  return { name, align: 'left', human: value, exact: value, key: value };
}

export function numberColumn<Row>(
  name: string,
  value: (row: Row) => number,
  human: (value: number) => string,
): Column<Row> {
  return {
    name,
    align: 'right',
    human: (row) => human(value(row)),
    exact: (row) => String(value(row)),
    key: value,
  };
}

export type SortKey = { readonly column: string; readonly descending: boolean };

export interface ListOptions {
  readonly H?: boolean;
  readonly parsable?: boolean;
  readonly output?: string;
}

export interface Listing<Row> {
  readonly rows: readonly Row[];
  readonly options: ListOptions;
  readonly sortKeys: readonly SortKey[];
  readonly byDefault: readonly string[];
  /** Undefined when there is none of this name. */
  column(name: string): Column<Row> | undefined;
  readonly columnNames: readonly string[];
}

/** Adds the options of lists. What `-s` and `-S` choose is in the order typed, so it is collected here. */
export function withListOptions(command: Command): SortKey[] {
  const sortKeys: SortKey[] = [];
  command
    .option('-H', 'no header, columns separated by tabs: for scripts')
    .option('-p, --parsable', 'exact numbers')
    .option('-o, --output <columns>', 'columns to show, separated by commas, or "json"')
    .option('-s <column>', 'sort by this column')
    .option('-S <column>', 'sort by this column, backwards');
  command.on('option:s', (column: string) => sortKeys.push({ column, descending: false }));
  command.on('option:S', (column: string) => sortKeys.push({ column, descending: true }));
  return sortKeys;
}

export function isJson({ output }: ListOptions): boolean {
  return output === 'json';
}

/** @throws CliError for a column that does not exist */
export function listText<Row>(listing: Listing<Row>): string {
  const { options, byDefault } = listing;
  const columns = (options.output?.split(',') ?? byDefault).map((name) => columnOf(listing, name.trim()));
  const cells = sorted(listing).map((row) =>
    columns.map((column) => visibleText(options.parsable ? column.exact(row) : column.human(row))),
  );
  if (options.H) return cells.map((line) => `${line.join('\t')}\n`).join('');
  if (cells.length === 0) return '';
  const lines = [columns.map((column) => column.name.toUpperCase()), ...cells];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]!.length)));
  const padded = lines.map((line) =>
    line.map((cell, index) =>
      columns[index]!.align === 'left' ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!),
    ),
  );
  return padded.map((line) => `${line.join('  ').trimEnd()}\n`).join('');
}

/** In the order that `-s` and `-S` ask for; rows that are equal there stay as they came. */
export function sorted<Row>(listing: Listing<Row>): readonly Row[] {
  const keys = listing.sortKeys.map(({ column, descending }) => ({
    key: columnOf(listing, column).key,
    sign: descending ? -1 : 1,
  }));
  return listing.rows.toSorted((a, b) => {
    for (const { key, sign } of keys) {
      const order = compare(key(a), key(b));
      if (order !== 0) return order * sign;
    }
    return 0;
  });
}

function columnOf<Row>(listing: Listing<Row>, name: string): Column<Row> {
  const column = listing.column(name);
  if (column) return column;
  const near = nearest(name, listing.columnNames);
  throw usageError(
    `There is no column "${name}"${near ? `; did you mean "${near}"?` : '.'} The columns are ${listing.columnNames.join(', ')}`,
  );
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
