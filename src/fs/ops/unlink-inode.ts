// Taking a name from an inode, as REMOVE, RMDIR and a RENAME over something do it.

import { FileType } from '../file-system.ts';
import type { InodeRecord, ParentLink } from '../inode-record.ts';
import type { OperationContext } from '../operation.ts';
import { releaseData } from '../truncate.ts';
import type { Turn } from '../turn.ts';
import { removeParent } from './parent-links.ts';

/** With its last name the inode goes, and its data with it. A directory has one name. */
export function unlinkInode(
  context: OperationContext,
  turn: Turn,
  record: InodeRecord,
  link: ParentLink,
): void {
  if (record.type !== FileType.directory && record.nlink > 1) {
    turn.update(record, { nlink: record.nlink - 1, parents: removeParent(turn, record, link) });
    return;
  }
  if (record.type === FileType.file) releaseData(context, turn, record);
  turn.delete(record.ino);
  turn.count(0, -1);
}
