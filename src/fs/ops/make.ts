// MKDIR, SYMLINK and MKNOD (RFC 1813 §3.3.9 to §3.3.11): new nodes that are no regular files.

import type { Eventual } from '../../eventual.ts';
import { unpooledCopy } from '../../unpooled-copy.ts';
import {
  type Changes,
  type Created,
  FileType,
  type Mutation,
  type NodeRef,
  type SpecialNode,
  type Staged,
  SYMLINK_BYTES_MAX,
} from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import { checkName } from '../name.ts';
import { mutate, type OperationContext } from '../operation.ts';
import { isRoot } from '../permission.ts';
import { created } from './create.ts';
import { checkSearch, editDirectory } from './directory.ts';
import { DIRECTORY_SIZE, makeNode, type NewNode } from './new-node.ts';

export function mkdir(
  context: OperationContext,
  call: Mutation<Created>,
  directory: NodeRef,
  name: Buffer,
  changes: Changes,
): Eventual<Staged<Created>> {
  const type = FileType.directory;
  const node = { type, changes, defaultMode: 0o700, size: DIRECTORY_SIZE };
  return make(context, call, directory, name, node);
}

/**
 * The target is bytes that only the client interprets.
 * @throws FsError `ENAMETOOLONG` beyond {@link SYMLINK_BYTES_MAX}, `EACCES` for one that is no path: empty, or with a NUL
 */
export function symlink(
  context: OperationContext,
  call: Mutation<Created>,
  directory: NodeRef,
  name: Buffer,
  target: Buffer,
  changes: Changes,
): Eventual<Staged<Created>> {
  if (target.length > SYMLINK_BYTES_MAX) throw new FsError('ENAMETOOLONG');
  if (target.length === 0) throw new FsError('EACCES', 'Cannot make a symbolic link without a target');
  if (target.includes(0)) throw new FsError('EACCES', 'Cannot make a symbolic link to a path with a NUL');
  const type = FileType.symlink;
  const size = target.length;
  // A copy: the bytes of the call are the network's, the record stays.
  const node = { type, changes, defaultMode: 0o777, size, target: unpooledCopy(target) };
  return make(context, call, directory, name, node);
}

/** @throws FsError `EBADTYPE` for any other type, `EPERM` to whoever may not make a device */
export function mknod(
  context: OperationContext,
  call: Mutation<Created>,
  directory: NodeRef,
  name: Buffer,
  { type, major, minor, changes }: SpecialNode,
): Eventual<Staged<Created>> {
  const isDevice = type === FileType.block || type === FileType.character;
  if (!isDevice && type !== FileType.socket && type !== FileType.fifo) throw new FsError('EBADTYPE');
  if (isDevice && !isRoot(call.caller)) throw new FsError('EPERM', 'Only root may make a device');
  const rdevMajor = isDevice ? major : 0;
  const rdevMinor = isDevice ? minor : 0;
  return make(context, call, directory, name, { type, changes, defaultMode: 0o600, rdevMajor, rdevMinor });
}

function make(
  context: OperationContext,
  call: Mutation<Created>,
  directory: NodeRef,
  name: Buffer,
  node: NewNode,
): Eventual<Staged<Created>> {
  return mutate(context, call, (turn) => {
    const { caller } = call;
    const before = editDirectory(turn, directory);
    checkSearch(caller, before);
    checkName(name, 'create', context.reservesSnapshots);
    if (turn.entry(before.ino, name)) throw new FsError('EEXIST');
    const made = makeNode(context, turn, { caller, directory: before, name }, node);
    return () => created(context, made.node, before, made.directory);
  });
}
