// A range of the keys of one versioned family, without their tree, so that it can be looked up in any tree and in its
// HISTORY.

import { keys, versioned } from '../kv/keys.ts';
import type { Range } from '../kv/meta-store.ts';

const EMPTY = Buffer.alloc(0);

export interface KeyRange {
  /** The prefix byte of the family. */
  readonly kind: number;
  /** What follows the tree in the first key, and in the first behind the range; null is the end of the tree. */
  readonly from: Buffer;
  readonly to: Buffer | null;
}

/** @param range of keys of one family and one tree */
export function keyRange({ gte, lt }: Range): KeyRange {
  const { kind, tree, rest: from } = versioned.parse(gte);
  const isInside = lt.length > 5 && lt[0] === kind && lt.readUInt32BE(1) === tree;
  return { kind, from, to: isInside ? lt.subarray(5) : null };
}

export function liveRange(tree: number, { kind, from, to }: KeyRange): Range {
  const lt = to ? versioned.key(tree, kind, to) : versioned.key(tree + 1, kind, EMPTY);
  return { gte: versioned.key(tree, kind, from), lt };
}

export function historyRange(tree: number, { kind, from, to }: KeyRange): Range {
  const { gte } = keys.history.range(tree, kind, from);
  return { gte, lt: to ? keys.history.range(tree, kind, to).gte : keys.history.range(tree, kind).lt };
}
