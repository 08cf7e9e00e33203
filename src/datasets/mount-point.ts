// The directory that a nested dataset is in the root of the one around it. It is made, renamed and removed by the
// registry alone: to a client it is a directory that cannot be removed or renamed. A rollback of the dataset around may
// have taken it away; then the nested dataset is reached by its path in MOUNT, until it is renamed.
//
// Each function edits a turn of the dataset around; the caller commits it together with the rows of the registry.

import { type Caller, FileType, type NodeRef } from '../fs/file-system.ts';
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

const ADMINISTRATOR: Caller = { uid: 0, gid: 0, groups: [] };

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
  const { operations } = around;
  const turn = newTurn(operations);
  const directory = editRoot(turn);
  const entryName = checkFree(turn, around, name);
  const { node } = makeNode(
    operations,
    turn,
    { caller: ADMINISTRATOR, directory, name: entryName },
    {
      type: FileType.directory,
      size: DIRECTORY_SIZE,
      changes: {},
      defaultMode: MOUNT_POINT_MODE,
    },
  );
  turn.put(withFields(node, { mountedDataset: id }));
  return turn;
}

/** Removes the directory of a nested dataset, if it is there. @throws Wait */
export function removeMountPoint(around: DatasetEntry, nested: Nested): Turn {
  const { operations } = around;
  const turn = newTurn(operations);
  const found = mountPoint(operations, turn, nested);
  if (!found) return turn;
  const directory = editRoot(turn);
  const { entry, entryName, node } = found;
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

function newTurn({ records, clock }: OperationContext): Turn {
  return new Turn(records, clock.now());
}

function editRoot(turn: Turn): InodeRecord {
  const root: NodeRef | undefined = turn.find(ROOT_INO);
  if (!root) throw new FsError('EIO', 'The root directory is not there');
  return editDirectory(turn, root);
}

function checkFree(turn: Turn, around: DatasetEntry, name: string): Buffer {
  const component = lastComponentOf(name);
  const entryName = Buffer.from(component);
  if (!turn.entry(ROOT_INO, entryName)) return entryName;
  throw new DatasetError(
    'exists',
    `${around.name} has an entry ${component} already, so ${name} cannot show there: remove or rename it first`,
  );
}

/** Undefined where a rollback has brought a root back that has it not. */
function mountPoint(operations: OperationContext, turn: Turn, { id, name }: Nested): MountPoint | undefined {
  const entryName = Buffer.from(lastComponentOf(name));
  const entry = turn.entry(ROOT_INO, entryName);
  const node = entry && turn.edit(namedInode(operations.records, ROOT_INO, entry.ino));
  return node?.mountedDataset === id ? { entry: entry!, entryName, node } : undefined;
}
