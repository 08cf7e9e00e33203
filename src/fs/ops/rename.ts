// RENAME, RFC 1813 §3.3.14. The whole operation is one turn, so what the checks saw is what it changes: no lock is
// needed against another rename that would make two directories each other's ancestors.

import type { Eventual } from '../../eventual.ts';
import { FileType, type Mutation, type NodeRef, type Renamed, type Staged } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { InodeRecord } from '../inode-record.ts';
import type { EntryEdit } from '../listing-cache.ts';
import { checkName } from '../name.ts';
import { mutate, type OperationContext } from '../operation.ts';
import type { Turn } from '../turn.ts';
import { checkMove, type End, type Move } from './check-move.ts';
import { checkSearch, editDirectory, entriesChanged, namedInode } from './directory.ts';
import { moveParent, parentLink } from './parent-links.ts';
import { unlinkInode } from './unlink-inode.ts';

/** @throws FsError as {@link checkMove} does, and `ENOENT` */
export function rename(
  context: OperationContext,
  call: Mutation<Renamed>,
  source: NodeRef,
  sourceName: Buffer,
  target: NodeRef,
  targetName: Buffer,
): Eventual<Staged<Renamed>> {
  return mutate(context, call, (turn) => {
    const from = { directory: editDirectory(turn, source), name: sourceName };
    const to = { directory: editDirectory(turn, target), name: targetName };
    checkSearch(call.caller, from.directory);
    checkSearch(call.caller, to.directory);
    checkName(sourceName, 'rename-source');
    checkName(targetName, 'rename-target', context.reservesSnapshots);
    const move = lookUp(context, turn, from, to);
    // Two names of one inode: POSIX and the RFC want that nothing happens.
    if (move.replaced?.ino === move.moved.ino) return () => unchanged(from, to);
    checkMove(context, turn, call.caller, move);
    const after = apply(context, turn, move);
    return () => ({
      source: { before: from.directory, after: after.source },
      target: { before: to.directory, after: after.target },
    });
  });
}

function lookUp(context: OperationContext, turn: Turn, source: End, target: End): Move {
  const { records } = context;
  const sourceEntry = turn.entry(source.directory.ino, source.name);
  if (!sourceEntry) throw new FsError('ENOENT');
  const targetEntry = turn.entry(target.directory.ino, target.name);
  // Written out: objects that begin with a spread would each have a hidden class of their own.
  return {
    source: { directory: source.directory, name: source.name, entry: sourceEntry },
    target: { directory: target.directory, name: target.name, entry: targetEntry },
    moved: turn.edit(namedInode(records, source.directory.ino, sourceEntry.ino)),
    replaced: targetEntry && turn.edit(namedInode(records, target.directory.ino, targetEntry.ino)),
  };
}

function unchanged(source: End, target: End): Renamed {
  return {
    source: { before: source.directory, after: source.directory },
    target: { before: target.directory, after: target.directory },
  };
}

/** The directories afterwards. */
interface Ends {
  readonly source: InodeRecord;
  readonly target: InodeRecord;
}

function apply(context: OperationContext, turn: Turn, { source, target, moved, replaced }: Move): Ends {
  const { ino, type } = moved;
  if (replaced) unlinkInode(context, turn, replaced, parentLink(target.directory.ino, target.entry!));
  // Taken away first: the two names may share a bucket that is full.
  turn.removeEntry(source.directory.ino, source.name);
  const entry = replaced
    ? turn.replaceEntry(target.directory.ino, target.name, ino, type)
    : turn.addEntry(target.directory.ino, target.name, ino, type);
  const parents = moveParent(
    turn,
    moved,
    parentLink(source.directory.ino, source.entry),
    parentLink(target.directory.ino, entry),
  );
  turn.update(moved, { parents });
  const gone: EntryEdit = { at: source.entry, name: null };
  const come: EntryEdit = { at: entry, name: target.name };
  const directories = type === FileType.directory ? 1 : 0;
  const lost = { entries: replaced ? 1 : 0, directories: replaced ? directories : 0 };
  if (source.directory.ino === target.directory.ino) {
    const counts = { entries: -lost.entries, directories: -lost.directories };
    const after = entriesChanged(turn, source.directory, counts, [gone, come]);
    return { source: after, target: after };
  }
  const sourceCounts = { entries: -1, directories: -directories };
  const targetCounts = { entries: 1 - lost.entries, directories: directories - lost.directories };
  return {
    source: entriesChanged(turn, source.directory, sourceCounts, [gone]),
    target: entriesChanged(turn, target.directory, targetCounts, [come]),
  };
}
