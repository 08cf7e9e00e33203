// The kept generations of a tree: whether they count what they show, and whether what a clone shows is kept for it.

import { keys } from '../../kv/keys.ts';
import { encodeKept, type KeptRecord } from '../generation-records.ts';
import { treeHolder } from '../holder.ts';
import { decodeInode } from '../inode-codec.ts';
import { keyRange } from '../key-range.ts';
import { shownRows } from '../shown-rows.ts';
import type { Store } from '../store.ts';
import type { Tree } from '../tree.ts';
import { isDamaged } from '../versioned-value.ts';
import { forkOf } from '../versions-at.ts';
import type { Finding } from './finding.ts';
import type { TreeHistory } from './history-checks.ts';

/** KEPT rows by tree and generation. */
export type KeptRows = Map<number, Map<number, KeptRecord>>;

export async function* keptFindings(
  store: Store,
  tree: Tree,
  history: TreeHistory,
  kept: KeptRows,
): AsyncGenerator<Finding> {
  yield* parentFindings(tree, kept);
  const { id } = tree;
  if (tree.generations.kept.length > 0) await addInherited(store, tree, history);
  for (const [generation, { usedBytes, usedInodes }] of history.usage.totals()) {
    const row = kept.get(id)?.get(generation);
    // Taken, or let go of, since the rows were read.
    if (!row || row.holders.length === 0) continue;
    if (row.usedBytes === usedBytes && row.usedInodes === usedInodes) continue;
    yield {
      kind: 'usage',
      tree: id,
      ino: null,
      message:
        `The counters of kept generation ${generation} of tree ${id} say ${row.usedBytes} bytes and ` +
        `${row.usedInodes} inodes; it shows ${usedBytes} bytes and ${usedInodes} inodes`,
      repair: [{ key: keys.kept.key(id, generation), value: encodeKept({ ...row, usedBytes, usedInodes }) }],
    };
  }
}

function* parentFindings({ id, parent }: Tree, kept: KeptRows): Generator<Finding> {
  if (!parent) return;
  const row = kept.get(parent.tree)?.get(parent.generation);
  if (row?.holders.some((holder) => holder.equals(treeHolder(id)))) return;
  const message = `Tree ${id} shows generation ${parent.generation} of tree ${parent.tree}, which is not kept for it`;
  yield { kind: 'history', tree: id, ino: null, message, repair: null };
}

/** What the parent shows counts in a clone up to the birth of the clone's own oldest version. */
async function addInherited(store: Store, tree: Tree, { oldestInodes, usage }: TreeHistory): Promise<void> {
  const fork = forkOf(store, tree);
  if (!fork) return;
  for await (const [key, value] of shownRows(fork, keyRange(keys.inode.range(fork.treeId)))) {
    if (isDamaged(value)) continue;
    const { ino } = keys.inode.parse(key);
    const death = oldestInodes.get(ino) ?? Number.POSITIVE_INFINITY;
    usage.add({ birth: 0, death }, decodeInode(ino, value).allocated);
  }
}
