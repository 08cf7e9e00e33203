// Space and inodes of a dataset, for FSSTAT (RFC 1813 §3.3.18).

import type { FileSystemUsage } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { OperationContext } from '../operation.ts';

/** Inodes of a dataset, as far as they are promised. */
export const INODES_MAX = 2 ** 31 - 1;
/** What an inode and its name take at least on the disk: space for bytes is space for so many inodes. */
const INODE_BYTES_MIN = 256;

export function usage({ records, writeBack }: OperationContext): FileSystemUsage {
  const { tree } = records;
  if (tree.dropped) throw new FsError('ESTALE');
  const usedBytes = tree.usedBytes + tree.dirtyGrowth;
  const { usedInodes } = tree;
  const available = Math.min(tree.limits.availableBytes(), writeBack.freeBytes());
  const availableBytes = Math.floor(Math.max(0, Math.min(available, Number.MAX_SAFE_INTEGER - usedBytes)));
  const freeInodes = Math.max(
    0,
    Math.min(INODES_MAX - usedInodes, Math.floor(availableBytes / INODE_BYTES_MIN)),
  );
  return {
    totalBytes: usedBytes + availableBytes,
    freeBytes: availableBytes,
    availableBytes,
    totalInodes: usedInodes + freeInodes,
    freeInodes,
    usedBytes,
    usedInodes,
  };
}
