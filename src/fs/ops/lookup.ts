// LOOKUP, RFC 1813 §3.3.3.

import type { Eventual } from '../../eventual.ts';
import type { Attributes, Caller, NodeRef } from '../file-system.ts';
import { checkName, isDot, isDotDot } from '../name.ts';
import { attributesOf, inodeOf, type ReadContext } from '../operation.ts';
import { checkDirectory, checkSearch, namedInode, parentOf } from './directory.ts';
import { startOver } from './start-over.ts';

/** Undefined when there is no such name: that is an answer, and an error would cost more than all of the rest. */
export function lookup(
  context: ReadContext,
  caller: Caller,
  directory: NodeRef,
  name: Buffer,
): Eventual<Attributes | undefined> {
  try {
    return lookupNow(context, caller, directory, name);
  } catch (thrown) {
    return startOver(thrown, lookupNow, context, caller, directory, name);
  }
}

function lookupNow(
  context: ReadContext,
  caller: Caller,
  directory: NodeRef,
  name: Buffer,
): Attributes | undefined {
  const { records } = context;
  const record = inodeOf(context, directory);
  checkDirectory(record);
  checkSearch(caller, record);
  checkName(name, 'lookup');
  if (isDot(name)) return attributesOf(context, record);
  const ino = isDotDot(name) ? parentOf(record) : records.entry(record.ino, name)?.ino;
  return ino === undefined ? undefined : attributesOf(context, namedInode(records, record.ino, ino));
}
