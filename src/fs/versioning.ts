// Overwrite or history: the rules of DESIGN 3.2 for one key, applied by the commit worker against the batch so far.
// They come from models that run (reference/store-model-2.py, store-concurrency-model.mjs); test/fs/model replays
// their oracle. Nothing here may be simplified without it.
//
//   live version's birth > last kept   overwritten in place, and it keeps its birth
//   else                               it moves to HISTORY(key, death = g), and CHANGED(g, key) notes the touch
//   no live version                    CHANGED(g, key)
//   birth 0 in a clone                 CHANGED(g, key), and the new one is born in g: the old one was flattened, so a
//                                      comparison with the parent would not find the key
//
// A whiteout is a version like any other: it was staged because the parent tree would show through, which is for ever.
//
// A tree without a parent that keeps no generation does none of this: the present is all there is.

import { strict as assert } from 'node:assert';
import { keys } from '../kv/keys.ts';
import type { Batch, Version } from './batch.ts';
import { CHANGED_VALUE } from './changed-note.ts';
import { type ChunkContent, contentIn, contentOf } from './chunk-frames.ts';
import type { Generations } from './generations.ts';
import { VersionedKind, type VersionedWrite } from './item.ts';
import { FORK } from './kept-generation.ts';
import { KEY_HEAD_BYTES } from './key-history.ts';
import { keyId } from './key-id.ts';
import type { LiveFrames } from './live-frames.ts';
import { accountChunk } from './space-accounting.ts';
import type { Tree } from './tree.ts';

const NOTHING: ChunkContent = { frames: new Map(), inlineBytes: 0 };

interface ChunkWrite {
  readonly old: Version | undefined;
  readonly write: VersionedWrite;
  readonly birth: number;
  /** The newest kept generation that the change is behind; -1 for none. */
  readonly lastKept: number;
  /** The old version goes to HISTORY. */
  readonly isKept: boolean;
}

/** Clears the bits of the frames that the old map names and the new one does not, as far as no kept generation sees them. */
function changeFrames(batch: Batch, live: LiveFrames, tree: Tree, change: ChunkWrite): void {
  const { old, write, birth, lastKept, isKept } = change;
  const before = old ? contentIn(old.value) : NOTHING;
  const after = write.map ? contentOf(write.map) : write.value ? contentIn(write.value) : NOTHING;
  for (const [id, frame] of before.frames) {
    if (!frame.inherited && frame.birth > lastKept && !after.frames.has(id)) live.clear(batch, frame);
  }
  const beforeBirth = old?.birth ?? 0;
  accountChunk(batch, tree, { before, beforeBirth, after, afterBirth: birth, lastKept, isKept });
}

function note(batch: Batch, tree: Tree, generation: number, write: VersionedWrite): void {
  const key = keys.changed.key(tree.id, generation, write.kind, write.key.subarray(KEY_HEAD_BYTES));
  batch.put(keyId(key), key, CHANGED_VALUE);
}

function toHistory(batch: Batch, tree: Tree, death: number, write: VersionedWrite, old: Version): void {
  batch.putHistory(tree, write, death, old);
  note(batch, tree, death, write);
}

/** Somebody may ask what changed: first touches are noted, and old versions may be needed. */
function isNoted({ parent }: Tree, { kept }: Generations): boolean {
  return kept.length > 0 || parent !== null;
}

/** Makes `write` the newest version of its key in `tree`, at generation `generation`. */
export function writeVersion(
  batch: Batch,
  live: LiveFrames,
  tree: Tree,
  write: VersionedWrite,
  generation: number,
): void {
  const chunk = write.kind === VersionedKind.chunk;
  const generations = batch.generations(tree);
  if (!isNoted(tree, generations)) {
    if (chunk) {
      const old = batch.version(write.id, write.key);
      // In the order of the one below: so both have one hidden class.
      changeFrames(batch, live, tree, { old, write, birth: generation, lastKept: -1, isKept: false });
    }
    if (write.value) batch.putVersion(write.id, write.key, write.value, generation);
    else batch.delete(write.id, write.key);
    return;
  }
  const lastKept = generations.lastKept(generation);
  const old = batch.version(write.id, write.key);
  assert(!old || old.birth <= generation, 'a key is written at a generation below its live version');
  const isKept = old !== undefined && old.birth <= lastKept;
  const inPlace = old !== undefined && !isKept && (tree.parent === null || old.birth > FORK);
  const birth = inPlace ? old.birth : generation;
  if (chunk) changeFrames(batch, live, tree, { old, write, birth, lastKept, isKept });
  if (isKept) toHistory(batch, tree, generation, write, old);
  else if (!inPlace) note(batch, tree, generation, write);
  if (write.value) {
    batch.putVersion(write.id, write.key, write.value, birth);
    return;
  }
  batch.delete(write.id, write.key);
  if (inPlace) forgetTemporary(batch, tree, write, old.birth);
}

/** A key born and deleted between two kept generations leaves no note, unless an older version died at its birth. */
function forgetTemporary(batch: Batch, tree: Tree, write: VersionedWrite, birth: number): void {
  const tail = write.key.subarray(KEY_HEAD_BYTES);
  const older = keys.history.key(tree.id, write.kind, tail, birth);
  if (batch.row(keyId(older), older) !== undefined) return;
  const noted = keys.changed.key(tree.id, birth, write.kind, tail);
  batch.delete(keyId(noted), noted);
}

/** Takes a chunk of a dead data id away at the generation of the unlink, however much later the drain runs. */
export function drainVersion(
  batch: Batch,
  live: LiveFrames,
  tree: Tree,
  write: VersionedWrite,
  death: number,
): void {
  const old = batch.version(write.id, write.key);
  if (!old) return;
  const generations = batch.generations(tree);
  const lastKept = generations.lastKept(death);
  const isKept = old.birth <= lastKept;
  changeFrames(batch, live, tree, { old, write, birth: 0, lastKept, isKept });
  if (!isKept) {
    batch.delete(write.id, write.key);
    if (isNoted(tree, generations)) forgetTemporary(batch, tree, write, old.birth);
    return;
  }
  toHistory(batch, tree, death, write, old);
  batch.delete(write.id, write.key);
}
