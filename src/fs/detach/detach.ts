// Makes a tree independent of its parent (DESIGN 3.2, Detach), in the background while it is used:
//
//   flatten   each record that the fork shows goes underneath what the tree has: metadata is copied. When all are there
//             reads stop at the tree. That alone is of use where a chain of clones has become long.
//   own       frames that the tree's maps inherit become copies: data is copied
//   release   in one batch the tree loses its parent and lets go of it
//
// Until the release the tree holds what it comes from, and its deletions leave whiteouts. Each step done again finds
// nothing to do, so what a crash cuts short begins again.

import type { Write } from '../../kv/meta-store.ts';
import { framesIn } from '../chunk-frames.ts';
import { FsError } from '../fs-error.ts';
import { PLAIN_ITEM } from '../item.ts';
import type { PinnedGenerations } from '../pinned-generations.ts';
import type { SegmentLog } from '../segment-log.ts';
import type { Store } from '../store.ts';
import type { Tree } from '../tree.ts';
import { shownThrough } from '../versions-at.ts';
import type { WriteBack } from '../write-back.ts';
import { ownFrames } from './copy-frames.ts';
import { chunkKeys, inheritedKeys } from './inherited-keys.ts';
import { stageParentRelease } from './release-parent.ts';

export interface FlattenParts {
  readonly store: Store;
  readonly signal: AbortSignal;
  /** Records made the tree's own, and bytes copied. */
  readonly onProgress: (records: number, bytes: number) => void;
}

export interface DetachParts extends FlattenParts {
  readonly segmentLog: SegmentLog;
  readonly writeBack: Pick<WriteBack, 'freeBytes'>;
  readonly pins: PinnedGenerations;
}

/**
 * @param rows staged together with the release
 * @returns false when the tree was given up, or lost its head, before the release
 * @throws FsError `ENOSPC`; DamageError when what it inherits cannot be read; the signal's reason
 */
export async function detach(parts: DetachParts, tree: Tree, rows: Write[]): Promise<boolean> {
  const { store, pins, signal } = parts;
  await flatten(parts, tree, []);
  while ((await own(parts, tree)) > 0);
  // Who compares or copies what the tree shows may look at its maps again and again.
  await pins.unpinned(tree);
  await store.durable(store.ticket);
  signal.throwIfAborted();
  if (tree.dropped) return false;
  stageParentRelease(store, tree, rows);
  await store.durable(store.ticket);
  return true;
}

/**
 * @param rows staged together with the end
 * @returns false when the tree was given up, or lost its head, before
 * @throws DamageError when what it inherits cannot be read; the signal's reason
 */
export async function flatten(parts: FlattenParts, tree: Tree, rows: Write[]): Promise<boolean> {
  const { store, signal } = parts;
  await flattenKeys(parts, tree);
  signal.throwIfAborted();
  if (tree.dropped) return false;
  // What kept generations did not find in HISTORY stands there now, and nowhere else is looked for it.
  store.history.clear();
  tree.flat = true;
  store.stage({ ...PLAIN_ITEM, tree, generation: tree.accept, action: { kind: 'flat' }, rows });
  await store.durable(store.ticket);
  return true;
}

async function flattenKeys({ store, signal, onProgress }: FlattenParts, tree: Tree): Promise<void> {
  const fork = shownThrough(store, tree);
  if (!fork) return;
  for await (const versions of inheritedKeys(store, fork, tree.id)) {
    signal.throwIfAborted();
    if (tree.dropped) return;
    const action = { kind: 'flatten', versions } as const;
    await store.durable(store.stage({ ...PLAIN_ITEM, tree, generation: tree.accept, action, rows: [] }));
    onProgress(versions.length, 0);
  }
}

/** @returns how many keys it found that inherit frames */
async function own(parts: DetachParts, tree: Tree): Promise<number> {
  const { store, segmentLog, writeBack, signal, onProgress } = parts;
  let found = 0;
  for await (const { key, value } of chunkKeys(store, tree.id)) {
    const inherited = [...framesIn(value).values()].filter((frame) => frame.inherited);
    if (inherited.length === 0) continue;
    signal.throwIfAborted();
    if (tree.dropped) return 0;
    const bytes = inherited.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    if (writeBack.freeBytes() < bytes)
      throw new FsError('ENOSPC', 'The disk has no room for a copy of what is shared');
    onProgress(0, await ownFrames({ store, segmentLog, tree }, key));
    found++;
  }
  return found;
}
