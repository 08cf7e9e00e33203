// The directory that a nested dataset is in the root of the one around it. It is made, renamed and removed by the
// registry alone: to a client it is a directory that cannot be removed or renamed. A rollback of the dataset around makes
// it anew.
//
// Each function edits a turn of the dataset around; the caller commits it together with the rows of the registry.

import { ADMINISTRATOR, FileType, type NodeRef } from '../fs/file-system.ts';
import { FsError } from '../fs/fs-error.ts';
import { type InodeRecord, withFields } from '../fs/inode-record.ts';
import { type OperationContext, ROOT_INO } from '../fs/operation.ts';
import { editDirectory, entriesChanged, namedInode } from '../fs/ops/directory.ts';
import { DIRECTORY_SIZE, makeNode } from '../fs/ops/new-node.ts';
import { parentLink } from '../fs/ops/parent-links.ts';
import { unlinkInode } from '../fs/ops/unlink-inode.ts';
import type { NameEntry } from '../fs/tree.ts';
import { Turn } from '../fs/turn.ts';
import type { DatasetEntry } from './dataset-entry.ts';
import { DatasetError } from './datasets.ts';
import { lastComponentOf } from './names.ts';

/** Seen only where the dataset itself does not show, in a snapshot of the one around it. */
const MOUNT_POINT_MODE = 0o755;

/** A nested dataset. */
type Nested = Pick<DatasetEntry, 'id' | 'name'>;

interface MountPoint {
  readonly entry: NameEntry;
  readonly entryName: Buffer;
  readonly node: InodeRecord;
}

/**
 * Makes the directory of dataset `id` in the root of `around`.
 *
 * @throws DatasetError `exists` when there is an entry of that name; Wait
 */
export function addMountPoint(around: DatasetEntry, name: string, id: number): Turn {
  const turn = newTurn(around.operations);
  checkFree(turn, around, name);
  makeMountPoint(around.operations, turn, name, id);
  return turn;
}

/**
 * Makes the directories of the datasets nested in `around` in a tree that is to be its head: they are where they are
 * now, whatever that tree had then.
 *
 * @param operations those of `around` on that tree
 * @throws DatasetError `exists` when the tree has something else under the name of one; Wait
 */
export function mountAll(operations: OperationContext, around: DatasetEntry): Turn {
  const turn = newTurn(operations);
  for (const { name, id } of around.children) {
    const entry = turn.entry(ROOT_INO, entryNameOf(name));
    if (!entry) {
      makeMountPoint(operations, turn, name, id);
      continue;
    }
    const node = turn.edit(namedInode(operations.records, ROOT_INO, entry.ino));
    if (node.type !== FileType.directory || node.entryCount > 0) throw taken(around, name);
    turn.put(withFields(node, { mountedDataset: id }));
  }
  return turn;
}

/**
 * Removes the directory of a nested dataset, if it is there. One that has entries, which only damage explains, stays as
 * an ordinary one: nothing is lost with it, and what nobody saw shows.
 *
 * @throws Wait
 */
export function removeMountPoint(around: DatasetEntry, nested: Nested): Turn {
  const { operations } = around;
  const turn = newTurn(operations);
  const found = mountPoint(operations, turn, nested);
  if (!found) return turn;
  const { entry, entryName, node } = found;
  if (node.entryCount > 0) {
    turn.update(node, { mountedDataset: 0 });
    return turn;
  }
  const directory = editRoot(turn);
  turn.removeEntry(ROOT_INO, entryName);
  unlinkInode(operations, turn, node, parentLink(ROOT_INO, entry));
  entriesChanged(turn, directory, { entries: -1, directories: -1 }, [{ at: entry, name: null }]);
  return turn;
}

/** Gives the directory of a nested dataset another name in the same dataset. @throws as {@link addMountPoint} */
export function renameMountPoint(around: DatasetEntry, nested: Nested, newName: string): Turn {
  const { operations } = around;
  const turn = newTurn(operations);
  const found = mountPoint(operations, turn, nested);
  if (!found) return addMountPoint(around, newName, nested.id);
  const directory = editRoot(turn);
  const newEntryName = checkFree(turn, around, newName);
  const { entry, entryName, node } = found;
  turn.removeEntry(ROOT_INO, entryName);
  const renamed = turn.addEntry(ROOT_INO, newEntryName, node.ino, node.type);
  turn.update(node, { parents: [parentLink(ROOT_INO, renamed)] });
  entriesChanged(turn, directory, { entries: 0, directories: 0 }, [
    { at: entry, name: null },
    { at: renamed, name: newEntryName },
  ]);
  return turn;
}

function makeMountPoint(operations: OperationContext, turn: Turn, name: string, id: number): void {
  const place = { caller: ADMINISTRATOR, directory: editRoot(turn), name: entryNameOf(name) };
  const directory = {
    type: FileType.directory,
    size: DIRECTORY_SIZE,
    changes: {},
    defaultMode: MOUNT_POINT_MODE,
  };
  const { node } = makeNode(operations, turn, place, directory);
  turn.put(withFields(node, { mountedDataset: id }));
}

function newTurn({ records, clock }: OperationContext): Turn {
  return new Turn(records, clock.now());
}

function editRoot(turn: Turn): InodeRecord {
  const root: NodeRef | undefined = turn.find(ROOT_INO);
  if (!root) throw new FsError('EIO', 'The root directory is not there');
  return editDirectory(turn, root);
}

function checkFree(turn: Turn, around: DatasetEntry, name: string): Buffer {
  const entryName = entryNameOf(name);
  if (turn.entry(ROOT_INO, entryName)) throw taken(around, name);
  return entryName;
}

function taken(around: DatasetEntry, name: string): DatasetError {
  return new DatasetError(
    'exists',
    `${around.name} has an entry ${lastComponentOf(name)} already, so ${name} cannot show there: remove or rename it first`,
  );
}

function entryNameOf(name: string): Buffer {
  return Buffer.from(lastComponentOf(name));
}

/** Undefined where it is not there, which only damage explains: that must not keep the dataset from being deleted. */
function mountPoint(operations: OperationContext, turn: Turn, { id, name }: Nested): MountPoint | undefined {
  const entryName = entryNameOf(name);
  const entry = turn.entry(ROOT_INO, entryName);
  const node = entry && turn.edit(namedInode(operations.records, ROOT_INO, entry.ino));
  return node?.mountedDataset === id ? { entry: entry!, entryName, node } : undefined;
}
