// What the disk would get back: if some holders let go of kept generations, and some trees lost their heads. A tree that
// is left with nothing goes, and lets go of the generation of its parent that it showed through, and so on up.

import { keys } from '../kv/keys.ts';
import { decodeKept } from './generation-records.ts';
import { treeHolder } from './holder.ts';
import { bytesFreed } from './space-report.ts';
import { HEAD } from './space-rows.ts';
import type { Store } from './store.ts';
import type { Tree } from './tree.ts';

export interface Release {
  readonly tree: Tree;
  readonly generation: number;
  readonly holder: Buffer;
}

/** Exact when nothing is dirty and nothing is being drained or swept. @throws Wait when a row is not resident */
export function bytesFreedBy(
  store: Store,
  releases: readonly Release[],
  beheaded: readonly Tree[] = [],
): number {
  const plan = new ReleasePlan(store);
  for (const tree of beheaded) plan.behead(tree);
  for (const release of releases) plan.release(release);
  return plan.bytes();
}

/** Who holds a kept generation now. @throws Wait when the row is not resident */
export function holdersOf(store: Store, tree: Tree, generation: number): readonly Buffer[] {
  const row = store.value(keys.kept.key(tree.id, generation));
  return row ? decodeKept(row).holders : [];
}

class ReleasePlan {
  private readonly store: Store;
  /** By tree: generations that nobody would hold any more, and HEAD. */
  private readonly leaving = new Map<Tree, Set<number>>();
  /** Of generations that some would still hold: who. */
  private readonly holders = new Map<string, Buffer[]>();

  constructor(store: Store) {
    this.store = store;
  }

  behead(tree: Tree): void {
    this.leave(tree, HEAD);
  }

  release({ tree, generation, holder }: Release): void {
    const id = `${tree.id}/${generation}`;
    const before = this.holders.get(id) ?? holdersOf(this.store, tree, generation);
    const left = before.filter((each) => !each.equals(holder));
    this.holders.set(id, left);
    if (left.length === 0) this.leave(tree, generation);
  }

  bytes(): number {
    let bytes = 0;
    for (const [tree, leaving] of this.leaving) bytes += bytesFreed(tree, leaving);
    return bytes;
  }

  private leave(tree: Tree, generation: number): void {
    let leaving = this.leaving.get(tree);
    if (!leaving) {
      leaving = new Set();
      this.leaving.set(tree, leaving);
    }
    leaving.add(generation);
    const { kept, hasHead } = tree.generations;
    // Only what is there leaves.
    if (leaving.size < kept.length + (hasHead ? 1 : 0)) return;
    const holder = treeHolder(tree.id);
    for (const { tree: above, generation: shown } of tree.holds)
      this.release({ tree: this.store.trees.get(above)!, generation: shown, holder });
  }
}
