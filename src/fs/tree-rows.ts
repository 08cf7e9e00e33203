// Trees as the store has them: read whole at start (one row a tree and one a kept generation), made and given up here.

import { keys } from '../kv/keys.ts';
import type { MetaStore, Write } from '../kv/meta-store.ts';
import { decodeKept, decodeTree, encodeTree } from './generation-records.ts';
import { Generations } from './generations.ts';
import { treeOfHolder } from './holder.ts';
import { decodeSpace } from './space-rows.ts';
import { decodeStats, encodeStats } from './stats-record.ts';
import { type ParentTree, Tree, type TreeCaches, type Usage } from './tree.ts';

/** Holder of a generation that something running needs: a snapshot until its second item. After a restart nobody does. */
export const JOB_HOLDER = Buffer.from('job');

export async function loadTrees(meta: MetaStore, caches: TreeCaches): Promise<Map<number, Tree>> {
  const { kept, holds } = await loadKept(meta);
  const usage = new Map<number, { usedBytes: number; usedInodes: number }>();
  for await (const [key, value] of meta.rows(keys.stats.range()))
    usage.set(keys.stats.parse(key).tree, decodeStats(value));
  const trees = new Map<number, Tree>();
  for await (const [key, value] of meta.rows(keys.tree.range())) {
    const { tree: id } = keys.tree.parse(key);
    const { parent, current, detached, flat } = decodeTree(value);
    const { held, leaving, unfinished } = kept.get(id) ?? NOTHING_KEPT;
    const generations = new Generations(current, held, leaving);
    const furtherHolds = (holds.get(id) ?? []).filter(
      ({ tree, generation }) => tree !== parent?.tree || generation !== parent.generation,
    );
    const tree = new Tree({ id, parent, detached, flat, furtherHolds, generations, unfinished }, caches);
    const used = usage.get(id);
    if (used) tree.count(used.usedBytes, used.usedInodes);
    tree.newestDeath = await newestDeath(meta, id, generations);
    trees.set(id, tree);
  }
  for await (const [key, value] of meta.rows(keys.space.range())) {
    const { tree, first, last } = keys.space.parse(key);
    trees.get(tree)?.space.set({ first, last }, decodeSpace(value));
  }
  return trees;
}

/** At least that: a death is noted, so where there is no note nothing died. */
async function newestDeath(meta: MetaStore, tree: number, { kept, current }: Generations): Promise<number> {
  const last = kept.at(-1);
  if (last === undefined) return -1;
  const { gte } = keys.changed.range(tree, last + 1);
  const notes = await meta.page({ gte, lt: keys.changed.range(tree).lt }, 1);
  return notes.length > 0 ? current : last;
}

/** Ascending. */
interface KeptOfTree {
  readonly held: number[];
  /** Nobody holds them any more: they are being swept. */
  readonly leaving: number[];
  /** Of those held: by jobs that were never finished, and perhaps by others. */
  readonly unfinished: number[];
}

const NOTHING_KEPT: KeptOfTree = { held: [], leaving: [], unfinished: [] };

interface LoadedKept {
  readonly kept: ReadonlyMap<number, KeptOfTree>;
  /** Which generations each tree holds. */
  readonly holds: ReadonlyMap<number, readonly ParentTree[]>;
}

async function loadKept(meta: MetaStore): Promise<LoadedKept> {
  const holds = new Map<number, ParentTree[]>();
  const kept = new Map<number, KeptOfTree>();
  for await (const [key, value] of meta.rows(keys.kept.range())) {
    const { tree, generation } = keys.kept.parse(key);
    const { holders } = decodeKept(value);
    const ofTree = kept.get(tree) ?? { held: [], leaving: [], unfinished: [] };
    kept.set(tree, ofTree);
    (holders.length > 0 ? ofTree.held : ofTree.leaving).push(generation);
    if (holders.some((holder) => holder.equals(JOB_HOLDER))) ofTree.unfinished.push(generation);
    for (const holder of holders) {
      const clone = treeOfHolder(holder);
      if (clone === undefined) continue;
      const others = holds.get(clone) ?? [];
      holds.set(clone, [...others, { tree, generation }]);
    }
  }
  return { kept, holds };
}

/**
 * A new tree and the rows that make it: empty, or a clone that shows what its parent was at a kept generation. In a
 * clone generation 0 is that of its parent.
 *
 * @param usage what the new tree shows: the counters of the parent's kept generation
 */
export function newTree(
  id: number,
  parent: ParentTree | null,
  caches: TreeCaches,
  usage: Usage = NOTHING_USED,
): { tree: Tree; rows: Write[] } {
  const generations = new Generations(parent ? 1 : 0, []);
  const tree = new Tree({ id, parent, generations }, caches);
  tree.count(usage.usedBytes, usage.usedInodes);
  const record = { parent, current: generations.current, detached: false, flat: false };
  const rows = [
    { key: keys.tree.key(id), value: encodeTree(record) },
    { key: keys.stats.key(id), value: encodeStats(usage) },
  ];
  return { tree, rows };
}

const NOTHING_USED: Usage = { usedBytes: 0, usedInodes: 0 };
