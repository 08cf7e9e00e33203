// Whether an entry may be taken away, by REMOVE and RMDIR or at either end of a RENAME.

import type { Caller } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { InodeRecord } from '../inode-record.ts';
import { mayRemoveEntry } from '../permission.ts';

/** @throws FsError `EACCES`, also where another dataset shows: that is for the administrator to take away */
export function checkRemovable(caller: Caller, directory: InodeRecord, node: InodeRecord): void {
  if (!mayRemoveEntry(caller, directory, node)) throw new FsError('EACCES');
  if (node.mountedDataset !== 0) {
    throw new FsError('EACCES', `Dataset ${node.mountedDataset} shows at this directory`);
  }
}
