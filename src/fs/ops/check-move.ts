// A rename as it was looked up, and what stands against it. The statuses are POSIX's, as the Linux server gives them;
// where RFC 1813 §3.3.14 would say EXIST for all that is in the way, they tell why.

import { type Caller, FileType, LINK_COUNT_MAX } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { InodeRecord } from '../inode-record.ts';
import { type OperationContext, ROOT_INO } from '../operation.ts';
import { may, Want } from '../permission.ts';
import type { NameEntry } from '../tree.ts';
import type { Turn } from '../turn.ts';
import { checkAdd, namedInode, parentOf } from './directory.ts';
import { checkRemovable } from './removable.ts';

/** One end of a rename. */
export interface End {
  readonly directory: InodeRecord;
  readonly name: Buffer;
}

export interface Move {
  readonly source: End & { readonly entry: NameEntry };
  readonly target: End & { readonly entry: NameEntry | null };
  readonly moved: InodeRecord;
  /** What the target name leads to so far. */
  readonly replaced: InodeRecord | null;
}

/**
 * @throws FsError `EINVAL` for a directory into itself or below; `EACCES`; `ENOTDIR`, `EISDIR`, `ENOTEMPTY` for what
 *   the target name leads to; `EMLINK` when the target directory has all the subdirectories that fit
 */
export function checkMove(
  context: OperationContext,
  turn: Turn,
  caller: Caller,
  { source, target, moved, replaced }: Move,
): void {
  const isDirectory = moved.type === FileType.directory;
  // Its `..` changes then, which is a change of the directory itself.
  const getsParent = isDirectory && source.directory.ino !== target.directory.ino;
  if (getsParent) checkNotBelow(turn, moved, target.directory);
  checkRemovable(context, caller, source.directory, moved);
  if (replaced) {
    checkRemovable(context, caller, target.directory, replaced);
    checkSameKind(isDirectory, replaced);
  } else {
    checkAdd(caller, target.directory);
  }
  if (getsParent && !may(caller, moved, Want.write)) throw new FsError('EACCES');
  // Whoever may not do it at all does not hear what the target has in it.
  if (replaced && isDirectory && replaced.entryCount > 0) throw new FsError('ENOTEMPTY');
  if (getsParent && !replaced && target.directory.nlink >= LINK_COUNT_MAX) {
    throw new FsError('EMLINK', `A directory holds at most ${LINK_COUNT_MAX - 2} directories`);
  }
}

/** Walks up from the target directory; nothing can move meanwhile. */
function checkNotBelow({ records, tree }: Turn, moved: InodeRecord, target: InodeRecord): void {
  let directory = target;
  for (let steps = 0; directory.ino !== ROOT_INO; steps++) {
    if (directory.ino === moved.ino) throw new FsError('EINVAL', 'Cannot move a directory below itself');
    // Only damage explains a way up that is longer than there are directories.
    if (steps > tree.usedInodes) {
      throw new FsError(
        'EIO',
        `Cannot find the root above directory ${target.ino}: its parents are a circle`,
      );
    }
    directory = namedInode(records, directory.ino, parentOf(directory));
  }
}

function checkSameKind(byDirectory: boolean, replaced: InodeRecord): void {
  const isDirectory = replaced.type === FileType.directory;
  if (byDirectory && !isDirectory) throw new FsError('ENOTDIR');
  if (!byDirectory && isDirectory) throw new FsError('EISDIR');
}
