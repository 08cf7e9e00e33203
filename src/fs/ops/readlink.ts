// READLINK, RFC 1813 §3.3.5: whoever can reach a symbolic link may read it.

import type { Eventual } from '../../eventual.ts';
import type { Attributes, NodeRef } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import { attributesOf, inodeOf, type ReadContext } from '../operation.ts';
import { startOver } from './start-over.ts';

interface LinkTarget {
  readonly target: Buffer;
  readonly attributes: Attributes;
}

/** @throws FsError `EINVAL` for anything but a symbolic link */
export function readlink(context: ReadContext, node: NodeRef): Eventual<LinkTarget> {
  try {
    return readlinkNow(context, node);
  } catch (thrown) {
    return startOver(thrown, readlinkNow, context, node);
  }
}

function readlinkNow(context: ReadContext, node: NodeRef): LinkTarget {
  const record = inodeOf(context, node);
  if (!record.target) throw new FsError('EINVAL', 'Only a symbolic link has a target');
  return { target: record.target, attributes: attributesOf(context, record) };
}
