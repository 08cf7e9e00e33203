// Which run of kept generations needs what bytes, kept exact by the commit worker in the batch of every change. The rules
// are those of reference/store-model-2.py.
//
// A version born at b that died at d is needed by the kept generations from the first one >= b to the last one < d; a
// frame born at b by those up to the death of the last version of its key that names it.

import type { Batch } from './batch.ts';
import { type ChunkContent, contentIn } from './chunk-frames.ts';
import type { Frame } from './extent.ts';
import { FRAME_HEADER_BYTES } from './frame.ts';
import type { Generations } from './generations.ts';
import { HEAD, PENDING, type Run } from './space-rows.ts';
import type { Tree } from './tree.ts';

/** A version of a chunk map; `death` is HEAD for the live one. */
interface PlacedVersion {
  readonly birth: number;
  readonly death: number;
  readonly value: Buffer;
}

export function runOf(generations: Generations, birth: number, death: number): Run {
  const live = death === HEAD && generations.hasHead;
  const first = generations.nextKept(birth - 1) ?? (generations.hasHead ? HEAD : undefined);
  const last = live ? HEAD : generations.lastKept(death);
  return first === undefined || last < 0 || first > last ? PENDING : { first, last };
}

export interface ChunkChange {
  readonly before: ChunkContent;
  readonly beforeBirth: number;
  readonly after: ChunkContent;
  readonly afterBirth: number;
  /** The newest kept generation that the change is behind; -1 for none. */
  readonly lastKept: number;
  /** The old version went to HISTORY. */
  readonly isKept: boolean;
}

/** The live version of a chunk key has become another one, or none. */
export function accountChunk(batch: Batch, tree: Tree, change: ChunkChange): void {
  const { before, beforeBirth, after, afterBirth, lastKept, isKept } = change;
  const generations = batch.generations(tree);
  const upToKept = (birth: number): Run => ({ first: generations.nextKept(birth - 1)!, last: lastKept });
  if (before.inlineBytes > 0) {
    batch.addSpace(tree, runOf(generations, beforeBirth, HEAD), -before.inlineBytes);
    if (isKept) batch.addSpace(tree, upToKept(beforeBirth), before.inlineBytes);
  }
  for (const [id, frame] of before.frames) {
    if (frame.inherited || after.frames.has(id)) continue;
    batch.addSpace(tree, runOf(generations, frame.birth, HEAD), -bytesOf(frame));
    // Else it is freed.
    if (frame.birth <= lastKept) batch.addSpace(tree, upToKept(frame.birth), bytesOf(frame));
  }
  if (after.inlineBytes > 0) batch.addSpace(tree, runOf(generations, afterBirth, HEAD), after.inlineBytes);
  for (const [id, frame] of after.frames) {
    if (!frame.inherited && !before.frames.has(id))
      batch.addSpace(tree, runOf(generations, frame.birth, HEAD), bytesOf(frame));
  }
}

/** A visit has removed versions of a chunk key. */
export function accountVisit(
  batch: Batch,
  tree: Tree,
  before: readonly PlacedVersion[],
  after: readonly PlacedVersion[],
): void {
  account(batch, tree, before, -1);
  account(batch, tree, after, 1);
}

/** Everything that only the present needed is needed by `generation` too. */
export function accountKeep(batch: Batch, tree: Tree, generation: number): void {
  const present = { first: HEAD, last: HEAD };
  const bytes = batch.spaceOf(tree, present);
  batch.addSpace(tree, present, -bytes);
  batch.addSpace(tree, { first: generation, last: HEAD }, bytes);
}

/**
 * `leaver`, a kept generation or the head, needs nothing any more.
 * @param generations those that are left
 */
export function accountLeave(batch: Batch, tree: Tree, leaver: number, generations: Generations): void {
  const older = generations.lastKept(leaver);
  const newer = generations.nextKept(leaver) ?? HEAD;
  for (const row of batch.spaceTouching(tree, leaver)) {
    const { first, last, bytes } = row;
    if (isPending(row)) continue;
    batch.addSpace(tree, row, -bytes);
    if (first === last) batch.addSpace(tree, PENDING, bytes);
    else if (first === leaver) batch.addSpace(tree, { first: newer, last }, bytes);
    else batch.addSpace(tree, { first, last: older }, bytes);
  }
}

export function isPending({ first, last }: Run): boolean {
  return first === PENDING.first && last === PENDING.last;
}

function account(batch: Batch, tree: Tree, versions: readonly PlacedVersion[], sign: 1 | -1): void {
  const generations = batch.generations(tree);
  const frames = new Map<number, { readonly frame: Frame; readonly death: number }>();
  for (const { birth, death, value } of versions) {
    const content = contentIn(value);
    batch.addSpace(tree, runOf(generations, birth, death), sign * content.inlineBytes);
    // Versions come in the order of their deaths: the last one that names a frame counts.
    for (const [id, frame] of content.frames) if (!frame.inherited) frames.set(id, { frame, death });
  }
  for (const { frame, death } of frames.values())
    batch.addSpace(tree, runOf(generations, frame.birth, death), sign * bytesOf(frame));
}

/** What a frame takes on disk. */
export function bytesOf(frame: Frame): number {
  return frame.storedBytes + FRAME_HEADER_BYTES;
}
