// In which trees the inodes are whose numbers a dataset's sequence has given: in its head, in the heads that it had before
// and has snapshots of, and where its sequence may not be known, in all trees that they came from.
//
// A clone shows inodes of another dataset, which goes on numbering its own: what is in a parent tree says nothing of the
// clone's sequence as long as it has a row, which began above all that the clone shows.

import { inodesIn, type NumberedThings } from '../fs/numbers-in-use.ts';
import type { Tree } from '../fs/tree.ts';
import type { SnapshotContext } from './snapshot-context.ts';

export function* numberedInodes({ datasets, lists, shared }: SnapshotContext): Generator<NumberedThings> {
  const { trees } = shared.store;
  for (const { id, name, tree, operations } of datasets.catalog.all()) {
    const own = new Set([tree]);
    for (const { record } of lists.get(id)?.entries ?? []) own.add(trees.get(record.tree)!);
    const { inos: sequence } = operations;
    const holders = sequence.isStored ? own : withParents(own, trees);
    yield { sequence, noun: `new files of the dataset ${name}`, places: [...holders].flatMap(inodesIn) };
  }
}

function withParents(own: ReadonlySet<Tree>, trees: ReadonlyMap<number, Tree>): Set<Tree> {
  const all = new Set(own);
  // A set goes on with what is added meanwhile.
  for (const { parent } of all) {
    const above = parent && trees.get(parent.tree);
    if (above) all.add(above);
  }
  return all;
}
