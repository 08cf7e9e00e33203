// Where the records of a view come from: one tree's own versions and, where it has none, those of its parent tree at
// the fork, and so on up.
//
//   head of a tree        the newest version, staged or applied            head-versions.ts
//   a kept generation     the version of that moment, live or in HISTORY   versions-at.ts
//
// A whiteout says that there is nothing here and that no parent is to be asked.

import type { Row } from '../kv/meta-store.ts';
import type { KeyRange } from './key-range.ts';
import { isWhiteout } from './versioned-value.ts';

/** A kept generation that a clone shows. */
export interface ParentVersions extends Versions {
  readonly parent: ParentVersions | null;
  /**
   * What it shows, its own parents included, under a key of any tree.
   * @throws as {@link Versions.own}
   */
  shown(key: Buffer, what: string): Buffer | undefined;
}

export interface Versions {
  /** Whose keys they are. */
  readonly treeId: number;
  /** The tree's live rows are all there is: no parent, no HISTORY. */
  readonly isPlain: boolean;
  /** What shows where the tree has nothing. */
  readonly parent: ParentVersions | null;
  /** The same without what is staged. */
  readonly applied: Versions;
  /**
   * The tree's own version of a key, or its whiteout; checked.
   * @throws Wait when telling takes I/O; DamageError naming `what`
   */
  own(key: Buffer, what: string): Buffer | undefined;
  /**
   * The same for a range, in key order, as the last applied batch left it at the call; not checked. The iterable is
   * to be iterated once.
   */
  ownRows(range: KeyRange): AsyncIterable<Row>;
}

/** What a view shows under a key of its tree. @throws as {@link Versions.own} */
export function shown(versions: Versions, key: Buffer, what: string): Buffer | undefined {
  const own = versions.own(key, what);
  if (own === undefined) return versions.parent?.shown(key, what);
  return isWhiteout(own) ? undefined : own;
}
