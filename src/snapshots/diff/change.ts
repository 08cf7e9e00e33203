// What a comparison of two moments tells.

import type { FileType } from '../../fs/file-system.ts';

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** In the order in which they are told. */
export const ATTRIBUTES = ['mode', 'uid', 'gid', 'size', 'atime', 'mtime', 'ctime'] as const;
export type AttributeName = (typeof ATTRIBUTES)[number];

/**
 * One name that came, went or moved, or one inode that changed under the name that it has. A file that both moments have
 * and that got a name more is `added` there, with its link counts.
 */
export interface Change {
  readonly kind: 'added' | 'removed' | 'modified' | 'renamed';
  readonly type: FileType;
  readonly ino: number;
  /** From the root of the dataset on; `/` is the root. In the second moment, of what was removed in the first. */
  readonly path: Buffer;
  /** In the first moment, of what was renamed. */
  readonly from: Buffer | null;
  /** Of what both moments have: whether the bytes of a file, or the entries of a directory, differ. */
  readonly data: boolean;
  readonly attributes: readonly AttributeName[];
  /** Link counts, where both moments have the inode and they differ. */
  readonly links: { readonly before: number; readonly after: number } | null;
  /** Of a file, where they were asked for. */
  readonly ranges: readonly ByteRange[] | null;
}
