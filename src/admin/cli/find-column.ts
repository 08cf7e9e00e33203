import type { DatasetMessage } from '../grpc/admin-messages.ts';
import { type Column, textColumn } from './table.ts';

/** By its name or another one that it has; user properties, and so labels, are columns as well. */
export function findColumn(
  columns: readonly Column<DatasetMessage>[],
  aliases: ReadonlyMap<string, string>,
  name: string,
): Column<DatasetMessage> | undefined {
  const known = columns.find((column) => column.name === (aliases.get(name) ?? name));
  if (known || !name.includes(':')) return known;
  return textColumn(name, ({ properties }) => properties.find((each) => each.name === name)?.value ?? '-');
}
