// READDIR (RFC 1813 §3.3.16): the names in a directory.

import { andThen } from '../../eventual.ts';
import type { AnyProcedure } from '../rpc/program.ts';
import { targetOf } from '../target.ts';
import { bool, u32 } from '../xdr/primitives.ts';
import { list } from '../xdr/sequence.ts';
import { struct } from '../xdr/struct.ts';
import { COOKIE_VERIFIER, ENTRIES_MAX, ENTRY_BYTES, fill, LISTED, REPLY_BYTES } from './directory-listing.ts';
import { type NfsContext, postOp } from './nfs-context.ts';
import { query } from './nfs-procedure.ts';
import { cookie3, fattr, nfsFh3, postOpAttr, TRANSFER_BYTES_MAX, verifier3 } from './types.ts';

/** entry3, but for the pointer to the next one */
const entry = struct(LISTED);

export function readdir(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'READDIR',
    args: struct({ directory: nfsFh3, cookie: cookie3, verifier: verifier3, count: u32 }),
    ok: struct({ attributes: postOpAttr, verifier: verifier3, entries: list(entry, ENTRIES_MAX), eof: bool }),
    fail: struct({ attributes: postOpAttr }),
    failed: (call, { directory }) => ({ attributes: postOp(context, call, directory) }),
    run(call, { directory, cookie, count }) {
      const target = targetOf(context, call, directory);
      call.replyBytes = Math.min(count, TRANSFER_BYTES_MAX);
      const budget = { bytes: call.replyBytes - REPLY_BYTES, nameBytes: Number.POSITIVE_INFINITY, taken: 0 };
      return andThen(fill(target, cookie, budget, ENTRY_BYTES), ({ directory: found, entries, eof }) => ({
        attributes: fattr(found, target),
        verifier: COOKIE_VERIFIER,
        entries,
        eof,
      }));
    },
  });
}
