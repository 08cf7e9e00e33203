// Of which snapshot a dataset still is a clone. Its record says for ever where it came from; that it depends on it is said
// by what its tree holds, which a detach lets go of (after `zfs promote` the origin is "-" too).

import type { DatasetEntry } from '../datasets/dataset-entry.ts';
import type { ParentTree, Tree } from '../fs/tree.ts';
import type { SnapshotContext } from './snapshot-context.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';

export function originOf(
  { byUuid, shared }: SnapshotContext,
  { record, tree }: DatasetEntry,
): SnapshotEntry | undefined {
  const snapshot = record.parentUuid === null ? undefined : byUuid.get(record.parentUuid);
  return snapshot && holds(shared.store.trees, tree, snapshot.record) ? snapshot : undefined;
}

/** By itself, or by the trees that it shows through: a clone that was rolled back has one of its own between. */
function holds(trees: ReadonlyMap<number, Tree>, from: Tree, wanted: ParentTree): boolean {
  // A tree is met on several ways where a detached one between has passed its holds on.
  const met = new Set([from]);
  for (const tree of met) {
    for (const { tree: above, generation } of tree.holds) {
      if (above === wanted.tree && generation === wanted.generation) return true;
      met.add(trees.get(above)!);
    }
  }
  return false;
}
