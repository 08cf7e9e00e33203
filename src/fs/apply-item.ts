// Item by item against the batch so far: what each kind of item does to the store. Only the commit worker calls this.

import { strict as assert } from 'node:assert';
import type { Batch } from './batch.ts';
import { flattenKey } from './detach/flatten-key.ts';
import { ownKey } from './detach/own-key.ts';
import type { QueuedItem } from './item.ts';
import { addToKept, behead, flat, hold, keep, orphan, release, swept } from './kept-generation.ts';
import type { LiveFrames } from './live-frames.ts';
import type { Tree } from './tree.ts';
import { drainVersion, writeVersion } from './versioning.ts';
import { visit } from './visit.ts';

export function applyItem(batch: Batch, live: LiveFrames, item: QueuedItem): void {
  const { action, tree } = item;
  for (const frame of item.named) live.set(batch, frame);
  if (tree) {
    applyWrites(batch, live, tree, item);
    if (item.usedBytes !== 0 || item.usedInodes !== 0) addUsage(batch, tree, item);
    applyToGenerations(batch, live, tree, item);
  }
  if (action.kind === 'repack') live.forward(batch, action.segment, action.frames);
  if (action.kind === 'forget-segment') live.forget(batch, action.segment);
  for (const row of item.rows) batch.apply(row);
}

function applyWrites(batch: Batch, live: LiveFrames, tree: Tree, item: QueuedItem): void {
  const { action, writes, generation } = item;
  if (batch.generations(tree).leaving.length > 0) for (const write of writes) visit(batch, live, tree, write);
  if (action.kind === 'drain') {
    for (const write of writes) drainVersion(batch, live, tree, write, action.death);
    return;
  }
  // The live version among them is for those who read what is staged; all versions are rewritten together.
  if (action.kind === 'own') return;
  assert(
    writes.length === 0 || generation <= batch.generations(tree).current,
    'an item is stamped with a generation that the worker has not reached',
  );
  for (const write of writes) writeVersion(batch, live, tree, write, generation);
}

function addUsage(batch: Batch, tree: Tree, { action, generation, usedBytes, usedInodes }: QueuedItem): void {
  batch.addUsage(tree, usedBytes, usedInodes);
  if (action.kind !== 'drain') addToKept(batch, tree, generation, usedBytes, usedInodes);
}

function applyToGenerations(
  batch: Batch,
  live: LiveFrames,
  tree: Tree,
  { action, generation }: QueuedItem,
): void {
  switch (action.kind) {
    case 'keep':
      keep(batch, tree, generation, action.holder);
      return;
    case 'hold':
      hold(batch, tree, generation, action.holder);
      return;
    case 'release':
      release(batch, tree, generation, action.holder);
      return;
    case 'visit':
      for (const { key, noted } of action.visits) visit(batch, live, tree, key, noted);
      return;
    case 'swept':
      swept(batch, tree, generation);
      return;
    case 'flatten':
      for (const version of action.versions) flattenKey(batch, tree, version);
      return;
    case 'flat':
      flat(batch, tree);
      return;
    case 'own':
      ownKey(batch, live, tree, action.key, action.copies);
      return;
    case 'orphan':
      orphan(batch, tree);
      return;
    case 'behead':
      behead(batch, tree);
  }
}
