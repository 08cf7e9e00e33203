// A moment is a tree at a kept generation. Two moments have a common past where the paths from their trees up through the
// trees that they were cloned from meet.

import { strict as assert } from 'node:assert';
import type { Store } from '../../fs/store.ts';
import type { Tree } from '../../fs/tree.ts';

export interface Moment {
  readonly tree: Tree;
  readonly generation: number;
}

/** Generations of a tree, `after` excluded and `upTo` included. */
export interface Span {
  readonly tree: Tree;
  readonly after: number;
  readonly upTo: number;
}

/** Older than every generation. */
const BEGINNING = -1;

/**
 * Where everything is noted that differs between two moments; undefined when they have nothing in common, so that
 * everything has to be compared.
 */
export function spansBetween(store: Store, from: Moment, to: Moment): readonly Span[] | undefined {
  const [left, right] = [ancestry(store, from), ancestry(store, to)];
  const meetsAt = left.findIndex(({ tree }) => right.some((other) => other.tree === tree));
  if (meetsAt < 0) return undefined;
  const one = left[meetsAt]!;
  const other = right.find(({ tree }) => tree === one.tree)!;
  const own = [...left.slice(0, meetsAt), ...right.slice(0, right.indexOf(other))];
  const [after, upTo] = [one.generation, other.generation].sort((a, b) => a - b) as [number, number];
  const spans = own.map(({ tree, generation }) => ({ tree, after: BEGINNING, upTo: generation }));
  return after === upTo ? spans : [...spans, { tree: one.tree, after, upTo }];
}

/** The moment, and those that show through it, the nearest first. */
function ancestry(store: Store, moment: Moment): Moment[] {
  const path = [moment];
  for (let { parent } = moment.tree; parent !== null; ) {
    const tree: Tree | undefined = store.trees.get(parent.tree);
    assert(tree, `tree ${parent.tree} has clones and is not there`);
    path.push({ tree, generation: parent.generation });
    parent = tree.parent;
  }
  return path;
}
