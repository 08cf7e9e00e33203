// Whether an entry may be taken away, by REMOVE and RMDIR or at either end of a RENAME.

import type { Caller } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { InodeRecord } from '../inode-record.ts';
import type { OperationContext } from '../operation.ts';
import { mayRemoveEntry } from '../permission.ts';

/**
 * A clone, and a dataset rolled back, may have the directory of a dataset that is nested elsewhere or gone: an ordinary one.
 *
 * @throws FsError `EACCES`, also where a nested dataset shows: that is for the administrator to take away
 */
export function checkRemovable(
  { nests }: OperationContext,
  caller: Caller,
  directory: InodeRecord,
  node: InodeRecord,
): void {
  if (!mayRemoveEntry(caller, directory, node)) throw new FsError('EACCES');
  if (node.mountedDataset !== 0 && nests(node.mountedDataset)) {
    throw new FsError('EACCES', `Dataset ${node.mountedDataset} shows at this directory`);
  }
}
