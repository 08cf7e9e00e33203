// REMOVE and RMDIR (RFC 1813 §3.3.12, §3.3.13). Each takes only its own kind.

import type { Eventual } from '../../eventual.ts';
import { FileType, type Mutation, type NodeRef, type Removed, type Staged } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { InodeRecord } from '../inode-record.ts';
import { checkName, type NameUse } from '../name.ts';
import { mutate, type OperationContext } from '../operation.ts';
import { checkSearch, editDirectory, entriesChanged, namedInode } from './directory.ts';
import { parentLink } from './parent-links.ts';
import { checkRemovable } from './removable.ts';
import { unlinkInode } from './unlink-inode.ts';

/** @throws FsError `EISDIR` for a directory */
export function remove(
  context: OperationContext,
  call: Mutation<Removed>,
  directory: NodeRef,
  name: Buffer,
): Eventual<Staged<Removed>> {
  return removeEntry(context, call, { directory, name, use: 'remove', checkType: checkNoDirectory });
}

/** @throws FsError `ENOTDIR`, `ENOTEMPTY` */
export function rmdir(
  context: OperationContext,
  call: Mutation<Removed>,
  directory: NodeRef,
  name: Buffer,
): Eventual<Staged<Removed>> {
  return removeEntry(context, call, { directory, name, use: 'rmdir', checkType: checkEmptyDirectory });
}

interface Removal {
  readonly directory: NodeRef;
  readonly name: Buffer;
  readonly use: NameUse;
  readonly checkType: (node: InodeRecord) => void;
}

function removeEntry(
  context: OperationContext,
  call: Mutation<Removed>,
  { directory, name, use, checkType }: Removal,
): Eventual<Staged<Removed>> {
  return mutate(context, call, (turn) => {
    const { caller } = call;
    const before = editDirectory(turn, directory);
    checkSearch(caller, before);
    checkName(name, use);
    const entry = turn.entry(before.ino, name);
    if (!entry) throw new FsError('ENOENT');
    const node = turn.edit(namedInode(context.records, before.ino, entry.ino));
    checkRemovable(context, caller, before, node);
    checkType(node);
    turn.removeEntry(before.ino, name);
    unlinkInode(context, turn, node, parentLink(before.ino, entry));
    const counts = { entries: -1, directories: node.type === FileType.directory ? -1 : 0 };
    const after = entriesChanged(turn, before, counts, [{ at: entry, name: null }]);
    return () => ({ directory: { before, after } });
  });
}

function checkNoDirectory(node: InodeRecord): void {
  if (node.type === FileType.directory) throw new FsError('EISDIR');
}

function checkEmptyDirectory(node: InodeRecord): void {
  if (node.type !== FileType.directory) throw new FsError('ENOTDIR');
  if (node.entryCount > 0) throw new FsError('ENOTEMPTY');
}
