// New heads of trees: a clone is a tree that shows a kept generation of another one until it has something of its own,
// and a rollback gives its dataset such a tree as its new head (DESIGN 3.2).

import { ChangeTimes, laterOf } from './change-time.ts';
import { keptCounters } from './kept-counters.ts';
import { inoSequenceKey } from './open-dataset.ts';
import type { OperationContext } from './operation.ts';
import { Records } from './records.ts';
import type { Store } from './store.ts';
import type { ParentTree, Tree } from './tree.ts';
import { newTree } from './tree-rows.ts';

/** A tree that is not staged yet: it can be read. */
export interface Branch {
  readonly tree: Tree;
  /** Makes it a tree of the volume, in this turn. */
  stage(): void;
}

/**
 * A new tree that shows what another one was at a generation which is kept and complete. The caller stages it and, in the
 * same turn, that it holds that generation and whose head it is.
 *
 * @param replaced the head whose place it takes: the new one gives no ctime that this one has given
 * @throws Wait; FsError `ESTALE` when the generation is not kept
 */
export function branchOf(store: Store, parent: ParentTree, replaced?: Tree): Branch {
  const usage = keptCounters(store, parent.tree, parent.generation);
  const { tree, rows } = newTree(store.treeIds.take(), parent, store.parts.settings.caches, usage);
  if (replaced) tree.changeTimes = new ChangeTimes(laterOf(replaced.changeTimes, store.changeMark.before));
  return {
    tree,
    stage() {
      store.stageRows(rows);
      store.trees.set(tree.id, tree);
    },
  };
}

/**
 * Stages the inode numbers of a clone: it shows inodes of its origin, so its own begin above all that were given there.
 *
 * @returns what `openDataset` is to be given as stored
 */
export function stageInosOfClone({ inos, records }: OperationContext, clone: number): Buffer {
  const value = inos.watermark();
  records.store.stageRows([{ key: inoSequenceKey(clone), value }]);
  return value;
}

/**
 * From this turn on a dataset's operations work on another tree: handles of what is not there are stale, and what waits
 * in memory for the old one is forgotten. An operation stages in one turn, so none is half done; those of several turns
 * look whether their tree still has its head. The caller stages the switch in the same turn.
 *
 * @param tree a branch that takes the place of the head
 * @returns the tree that lost its head
 */
export function switchHead(operations: OperationContext, tree: Tree): Tree {
  const { records } = operations;
  const before = records.tree;
  operations.records = new Records(records.store, tree, records.cookieOf);
  tree.limits = before.limits;
  before.giveUp();
  before.forget();
  return before;
}
