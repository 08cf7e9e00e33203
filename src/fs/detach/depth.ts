// How many trees a read may go through: every clone of a clone and every rollback adds one, a tree that has all records
// itself begins anew.

import type { Store } from '../store.ts';
import type { Tree } from '../tree.ts';

export function depthOf({ trees }: Pick<Store, 'trees'>, tree: Tree): number {
  let depth = 0;
  for (let at = tree; at.parent !== null && !at.flat; at = trees.get(at.parent.tree)!) depth++;
  return depth;
}
