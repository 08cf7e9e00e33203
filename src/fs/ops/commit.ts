// COMMIT, RFC 1813 §3.3.21: a barrier for the whole file, whatever range the client names.

import type { Eventual } from '../../eventual.ts';
import { attempt } from '../attempt.ts';
import { type Change, FileType, type Mutation, type NodeRef, type Staged } from '../file-system.ts';
import { FsError } from '../fs-error.ts';
import { attributesOf, inodeOf, type OperationContext } from '../operation.ts';
import { durably } from './write.ts';

/** Waits for what was written before the call; what is written meanwhile does not hold it up. */
export function commit(
  context: OperationContext,
  _call: Mutation<Change>,
  node: NodeRef,
): Eventual<Staged<Change>> {
  const { writeBack } = context;
  return attempt(() => {
    const { records } = context;
    const record = inodeOf(context, node);
    if (record.type !== FileType.file) throw new FsError('EINVAL', 'Only a regular file has data to commit');
    const before = attributesOf(context, record);
    const date = writeBack.now();
    const done = () => {
      // Gone meanwhile: then nothing of it has to be anywhere.
      const now = context.records.inode(node.ino);
      const after = now ? attributesOf(context, now) : before;
      return durably(context, { result: { before, after }, ticket: records.store.ticket });
    };
    const oldest = records.tree.dirty.get(node.ino)?.oldest ?? Number.POSITIVE_INFINITY;
    return oldest < date ? writeBack.flushUntil(records, node.ino, date).then(() => attempt(done)) : done();
  });
}
