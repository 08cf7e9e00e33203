// What the head of a clone shows, its own rows over its parent's. Its counters can be mended, but no record: half of them
// are not the clone's.

import { keys } from '../../kv/keys.ts';
import type { MetaStore, Row } from '../../kv/meta-store.ts';
import { keyRange } from '../key-range.ts';
import { shownRows } from '../shown-rows.ts';
import type { Store } from '../store.ts';
import type { Tree } from '../tree.ts';
import { DamageError } from '../versioned-value.ts';
import { NOW, VersionsAt } from '../versions-at.ts';
import type { Finding } from './finding.ts';
import type { RecordChecks } from './record-checks.ts';
import { treeFindings } from './tree-findings.ts';

export async function* cloneFindings(
  store: Store,
  tree: Tree,
  records: RecordChecks,
): AsyncGenerator<Finding> {
  for await (const finding of findings(store, tree, records)) {
    const { removal: _, ...rest } = finding;
    yield finding.kind === 'usage' ? finding : { ...rest, repair: null };
  }
}

async function* findings(store: Store, tree: Tree, records: RecordChecks): AsyncGenerator<Finding> {
  const { id } = tree;
  const { meta } = store.parts;
  const versions = new VersionsAt(store, tree, NOW);
  const rowsOf = (range: { readonly gte: Buffer; readonly lt: Buffer }) =>
    shownRows(versions, keyRange(range));
  // All are opened in this turn, with the counters of the same moment.
  const tombstones = tombstonesOf(meta, versions);
  const inodes = rowsOf(keys.inode.range(id));
  const entries = rowsOf(keys.dirEntry.range(id));
  const links = rowsOf(keys.link.range(id));
  const chunks = rowsOf(keys.chunk.range(id));
  const facts = records.tree(id);
  facts.stats = tree.committed;
  for (const { rows, generation } of tombstones) {
    for await (const [key] of rows) {
      const { dataId, death } = keys.tombstone.parse(key);
      if (death <= generation) facts.tombstones.add(dataId);
    }
  }
  const families = [
    { rows: inodes, check: (key: Buffer, value: Buffer) => records.inode(key, value) },
    { rows: entries, check: (key: Buffer, value: Buffer) => records.entries(key, value) },
    { rows: links, check: (key: Buffer, value: Buffer) => records.link(key, value) },
    { rows: chunks, check: (key: Buffer, value: Buffer) => records.chunk(key, value) },
  ];
  for (const { rows, check } of families) {
    for await (const [key, value] of rows) {
      try {
        const found = check(key, value);
        if (found) yield* found;
      } catch (error) {
        if (!(error instanceof DamageError)) throw error;
        yield { kind: 'damaged', tree: id, ino: null, message: error.message, repair: null };
      }
    }
  }
  yield* treeFindings(meta, id, facts);
}

/** Data that a parent gave up before the fork may still be there. */
function tombstonesOf(meta: MetaStore, head: VersionsAt) {
  const found: { readonly rows: AsyncIterable<Row>; readonly generation: number }[] = [];
  for (let at: VersionsAt | null = head; at !== null; at = at.parent)
    found.push({ rows: meta.rows(keys.tombstone.range(at.treeId)), generation: at.generation });
  return found;
}
