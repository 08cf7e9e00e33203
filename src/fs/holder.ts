// Who keeps a generation: a holder in its KEPT row (DESIGN 3.2). On disk: never renumber.
//
//   holder := "job"                             a snapshot that is being taken; nobody, after a restart
//           | 's' dataset:u32 snapshot:u32      a snapshot
//           | 't' tree:u32                      the tree that shows it where it has nothing of its own
//
// A generation that only trees hold is hidden: nobody can name it, and it goes with the last of them.

import { putU32 } from './big-endian.ts';

const SNAPSHOT = 0x73;
const TREE = 0x74;

export function snapshotHolder(dataset: number, snapshot: number): Buffer {
  const holder = Buffer.alloc(9, SNAPSHOT);
  putU32(holder, 1, dataset);
  putU32(holder, 5, snapshot);
  return holder;
}

export function treeHolder(tree: number): Buffer {
  const holder = Buffer.alloc(5, TREE);
  putU32(holder, 1, tree);
  return holder;
}
