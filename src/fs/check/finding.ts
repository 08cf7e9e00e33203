// What a check has found wrong, and how to mend it.

import type { Write } from '../../kv/meta-store.ts';
import type { Removal } from './removal.ts';

export type FindingKind =
  | 'damaged'
  | 'dangling-entry'
  | 'misplaced-entry'
  | 'orphan'
  | 'inode'
  | 'parent-link'
  | 'missing-data'
  | 'stray-data'
  | 'damaged-data'
  | 'usage'
  | 'history'
  | 'segment'
  | 'forward'
  | 'dataset'
  | 'database';

export interface Finding {
  readonly kind: FindingKind;
  /** Whose path names it; the inode is null where none is hurt, the tree as well. */
  readonly tree: number | null;
  readonly ino: number | null;
  /** An entry of the inode, where that is hurt. */
  readonly name?: Buffer;
  /** A sentence. */
  readonly message: string;
  /** Rows that mend it; null when none can. */
  readonly repair: readonly Write[] | null;
  /** What mends it where rows cannot. */
  readonly removal?: Removal;
}
