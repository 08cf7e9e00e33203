// What the space accounting says of a tree and its kept generations: read from rows in memory, nothing is looked at.

import { HEAD, type Run } from './space-rows.ts';
import type { Tree } from './tree.ts';

/** Bytes that files' data takes. */
export interface TreeSpace {
  /** Only the head needs them. */
  readonly live: number;
  /** Kept generations need them, and the head too or not. */
  readonly kept: number;
  /** Kept generations need them, and the head does not. */
  readonly keptOnly: number;
  /** Nobody needs them: a sweep will free them. */
  readonly pending: number;
}

/** What the tree itself holds; what it inherits is its parent's. */
export function spaceOf(tree: Tree): TreeSpace {
  let live = 0;
  let kept = 0;
  let keptOnly = 0;
  let pending = 0;
  for (const { first, last, bytes } of tree.space.all()) {
    if (first === HEAD && last === HEAD) live += bytes;
    else if (first === HEAD) pending += bytes;
    else {
      kept += bytes;
      if (last !== HEAD) keptOnly += bytes;
    }
  }
  return { live, kept, keptOnly, pending };
}

/** Bytes that only this kept generation needs. */
export function bytesOfAlone(tree: Tree, generation: number): number {
  return tree.space.bytes({ first: generation, last: generation });
}

/** Bytes that would be freed if these generations of the tree were kept no more (and HEAD: if it lost its head). */
export function bytesFreed(tree: Tree, leaving: ReadonlySet<number>): number {
  const { kept, hasHead } = tree.generations;
  const there = hasHead ? [...kept, HEAD] : kept;
  const staying = there.filter((each) => !leaving.has(each));
  let bytes = 0;
  for (const row of tree.space.all()) if (!hasOneIn(row, staying)) bytes += row.bytes;
  return bytes - spaceOf(tree).pending;
}

/** Whether a run has one of these generations, which ascend. */
export function hasOneIn({ first, last }: Run, ascending: readonly number[]): boolean {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (ascending[middle]! < first) from = middle + 1;
    else to = middle;
  }
  return from < ascending.length && ascending[from]! <= last;
}
