// LINK, RFC 1813 §3.3.15.

import type { Eventual } from '../../eventual.ts';
import {
  FileType,
  LINK_COUNT_MAX,
  type Linked,
  type Mutation,
  type NodeRef,
  type Staged,
} from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import { checkName } from '../name.ts';
import { attributesOf, mutate, type OperationContext } from '../operation.ts';
import { checkAdd, checkSearch, editDirectory, entriesChanged } from './directory.ts';
import { addParent, parentLink } from './parent-links.ts';

/** @throws FsError `EINVAL` for a directory (RFC 1813 has no ISDIR here), `EMLINK` beyond {@link LINK_COUNT_MAX} */
export function link(
  context: OperationContext,
  call: Mutation<Linked>,
  node: NodeRef,
  directory: NodeRef,
  name: Buffer,
): Eventual<Staged<Linked>> {
  return mutate(context, call, (turn) => {
    const linked = turn.edit(node);
    const before = editDirectory(turn, directory);
    if (linked.type === FileType.directory) throw new FsError('EINVAL', 'A directory has one name');
    checkSearch(call.caller, before);
    checkName(name, 'create', context.reservesSnapshots);
    if (turn.entry(before.ino, name)) throw new FsError('EEXIST');
    checkAdd(call.caller, before);
    if (linked.nlink >= LINK_COUNT_MAX) {
      throw new FsError('EMLINK', `A file has at most ${LINK_COUNT_MAX} names`);
    }
    const entry = turn.addEntry(before.ino, name, linked.ino, linked.type);
    const parents = addParent(turn, linked, parentLink(before.ino, entry));
    const updated = turn.update(linked, { nlink: linked.nlink + 1, parents });
    const after = entriesChanged(turn, before, { entries: 1, directories: 0 }, [{ at: entry, name }]);
    return () => ({ node: attributesOf(context, updated), directory: { before, after } });
  });
}
