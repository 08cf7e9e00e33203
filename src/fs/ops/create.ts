// CREATE, RFC 1813 §3.3.8.

import type { Eventual } from '../../eventual.ts';
import { unpooledCopy } from '../../unpooled-copy.ts';
import {
  type Attributes,
  type Caller,
  type Changes,
  type Created,
  type CreateHow,
  FileType,
  type Mutation,
  type NodeRef,
  type Staged,
} from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import { type InodeRecord, withFields } from '../inode-record.ts';
import { checkName } from '../name.ts';
import { attributesOf, mutate, type OperationContext } from '../operation.ts';
import { resize } from '../truncate.ts';
import type { Turn } from '../turn.ts';
import { checkSearch, editDirectory, namedInode } from './directory.ts';
import { makeNode, type NewNode } from './new-node.ts';
import { applyChanges, checkSize } from './setattr.ts';

/** The owner's alone until the client says more: an EXCLUSIVE create is followed by a SETATTR. */
const DEFAULT_MODE = 0o600;
const NO_CHANGES: Changes = {};

export function create(
  context: OperationContext,
  call: Mutation<Created>,
  directory: NodeRef,
  name: Buffer,
  how: CreateHow,
): Eventual<Staged<Created>> {
  return mutate(context, call, (turn) => {
    const { caller } = call;
    const before = editDirectory(turn, directory);
    checkSearch(caller, before);
    checkName(name, 'create', context.reservesSnapshots);
    const entry = turn.entry(before.ino, name);
    if (entry) {
      const found = namedInode(context.records, before.ino, entry.ino);
      const node = existing(context, turn, caller, found, how);
      return () => created(context, node, before, before);
    }
    const made = makeNode(context, turn, { caller, directory: before, name }, newFile(how));
    const node = withSize(context, turn, made.node, how);
    return () => created(context, node, before, made.directory);
  });
}

/** What every operation of this family answers; only for the turn of the stage. */
export function created(
  context: OperationContext,
  node: InodeRecord,
  before: Attributes,
  after: Attributes,
): Created {
  return { node: attributesOf(context, node), directory: { before, after } };
}

function newFile(how: CreateHow): NewNode {
  const { file } = FileType;
  if (how.mode !== 'exclusive') return { type: file, changes: how.changes, defaultMode: DEFAULT_MODE };
  // A copy: the bytes of the call are the network's, the record stays.
  const verifier = unpooledCopy(how.verifier);
  return { type: file, changes: NO_CHANGES, defaultMode: DEFAULT_MODE, verifier };
}

/**
 * The file that is there, where RFC 1813 calls that success: it was made by this very EXCLUSIVE create, whose reply
 * was lost, or the create is UNCHECKED. The latter sets its size alone, as open with O_TRUNC does and the Linux
 * server too; its other attributes are for a new file.
 *
 * A client goes on with a SETATTR, which takes the verifier away, and only then writes. What has bytes is no new file
 * any more: whoever comes with the same verifier then is another one, for some clients begin anew with every boot.
 */
function existing(
  context: OperationContext,
  turn: Turn,
  caller: Caller,
  found: InodeRecord,
  how: CreateHow,
): InodeRecord {
  if (found.type !== FileType.file || how.mode === 'guarded') throw new FsError('EEXIST');
  if (how.mode === 'exclusive') {
    const isNew = attributesOf(context, found).size === 0;
    if (isNew && found.verifier?.equals(how.verifier)) return found;
    throw new FsError('EEXIST');
  }
  const { size } = how.changes;
  return size === undefined ? found : applyChanges(context, turn, caller, turn.edit(found), { size });
}

/** A new file may be asked to begin with a size: a hole. */
function withSize(context: OperationContext, turn: Turn, made: InodeRecord, how: CreateHow): InodeRecord {
  const size = how.mode === 'exclusive' ? undefined : how.changes.size;
  if (!size) return made;
  checkSize(made, size);
  const sized = withFields(made, resize(context, turn, made, size));
  turn.put(sized);
  return sized;
}
