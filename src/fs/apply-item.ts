// Item by item against the batch so far: what each kind of item does to the store. Only the commit worker calls this.

import { strict as assert } from 'node:assert';
import { keys } from '../kv/keys.ts';
import type { Batch } from './batch.ts';
import { decodeKept, encodeKept, encodeTree } from './generation-records.ts';
import type { Generations } from './generations.ts';
import type { QueuedItem } from './item.ts';
import { keyId } from './key-id.ts';
import type { LiveFrames } from './live-frames.ts';
import type { Tree } from './tree.ts';
import { drainVersion, replaceInPlace, writeVersion } from './versioning.ts';

export function applyItem(batch: Batch, live: LiveFrames, item: QueuedItem): void {
  const { action, tree } = item;
  for (const frame of item.named) live.set(batch, frame);
  if (tree) {
    applyWrites(batch, live, tree, item);
    if (item.usedBytes !== 0 || item.usedInodes !== 0) addUsage(batch, tree, item);
    if (action.kind === 'keep') keep(batch, tree, item.generation, action.holder);
  }
  if (action.kind === 'repack') live.forward(batch, action.segment, action.frames);
  if (action.kind === 'forget-segment') live.forget(batch, action.segment);
  for (const row of item.rows) batch.apply(row);
}

function applyWrites(batch: Batch, live: LiveFrames, tree: Tree, item: QueuedItem): void {
  const { action, writes, generation } = item;
  if (action.kind === 'drain') {
    for (const write of writes) drainVersion(batch, live, tree, write, action.death);
    return;
  }
  if (action.kind === 'in-place') {
    for (const write of writes) replaceInPlace(batch, live, write);
    return;
  }
  assert(
    writes.length === 0 || generation <= batch.generations(tree).current,
    'an item is stamped with a generation that the worker has not reached',
  );
  for (const write of writes) writeVersion(batch, live, tree, write, generation);
}

/** A flush stamped at or before a kept generation belongs to it, so its growth counts there too. */
function addUsage(batch: Batch, tree: Tree, item: QueuedItem): void {
  batch.addUsage(tree, item.usedBytes, item.usedInodes);
  for (const generation of batch.generations(tree).kept) {
    if (generation < item.generation || item.action.kind === 'drain') continue;
    const key = keys.kept.key(tree.id, generation);
    const id = keyId(key);
    const row = batch.row(id, key);
    assert(row, `generation ${generation} of tree ${tree.id} is kept without a row`);
    const kept = decodeKept(row);
    const usedBytes = kept.usedBytes + item.usedBytes;
    batch.put(id, key, encodeKept({ ...kept, usedBytes, usedInodes: kept.usedInodes + item.usedInodes }));
  }
}

/** The first of a snapshot's two items: `generation` is kept for `holder`, writes go on in the next one. */
function keep(batch: Batch, tree: Tree, generation: number, holder: Buffer): void {
  const before: Generations = batch.generations(tree);
  assert.equal(generation, before.current, 'a snapshot keeps the generation that is being written');
  const after = before.keep();
  batch.setGenerations(tree, after);
  const usage = batch.usage(tree);
  const kept = keys.kept.key(tree.id, generation);
  batch.put(keyId(kept), kept, encodeKept({ ...usage, holders: [holder] }));
  const key = keys.tree.key(tree.id);
  batch.put(keyId(key), key, encodeTree({ parent: tree.parent, current: after.current, noted: true }));
}
