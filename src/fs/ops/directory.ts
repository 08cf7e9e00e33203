// What operations on the entries of a directory have in common: the directory itself, what an entry names, and the
// change of the directory's own attributes that goes with every change of its entries.

import { type Attributes, type Caller, FileType, type NodeRef } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { InodeRecord } from '../inode-record.ts';
import type { EntryEdit } from '../listing-cache.ts';
import { ROOT_INO } from '../operation.ts';
import { may, mayAddEntry, Want } from '../permission.ts';
import type { Records } from '../records.ts';
import type { Turn } from '../turn.ts';

/**
 * A directory whose entries this operation may change.
 * @throws FsError `ESTALE`, `ENOTDIR`
 */
export function editDirectory(turn: Turn, node: NodeRef): InodeRecord {
  const record = turn.edit(node);
  checkDirectory(record);
  return record;
}

export function checkDirectory(record: Attributes): void {
  if (record.type !== FileType.directory) throw new FsError('ENOTDIR');
}

/** @throws FsError `EACCES` to whoever may not look a name up in the directory */
export function checkSearch(caller: Caller, directory: Attributes): void {
  if (!may(caller, directory, Want.execute)) throw new FsError('EACCES');
}

/** @throws FsError `EACCES` to whoever may not make an entry in the directory */
export function checkAdd(caller: Caller, directory: Attributes): void {
  if (!mayAddEntry(caller, directory)) throw new FsError('EACCES');
}

/**
 * The inode that a directory names, by an entry or as its parent.
 * @throws FsError `EIO` when there is none, which only damage explains
 */
export function namedInode(records: Records, directory: number, ino: number): InodeRecord {
  const record = records.inode(ino);
  if (record) return record;
  const message = `Cannot read inode ${ino}: directory ${directory} names it, but it is not there`;
  records.store.parts.log.error({ tree: records.tree.id, directory, inode: ino }, message);
  throw new FsError('EIO', message);
}

/** Inode of `..`; the root is its own parent. */
export function parentOf(directory: InodeRecord): number {
  if (directory.ino === ROOT_INO) return ROOT_INO;
  const [parent] = directory.parents;
  if (parent) return parent.ino;
  throw new FsError('EIO', `Cannot find the parent of directory ${directory.ino}: its record names none`);
}

/** How many entries, and how many subdirectories among them, a directory gets or loses. */
interface EntryCounts {
  readonly entries: number;
  readonly directories: number;
}

/** Counts a change of entries in the directory's attributes, and tells it to the listing that is kept of it. */
export function entriesChanged(
  turn: Turn,
  directory: InodeRecord,
  { entries, directories }: EntryCounts,
  edits: readonly EntryEdit[],
): InodeRecord {
  const updated = turn.update(directory, {
    entryCount: directory.entryCount + entries,
    nlink: directory.nlink + directories,
    mtimeSeconds: turn.now.seconds,
    mtimeNanoseconds: turn.now.nanoseconds,
  });
  turn.afterwardsDo(() => turn.tree.listings.changed(directory, updated, edits));
  return updated;
}
