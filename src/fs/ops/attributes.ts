// GETATTR and ACCESS (RFC 1813 §3.3.1, §3.3.4), by far the most frequent calls, and attributes in bulk for
// READDIRPLUS.

import type { Eventual } from '../../eventual.ts';
import { Wait } from '../attempt.ts';
import type { Attributes, Caller, NodeRef } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import type { InodeRecord } from '../inode-record.ts';
import { attributesOf, inodeOf, type ReadContext, ROOT_INO } from '../operation.ts';
import { accessBits } from '../permission.ts';
import { startOver } from './start-over.ts';

export function attributes(context: ReadContext, node: NodeRef): Eventual<Attributes> {
  try {
    return attributesNow(context, node);
  } catch (thrown) {
    return startOver(thrown, attributesNow, context, node);
  }
}

export function rootAttributes(context: ReadContext): Eventual<Attributes> {
  try {
    return rootNow(context);
  } catch (thrown) {
    return startOver(thrown, rootNow, context);
  }
}

interface Granted {
  readonly granted: number;
  readonly attributes: Attributes;
}

export function access(
  context: ReadContext,
  caller: Caller,
  node: NodeRef,
  wanted: number,
): Eventual<Granted> {
  try {
    return accessNow(context, caller, node, wanted);
  } catch (thrown) {
    return startOver(thrown, accessNow, context, caller, node, wanted);
  }
}

/** Attributes by number, for entries just listed; undefined for an inode that went meanwhile. */
export function attributesOfMany(
  context: ReadContext,
  inos: readonly number[],
): Eventual<(Attributes | undefined)[]> {
  try {
    return manyNow(context, inos);
  } catch (thrown) {
    return startOver(thrown, manyNow, context, inos);
  }
}

function attributesNow(context: ReadContext, node: NodeRef): Attributes {
  return attributesOf(context, inodeOf(context, node));
}

function rootNow(context: ReadContext): Attributes {
  const { records } = context;
  if (records.tree.dropped) throw new FsError('ESTALE');
  const record = records.inode(ROOT_INO);
  if (record) return attributesOf(context, record);
  throw new FsError('EIO', `Cannot read the root directory of dataset ${context.datasetId}: it is not there`);
}

function accessNow(context: ReadContext, caller: Caller, node: NodeRef, wanted: number): Granted {
  const record = inodeOf(context, node);
  return { granted: accessBits(caller, record, wanted), attributes: attributesOf(context, record) };
}

/** What is not resident is asked for all at once, not an inode at a time. */
function manyNow(context: ReadContext, inos: readonly number[]): (Attributes | undefined)[] {
  const { records } = context;
  if (records.tree.dropped) throw new FsError('ESTALE');
  const found: (Attributes | undefined)[] = [];
  let waits: Promise<unknown>[] | undefined;
  for (const ino of inos) {
    try {
      const record: InodeRecord | undefined = records.inode(ino);
      found.push(record && attributesOf(context, record));
    } catch (thrown) {
      if (!(thrown instanceof Wait)) throw thrown;
      waits ??= [];
      waits.push(thrown.until);
    }
  }
  if (waits) throw new Wait(Promise.all(waits));
  return found;
}
