// What the commit worker does to the generations of a tree: keep, hold, release, swept, and the loss of the head. The
// KEPT row of a generation that nobody holds any more stays until its sweep is finished: that is how a start finds it.

import { strict as assert } from 'node:assert';
import { keys } from '../kv/keys.ts';
import type { Batch } from './batch.ts';
import {
  decodeKept,
  encodeKept,
  encodeTree,
  type KeptRecord,
  type TreeRecord,
} from './generation-records.ts';
import type { Generations } from './generations.ts';
import { keyId } from './key-id.ts';
import { accountKeep, accountLeave } from './space-accounting.ts';
import { HEAD } from './space-rows.ts';
import type { Tree } from './tree.ts';

/** Of a clone: what it shows of its parent. */
export const FORK = 0;

/** The first of a snapshot's two items: `generation` is kept for `holder`, writes go on in the next one. */
export function keep(batch: Batch, tree: Tree, generation: number, holder: Buffer): void {
  const before: Generations = batch.generations(tree);
  assert.equal(generation, before.current, 'a snapshot keeps the generation that is being written');
  const after = before.keep();
  batch.setGenerations(tree, after);
  accountKeep(batch, tree, generation);
  putKept(batch, tree, generation, { ...batch.usage(tree), holders: [holder] });
  const { parent, detached, flat } = tree;
  putTree(batch, tree, { parent, current: after.current, detached, flat });
}

/** One holder more. */
export function hold(batch: Batch, tree: Tree, generation: number, holder: Buffer): void {
  const kept = keptRecord(batch, tree, generation);
  assert(batch.generations(tree).kept.includes(generation), 'a generation is held that is kept no more');
  putKept(batch, tree, generation, { ...kept, holders: [...without(kept, holder), holder] });
}

/** One holder less; with the last one the generation is kept no more. */
export function release(batch: Batch, tree: Tree, generation: number, holder: Buffer): void {
  const kept = keptRecord(batch, tree, generation);
  const holders = without(kept, holder);
  putKept(batch, tree, generation, { ...kept, holders });
  if (holders.length > 0) return;
  const left = batch.generations(tree).leave(generation);
  batch.setGenerations(tree, left);
  accountLeave(batch, tree, generation, left);
}

export function swept(batch: Batch, tree: Tree, generation: number): void {
  const key = keys.kept.key(tree.id, generation);
  batch.delete(keyId(key), key);
  batch.setGenerations(tree, batch.generations(tree).swept(generation));
}

/**
 * The tree shows nothing of its parent any more. What it has only because something would show through goes like what
 * a deleted generation needed: as if its generation 0 were kept no more.
 */
export function orphan(batch: Batch, tree: Tree): void {
  const left = batch.generations(tree).leave(FORK);
  batch.setGenerations(tree, left);
  putKept(batch, tree, FORK, { ...batch.usage(tree), holders: [] });
  putTree(batch, tree, { parent: null, current: left.current, detached: true, flat: false });
}

/** All that the tree shows of its parent is underneath what it has. */
export function flat(batch: Batch, tree: Tree): void {
  const { parent, detached } = tree;
  putTree(batch, tree, { parent, current: batch.generations(tree).current, detached, flat: true });
}

export function behead(batch: Batch, tree: Tree): void {
  const left = batch.generations(tree).behead();
  batch.setGenerations(tree, left);
  accountLeave(batch, tree, HEAD, left);
}

/** A flush stamped at or before a kept generation belongs to it, so its growth counts there too. */
export function addToKept(
  batch: Batch,
  tree: Tree,
  from: number,
  usedBytes: number,
  usedInodes: number,
): void {
  for (const generation of batch.generations(tree).kept) {
    if (generation < from) continue;
    const kept = keptRecord(batch, tree, generation);
    putKept(batch, tree, generation, {
      ...kept,
      usedBytes: kept.usedBytes + usedBytes,
      usedInodes: kept.usedInodes + usedInodes,
    });
  }
}

function without({ holders }: KeptRecord, holder: Buffer): Buffer[] {
  return holders.filter((each) => !each.equals(holder));
}

function keptRecord(batch: Batch, tree: Tree, generation: number): KeptRecord {
  const key = keys.kept.key(tree.id, generation);
  const row = batch.row(keyId(key), key);
  assert(row, `generation ${generation} of tree ${tree.id} is kept without a row`);
  return decodeKept(row);
}

function putTree(batch: Batch, tree: Tree, record: TreeRecord): void {
  const key = keys.tree.key(tree.id);
  batch.put(keyId(key), key, encodeTree(record));
}

function putKept(batch: Batch, tree: Tree, generation: number, record: KeptRecord): void {
  const key = keys.kept.key(tree.id, generation);
  batch.put(keyId(key), key, encodeKept(record));
}
