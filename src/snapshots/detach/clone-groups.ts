// The clones of one generation, and whether it is worth while to detach them: none of them alone gives back what they
// hold together.

import type { Clock } from '../../clock.ts';
import type { DatasetEntry } from '../../datasets/dataset-entry.ts';
import { attempt } from '../../fs/attempt.ts';
import { inheritedBytes } from '../../fs/detach/inherited-bytes.ts';
import { treeHolder } from '../../fs/holder.ts';
import { keptCounters } from '../../fs/kept-counters.ts';
import { bytesFreedBy, type Release } from '../../fs/release-plan.ts';
import { HEAD } from '../../fs/space-rows.ts';
import type { Store } from '../../fs/store.ts';
import type { Tree } from '../../fs/tree.ts';

/** What a tree inherits becomes only less, so what was counted is right or too much: good for so long. */
const COUNTED_MS = 300_000;

export interface CloneGroupsParts {
  readonly store: Store;
  readonly clock: Clock;
}

interface Counted {
  readonly bytes: number;
  readonly atMs: number;
}

export class CloneGroups {
  private readonly parts: CloneGroupsParts;
  private readonly counted = new WeakMap<Tree, Counted>();

  constructor(parts: CloneGroupsParts) {
    this.parts = parts;
  }

  /** The oldest first in each. */
  of(clones: readonly DatasetEntry[]): Iterable<readonly DatasetEntry[]> {
    const groups = new Map<string, DatasetEntry[]>();
    for (const clone of clones.toSorted((one, other) => one.tree.id - other.tree.id)) {
      const { parent } = clone.tree;
      const id = `${parent?.tree}/${parent?.generation}`;
      const group = groups.get(id);
      if (group) group.push(clone);
      else groups.set(id, [clone]);
    }
    return groups.values();
  }

  /**
   * The bytes that they still inherit, where that is less than what would come back if they held nothing.
   * @throws as {@link inheritedBytes}
   */
  async inheritedWhereLess(group: readonly DatasetEntry[], signal: AbortSignal): Promise<number | undefined> {
    const { store } = this.parts;
    const trees = group.map(({ tree }) => tree).filter(({ dropped }) => !dropped);
    const freed = await attempt(() =>
      bytesFreedBy(
        store,
        trees.flatMap((tree) => holdsOf(store, tree)),
      ),
    );
    // Counters tell at once of most that it is not.
    if (sum(await attempt(() => trees.map((tree) => shownOfOthers(store, tree)))) >= freed) return undefined;
    let inherited = 0;
    for (const tree of trees) {
      inherited += await this.inherited(tree, signal);
      if (inherited >= freed) return undefined;
    }
    return inherited;
  }

  private async inherited(tree: Tree, signal: AbortSignal): Promise<number> {
    const { store, clock } = this.parts;
    const nowMs = clock.elapsedMs();
    const known = this.counted.get(tree);
    if (known && nowMs - known.atMs < COUNTED_MS) return known.bytes;
    const bytes = await inheritedBytes(store, tree, signal);
    this.counted.set(tree, { bytes, atMs: nowMs });
    return bytes;
  }
}

function holdsOf({ trees }: Store, tree: Tree): Release[] {
  const holder = treeHolder(tree.id);
  return tree.holds.map(({ tree: above, generation }) => ({ tree: trees.get(above)!, generation, holder }));
}

/**
 * Bytes that the oldest moment of a tree shows and that are not its own: what is inherited later was by then. A frame of
 * which a part is shown counts with that part, so it may be more. @throws Wait
 */
function shownOfOthers(store: Store, tree: Tree): number {
  const [oldest = HEAD] = tree.generations.kept;
  const shown = oldest === HEAD ? tree.usedBytes : keptCounters(store, tree.id, oldest).usedBytes;
  let own = 0;
  for (const { first, last, bytes } of tree.space.all()) if (first === oldest && last >= oldest) own += bytes;
  return Math.max(0, shown - own);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
