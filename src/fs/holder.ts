// Who keeps a generation: a holder in its KEPT row (DESIGN 3.2). On disk: never renumber.
//
//   holder := "job"                             a snapshot that is being taken; nobody, after a restart
//           | 's' dataset:u32 snapshot:u32      a snapshot
//           | 't' tree:u32                      the tree that shows it where it has nothing of its own
//
// A generation that only trees hold is hidden: nobody can name it, and it goes with the last of them.

import { getU32, putU32 } from './big-endian.ts';

const SNAPSHOT = 0x73;
const TREE = 0x74;
const TREE_HOLDER_BYTES = 5;

export function snapshotHolder(dataset: number, snapshot: number): Buffer {
  const holder = Buffer.alloc(9, SNAPSHOT);
  putU32(holder, 1, dataset);
  putU32(holder, 5, snapshot);
  return holder;
}

export function treeHolder(tree: number): Buffer {
  const holder = Buffer.alloc(TREE_HOLDER_BYTES, TREE);
  putU32(holder, 1, tree);
  return holder;
}

/** Undefined when it is no tree that holds. */
export function treeOfHolder(holder: Buffer): number | undefined {
  return holder.length === TREE_HOLDER_BYTES && holder[0] === TREE ? getU32(holder, 1) : undefined;
}
