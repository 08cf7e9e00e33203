// READ, WRITE and COMMIT (RFC 1813 §3.3.6, §3.3.7, §3.3.21).

import { andThen } from '../../eventual.ts';
import type { Change, Written } from '../../fs/file-system.ts';
import { BLOCK_BYTES } from '../../fs/frame.ts';
import { FsError } from '../../fs/fs-error.ts';
import type { AnyProcedure } from '../rpc/program.ts';
import { RECORD_BYTES_MAX } from '../rpc/record.ts';
import { targetOf, writableOf } from '../target.ts';
import { opaque, opaqueParts } from '../xdr/opaque.ts';
import { bool, u32, u64 } from '../xdr/primitives.ts';
import { struct } from '../xdr/struct.ts';
import { failedWcc, failedWccAt, type NfsContext, postOp, wccOf } from './nfs-context.ts';
import { change, query } from './nfs-procedure.ts';
import { fattr, nfsFh3, postOpAttr, TRANSFER_BYTES_MAX, verifier3, wccData } from './types.ts';

/** stable_how */
const UNSTABLE = 0;
const FILE_SYNC = 2;

export function read(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'READ',
    args: struct({ file: nfsFh3, offset: u64, count: u32 }),
    ok: struct({ attributes: postOpAttr, count: u32, eof: bool, data: opaqueParts(TRANSFER_BYTES_MAX) }),
    fail: struct({ attributes: postOpAttr }),
    failed: (call, { file }) => ({ attributes: postOp(context, call, file) }),
    run(call, { file, offset, count }) {
      const target = targetOf(context, call, file);
      const { fileSystem, node, caller } = target;
      const wanted = Math.min(count, TRANSFER_BYTES_MAX);
      // Whole blocks are read.
      call.replyBytes = wanted + 2 * BLOCK_BYTES;
      return andThen(fileSystem.read(caller, node, offset, wanted), (result) => ({
        attributes: fattr(result.attributes, target),
        count: result.count,
        eof: result.eof,
        data: result.buffers,
      }));
    },
  });
}

export function write(context: NfsContext): AnyProcedure {
  return change(context, {
    name: 'WRITE',
    number: 7,
    once: false,
    args: struct({ file: nfsFh3, offset: u64, count: u32, stable: u32, data: opaque(RECORD_BYTES_MAX) }),
    ok: struct({ wcc: wccData, count: u32, committed: u32, verifier: verifier3 }),
    fail: struct({ wcc: wccData }),
    failed: (call, { file }) => ({ wcc: failedWcc(context, call, file) }),
    operation(call, { file, offset, count, stable, data }) {
      const target = writableOf(context, call, file);
      if (count !== data.length || stable > FILE_SYNC) throw new FsError('EINVAL');
      // RFC 1813 §3.3.7: of more than wtmax only wtmax is written, a short write.
      const written = data.length > TRANSFER_BYTES_MAX ? data.subarray(0, TRANSFER_BYTES_MAX) : data;
      return {
        target,
        // The data outlives the call: it waits in memory until it is flushed.
        run: (mutation) =>
          target.fileSystem.write(mutation, target.node, offset, call.retain(written), stable !== UNSTABLE),
        reply: (done: Written) => ({
          wcc: wccOf(target, done),
          count: done.count,
          committed: done.stable ? FILE_SYNC : UNSTABLE,
          verifier: context.writeVerifier,
        }),
        // Once its flush is staged the memory of a large call is lent to the next one, and its batch may fail yet.
        failed: () => ({ wcc: failedWccAt(target) }),
      };
    },
  });
}

export function commit(context: NfsContext): AnyProcedure {
  return change(context, {
    name: 'COMMIT',
    number: 21,
    once: false,
    args: struct({ file: nfsFh3, offset: u64, count: u32 }),
    ok: struct({ wcc: wccData, verifier: verifier3 }),
    fail: struct({ wcc: wccData }),
    failed: (call, { file }) => ({ wcc: failedWcc(context, call, file) }),
    operation(call, { file }) {
      // Not refused where the dataset has become read-only: what was accepted before still has to be kept.
      const target = targetOf(context, call, file);
      return {
        target,
        run: (mutation) => target.fileSystem.commit(mutation, target.node),
        reply: (committed: Change) => ({ wcc: wccOf(target, committed), verifier: context.writeVerifier }),
      };
    },
  });
}
