// Whom the bytes are charged to that kept generations need and no live tree of their own does (DESIGN 3.2, SPACE).
//
//   snapshots of a dataset   what would come back if all of them were deleted
//   held by clones           what only generations need that trees show through, and no snapshot names: charged to the
//                            dataset whose tree that is, or came from; of several to the oldest tree
//
// A sum is formed again only when bytes or holders have changed: quotas ask at every WRITE.

import { bytesOfAlone, hasOneIn } from '../fs/space-report.ts';
import { HEAD } from '../fs/space-rows.ts';
import type { Tree } from '../fs/tree.ts';
import type { SnapshotList } from './snapshot-list.ts';
import type { SnapshotRecord } from './snapshot-record.ts';

interface Charges {
  /** What they were summed up from. */
  readonly keptOnlyVersion: number;
  readonly holders: number;
  readonly trees: number;
  /** Generations that other trees show through. */
  readonly shown: ReadonlySet<number>;
  /** What all snapshots together hold. */
  readonly bySnapshots: number;
  /** What only trees hold, by the one that it is charged to. */
  readonly byTrees: ReadonlyMap<Tree, number>;
}

export class SpaceCharges {
  private readonly trees: ReadonlyMap<number, Tree>;
  private readonly lists: ReadonlyMap<number, SnapshotList>;
  private readonly charges = new WeakMap<Tree, Charges>();
  private holders = 0;

  /** @param lists by dataset */
  constructor(trees: ReadonlyMap<number, Tree>, lists: ReadonlyMap<number, SnapshotList>) {
    this.trees = trees;
    this.lists = lists;
  }

  /** A generation has another holder, or one less. */
  holdersChanged(): void {
    this.holders++;
  }

  /** Bytes that would come back if all snapshots of the dataset were deleted. */
  snapshotBytes(dataset: number): number {
    const list = this.lists.get(dataset);
    if (!list) return 0;
    let bytes = 0;
    for (const tree of list.trees.keys()) bytes += this.of(this.tree(tree)).bySnapshots;
    return bytes;
  }

  /** Bytes that go with the snapshot alone: none while a clone or an earlier head shows its generation. */
  aloneBytes({ tree: id, generation }: Pick<SnapshotRecord, 'tree' | 'generation'>): number {
    const tree = this.tree(id);
    return this.of(tree).shown.has(generation) ? 0 : bytesOfAlone(tree, generation);
  }

  /** Bytes that are kept for a dataset's live tree alone, in trees that it shows through. */
  cloneBytes(tree: Tree): number {
    let bytes = 0;
    for (let at = tree; at.parent !== null; ) {
      const above = this.tree(at.parent.tree);
      bytes += this.of(above).byTrees.get(at) ?? 0;
      // What other datasets' trees show through is theirs; a tree without a head goes with the oldest one below it.
      if (above.generations.hasHead || this.treesThrough(above)[0] !== at) break;
      at = above;
    }
    return bytes;
  }

  private tree(id: number): Tree {
    return this.trees.get(id)!;
  }

  private of(tree: Tree): Charges {
    const { keptOnlyVersion } = tree.space;
    const { holders, charges } = this;
    const trees = this.trees.size;
    const known = charges.get(tree);
    if (known?.keptOnlyVersion === keptOnlyVersion && known.holders === holders && known.trees === trees)
      return known;
    const summed = { keptOnlyVersion, holders, trees, ...this.sum(tree) };
    charges.set(tree, summed);
    return summed;
  }

  private sum(tree: Tree): Pick<Charges, 'shown' | 'bySnapshots' | 'byTrees'> {
    let bySnapshots = 0;
    const byTrees = new Map<Tree, number>();
    const through = this.treesThrough(tree);
    const shown = ascending(through.map(({ parent }) => parent!.generation));
    let named: readonly number[] | null = null;
    for (const run of tree.space.all()) {
      const { first, last, bytes } = run;
      if (first === HEAD || last === HEAD) continue;
      if (!hasOneIn(run, shown)) {
        bySnapshots += bytes;
        continue;
      }
      named ??= this.named(tree);
      if (!hasOneIn(run, named)) {
        const oldest = through.find(
          ({ parent }) => parent!.generation >= first && parent!.generation <= last,
        )!;
        byTrees.set(oldest, (byTrees.get(oldest) ?? 0) + bytes);
      }
    }
    return { shown: new Set(shown), bySnapshots, byTrees };
  }

  /** The trees that show generations of this one, the oldest first. */
  private treesThrough({ id }: Tree): readonly Tree[] {
    return [...this.trees.values()].filter(({ parent }) => parent?.tree === id).sort((a, b) => a.id - b.id);
  }

  /** The generations of a tree that snapshots name. */
  private named({ id }: Tree): readonly number[] {
    const generations: number[] = [];
    for (const list of this.lists.values()) {
      if (!list.trees.has(id)) continue;
      for (const { record } of list.entries) if (record.tree === id) generations.push(record.generation);
    }
    return ascending(generations);
  }
}

function ascending(generations: readonly number[]): readonly number[] {
  return generations.toSorted((a, b) => a - b);
}
