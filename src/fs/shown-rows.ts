// What a view shows under a range of keys, in key order: the tree's own rows laid over its parent's, and so on up.
// All of it is as the last applied batch left it at the call.

import { versioned } from '../kv/keys.ts';
import type { Row } from '../kv/meta-store.ts';
import type { KeyRange } from './key-range.ts';
import { mergeRows } from './merge-rows.ts';
import { isWhiteout } from './versioned-value.ts';
import type { Versions } from './versions.ts';

/** The key is that of the view's tree; an `inherited` row stands in a parent tree. Values are not checked. */
export type ShownRow = readonly [key: Buffer, value: Buffer, inherited: boolean];

/** A tree's own rows, and what shows where it has none. */
export interface RowSource extends Pick<Versions, 'treeId' | 'ownRows'> {
  readonly parent: RowSource | null;
}

/** To be iterated once. */
export function shownRows(source: RowSource, range: KeyRange): AsyncGenerator<ShownRow> {
  const { parent, treeId } = source;
  // All are opened here, in the turn of the call.
  const own = source.ownRows(range);
  return parent ? laidOver(own, shownRows(parent, range), treeId) : withoutWhiteouts(own);
}

/** At most `limit` rows of the range. */
export async function shownPage(source: RowSource, range: KeyRange, limit: number): Promise<Row[]> {
  const page: Row[] = [];
  for await (const [key, value] of shownRows(source, range)) {
    page.push([key, value]);
    if (page.length === limit) break;
  }
  return page;
}

async function* withoutWhiteouts(rows: AsyncIterable<Row>): AsyncGenerator<ShownRow> {
  for await (const [key, value] of rows) if (!isWhiteout(value)) yield [key, value, false];
}

async function* laidOver(
  own: AsyncIterable<Row>,
  parent: AsyncIterable<ShownRow>,
  tree: number,
): AsyncGenerator<ShownRow> {
  for await (const row of mergeRows(own, parent)) {
    const [key, value] = row;
    if (row.length === 2) {
      if (!isWhiteout(value)) yield [key, value, false];
      continue;
    }
    const { kind, rest } = versioned.parse(key);
    yield [versioned.key(tree, kind, rest), value, true];
  }
}
