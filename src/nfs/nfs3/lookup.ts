// LOOKUP and READLINK (RFC 1813 §3.3.3, §3.3.5). Where a name leads into another file system is said in descend.ts.

import { andThen } from '../../eventual.ts';
import { descend } from '../descend.ts';
import type { AnyProcedure } from '../rpc/program.ts';
import { NfsStatus } from '../status.ts';
import { targetOf } from '../target.ts';
import { struct } from '../xdr/struct.ts';
import { type NfsContext, postOp, postOpAt } from './nfs-context.ts';
import { query } from './nfs-procedure.ts';
import { dirOpArgs3, fattr, nfsFh3, nfspath3, postOpAttr } from './types.ts';

export function lookup(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'LOOKUP',
    args: dirOpArgs3,
    ok: struct({ object: nfsFh3, attributes: postOpAttr, directory: postOpAttr }),
    fail: struct({ directory: postOpAttr }),
    failed: (call, { directory }) => ({ directory: postOp(context, call, directory) }),
    run(call, { directory, name }) {
      const around = targetOf(context, call, directory);
      return andThen(descend(context, call, around, name), (entered) => {
        if (!entered) return { status: NfsStatus.NOENT, directory: postOpAt(around) };
        const { target, node, attributes } = entered;
        return {
          object: context.handles.encode(target.dataset.id, node, target.snapshot),
          attributes: fattr(attributes, target),
          directory: postOpAt(around),
        };
      });
    },
  });
}

export function readlink(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'READLINK',
    args: struct({ link: nfsFh3 }),
    ok: struct({ attributes: postOpAttr, target: nfspath3 }),
    fail: struct({ attributes: postOpAttr }),
    failed: (call, { link }) => ({ attributes: postOp(context, call, link) }),
    run(call, { link }) {
      const at = targetOf(context, call, link);
      return andThen(at.fileSystem.readlink(at.caller, at.node), ({ target, attributes }) => ({
        attributes: fattr(attributes, at),
        target,
      }));
    },
  });
}
