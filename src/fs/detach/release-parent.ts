// The last step of a detach: the tree has no parent any more, and lets go of all that it held. Trees that were cloned from
// it may still name frames of what it held, so they hold that from now on. All of it is one batch, with the job's end.

import type { Write } from '../../kv/meta-store.ts';
import { treeHolder } from '../holder.ts';
import { stageHold, stageRelease } from '../holds.ts';
import { PLAIN_ITEM } from '../item.ts';
import type { Store } from '../store.ts';
import type { ParentTree, Tree } from '../tree.ts';

/** In this turn; the tree's keys are flat and its frames its own. */
export function stageParentRelease(store: Store, tree: Tree, rows: Write[]): void {
  const { holds } = tree;
  for (const dependant of store.trees.values())
    if (dependant.holds.some((held) => held.tree === tree.id)) takeOver(store, dependant, holds);
  // What was cached of old versions may name frames that go now.
  store.history.clear();
  store.views.forgetAll();
  tree.parent = null;
  tree.detached = true;
  tree.flat = false;
  tree.furtherHolds = [];
  store.stage({ ...PLAIN_ITEM, tree, generation: tree.accept, action: { kind: 'orphan' }, rows });
  for (const held of holds)
    stageRelease(store, store.trees.get(held.tree)!, held.generation, treeHolder(tree.id));
}

function takeOver(store: Store, dependant: Tree, holds: readonly ParentTree[]): void {
  const known = dependant.holds;
  const further = holds.filter(
    ({ tree, generation }) => !known.some((held) => held.tree === tree && held.generation === generation),
  );
  for (const { tree, generation } of further)
    stageHold(store, store.trees.get(tree)!, generation, treeHolder(dependant.id));
  dependant.furtherHolds = [...dependant.furtherHolds, ...further];
}
