// Whom the bytes are charged to that kept generations need and no live tree of their own does (DESIGN 3.2, SPACE).
//
//   snapshots of a dataset   what would come back if all of them were deleted
//   held by clones           what only generations need that other trees hold, and no snapshot names: charged to the
//                            dataset whose tree that is, or came from; of several to the oldest tree
//
// A sum is formed again only when bytes or holders have changed: quotas ask at every WRITE.

import { bytesOfAlone, hasOneIn } from '../fs/space-report.ts';
import { HEAD } from '../fs/space-rows.ts';
import type { Store } from '../fs/store.ts';
import type { Tree } from '../fs/tree.ts';
import type { SnapshotList } from './snapshot-list.ts';
import type { SnapshotRecord } from './snapshot-record.ts';

interface Charges {
  /** What they were summed up from. */
  readonly keptOnlyVersion: number;
  readonly holdsVersion: number;
  readonly namesVersion: number;
  /** Generations that other trees hold. */
  readonly held: ReadonlySet<number>;
  /** What all snapshots together hold. */
  readonly bySnapshots: number;
  /** What only trees hold, by the one that it is charged to. */
  readonly byTrees: ReadonlyMap<Tree, number>;
}

/** A tree and the generation that it holds of another. */
interface Hold {
  readonly tree: Tree;
  readonly generation: number;
}

export class SpaceCharges {
  private readonly store: Pick<Store, 'trees' | 'holdsVersion'>;
  private readonly lists: ReadonlyMap<number, SnapshotList>;
  private readonly charges = new WeakMap<Tree, Charges>();
  private namesVersion = 0;

  /** @param lists by dataset */
  constructor(store: Pick<Store, 'trees' | 'holdsVersion'>, lists: ReadonlyMap<number, SnapshotList>) {
    this.store = store;
    this.lists = lists;
  }

  /** Snapshots came or went. */
  namesChanged(): void {
    this.namesVersion++;
  }

  /** Bytes that would come back if all snapshots of the dataset were deleted. */
  snapshotBytes(dataset: number): number {
    const list = this.lists.get(dataset);
    if (!list) return 0;
    let bytes = 0;
    for (const tree of list.trees.keys()) bytes += this.of(this.tree(tree)).bySnapshots;
    return bytes;
  }

  /** Bytes that go with the snapshot alone: none while a clone or an earlier head holds its generation. */
  aloneBytes({ tree: id, generation }: Pick<SnapshotRecord, 'tree' | 'generation'>): number {
    const tree = this.tree(id);
    return this.of(tree).held.has(generation) ? 0 : bytesOfAlone(tree, generation);
  }

  /** Bytes that are kept for a dataset's live tree alone, in trees that it holds. */
  cloneBytes(tree: Tree): number {
    let bytes = 0;
    for (const id of new Set(tree.holds.map((held) => held.tree))) {
      const above = this.tree(id);
      bytes += this.of(above).byTrees.get(tree) ?? 0;
      // What other datasets' trees hold is theirs; a tree without a head goes with the oldest one below it.
      if (!above.generations.hasHead && this.holdsOn(above)[0]?.tree === tree)
        bytes += this.cloneBytes(above);
    }
    return bytes;
  }

  private tree(id: number): Tree {
    return this.store.trees.get(id)!;
  }

  private of(tree: Tree): Charges {
    const { charges, namesVersion } = this;
    const { holdsVersion } = this.store;
    const { keptOnlyVersion } = tree.space;
    const known = charges.get(tree);
    if (
      known?.keptOnlyVersion === keptOnlyVersion &&
      known.holdsVersion === holdsVersion &&
      known.namesVersion === namesVersion
    )
      return known;
    const summed = { keptOnlyVersion, holdsVersion, namesVersion, ...this.sum(tree) };
    charges.set(tree, summed);
    return summed;
  }

  private sum(tree: Tree): Pick<Charges, 'held' | 'bySnapshots' | 'byTrees'> {
    let bySnapshots = 0;
    const byTrees = new Map<Tree, number>();
    const holds = this.holdsOn(tree);
    const held = ascending(holds.map(({ generation }) => generation));
    let named: readonly number[] | null = null;
    for (const run of tree.space.all()) {
      const { first, last, bytes } = run;
      if (first === HEAD || last === HEAD) continue;
      if (!hasOneIn(run, held)) {
        bySnapshots += bytes;
        continue;
      }
      named ??= this.named(tree);
      if (!hasOneIn(run, named)) {
        const oldest = holds.find(({ generation }) => generation >= first && generation <= last)!.tree;
        byTrees.set(oldest, (byTrees.get(oldest) ?? 0) + bytes);
      }
    }
    return { held: new Set(held), bySnapshots, byTrees };
  }

  /** What others hold of this tree, those of the oldest tree first. */
  private holdsOn({ id }: Tree): readonly Hold[] {
    const holds: Hold[] = [];
    for (const tree of this.store.trees.values())
      for (const held of tree.holds) if (held.tree === id) holds.push({ tree, generation: held.generation });
    return holds.sort((one, other) => one.tree.id - other.tree.id);
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
