// Trees as the store has them: read whole at start (one row a tree and one a kept generation), made and given up here.

import { keys } from '../kv/keys.ts';
import type { MetaStore, Write } from '../kv/meta-store.ts';
import { decodeKept, decodeTree, encodeTree } from './generation-records.ts';
import { Generations } from './generations.ts';
import { decodeStats, encodeStats } from './stats-record.ts';
import { type ParentTree, Tree, type TreeCaches } from './tree.ts';

/** Holder of a generation that a running snapshot keeps until its second item; without that, nobody holds it. */
export const JOB_HOLDER = Buffer.from('job');

export async function loadTrees(meta: MetaStore, caches: TreeCaches): Promise<Map<number, Tree>> {
  const kept = await loadKept(meta);
  const usage = new Map<number, { usedBytes: number; usedInodes: number }>();
  for await (const [key, value] of meta.rows(keys.stats.range()))
    usage.set(keys.stats.parse(key).tree, decodeStats(value));
  const trees = new Map<number, Tree>();
  for await (const [key, value] of meta.rows(keys.tree.range())) {
    const { tree: id } = keys.tree.parse(key);
    const { parent, current, noted } = decodeTree(value);
    const tree = new Tree(
      { id, parent, generations: new Generations(current, kept.get(id) ?? [], noted) },
      caches,
    );
    const used = usage.get(id);
    if (used) tree.count(used.usedBytes, used.usedInodes);
    trees.set(id, tree);
  }
  return trees;
}

async function loadKept(meta: MetaStore): Promise<Map<number, number[]>> {
  const kept = new Map<number, number[]>();
  for await (const [key, value] of meta.rows(keys.kept.range())) {
    const { tree, generation } = keys.kept.parse(key);
    decodeKept(value);
    const list = kept.get(tree);
    if (list) list.push(generation);
    else kept.set(tree, [generation]);
  }
  return kept;
}

/** A new, empty tree and the rows that make it. */
export function newTree(
  id: number,
  parent: ParentTree | null,
  caches: TreeCaches,
): { tree: Tree; rows: Write[] } {
  const generations = new Generations(0, [], parent !== null);
  const tree = new Tree({ id, parent, generations }, caches);
  const rows = [
    { key: keys.tree.key(id), value: encodeTree({ parent, current: 0, noted: generations.noted }) },
    { key: keys.stats.key(id), value: encodeStats({ usedBytes: 0, usedInodes: 0 }) },
  ];
  return { tree, rows };
}
