// Gives what was made beside it under another name its name, in one turn: as RENAME, but what has the name already, a tree
// too, stands whole under the other name afterwards.

import type { Eventual } from '../../eventual.ts';
import type { Write } from '../../kv/meta-store.ts';
import { ADMINISTRATOR, type NodeRef, type Staged } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { InodeRecord } from '../inode-record.ts';
import { checkName } from '../name.ts';
import { mutate, type OperationContext } from '../operation.ts';
import type { NameEntry } from '../tree.ts';
import type { Turn } from '../turn.ts';
import { editDirectory, entriesChanged, namedInode } from './directory.ts';
import { moveParent, parentLink } from './parent-links.ts';
import { checkRemovable } from './removable.ts';

export interface SwapIn {
  readonly directory: NodeRef;
  /** What it has been so far. */
  readonly made: Buffer;
  readonly name: Buffer;
  /** What has the name may be exchanged for it. */
  readonly replaces: boolean;
  /** Written in the same batch. */
  readonly row: (exchanged: boolean) => Write;
}

interface Named {
  readonly name: Buffer;
  readonly entry: NameEntry;
  readonly node: InodeRecord;
}

/**
 * @returns whether something had the name, which has the other one now
 * @throws FsError `EEXIST` where it may not be exchanged, `ENOENT`, `ESTALE`; `EACCES` where a nested dataset shows
 */
export function swapIn(
  context: OperationContext,
  { directory, made, name, replaces, row }: SwapIn,
): Eventual<Staged<boolean>> {
  return mutate(context, { caller: ADMINISTRATOR }, (turn) => {
    const parent = editDirectory(turn, directory);
    checkName(name, 'rename-target', context.reservesSnapshots);
    const come = named(context, turn, parent, made);
    if (!come) throw new FsError('ENOENT');
    const gone = named(context, turn, parent, name);
    if (gone && !replaces) throw new FsError('EEXIST', `${name} was made meanwhile`);
    if (gone) {
      checkRemovable(context, ADMINISTRATOR, parent, gone.node);
      exchange(turn, parent, come, gone);
    } else {
      move(turn, parent, come, name);
    }
    const exchanged = gone !== undefined;
    turn.putRow(row(exchanged));
    return () => exchanged;
  });
}

function named(
  { records }: OperationContext,
  turn: Turn,
  parent: InodeRecord,
  name: Buffer,
): Named | undefined {
  const entry = turn.entry(parent.ino, name);
  if (!entry) return undefined;
  return { name, entry, node: turn.edit(namedInode(records, parent.ino, entry.ino)) };
}

function exchange(turn: Turn, parent: InodeRecord, one: Named, other: Named): void {
  const edits = [
    lead(turn, parent, one, other.node, other.entry),
    lead(turn, parent, other, one.node, one.entry),
  ];
  entriesChanged(turn, parent, { entries: 0, directories: 0 }, edits);
}

/** Makes a name lead to a node that had another one. */
function lead(turn: Turn, parent: InodeRecord, { name }: Named, node: InodeRecord, before: NameEntry) {
  const at = turn.replaceEntry(parent.ino, name, node.ino, node.type);
  update(turn, parent, node, before, at);
  return { at, name };
}

function move(turn: Turn, parent: InodeRecord, { name: before, entry, node }: Named, name: Buffer): void {
  // Taken away first: the two names may share a bucket that is full.
  turn.removeEntry(parent.ino, before);
  const at = turn.addEntry(parent.ino, name, node.ino, node.type);
  update(turn, parent, node, entry, at);
  entriesChanged(turn, parent, { entries: 0, directories: 0 }, [
    { at: entry, name: null },
    { at, name },
  ]);
}

function update(turn: Turn, { ino }: InodeRecord, node: InodeRecord, from: NameEntry, to: NameEntry): void {
  turn.update(node, { parents: moveParent(turn, node, parentLink(ino, from), parentLink(ino, to)) });
}
