// GETATTR, SETATTR and ACCESS (RFC 1813 §3.3.1, §3.3.2, §3.3.4).

import { Access, type Change } from '../../fs/file-system.ts';
import type { AnyProcedure } from '../rpc/program.ts';
import { targetOf, writableOf } from '../target.ts';
import { u32 } from '../xdr/primitives.ts';
import { struct } from '../xdr/struct.ts';
import { changesOf } from './changes.ts';
import { failedWcc, type NfsContext, postOp, wccOf } from './nfs-context.ts';
import { change, query } from './nfs-procedure.ts';
import { fattr, fattr3, nfsFh3, postOpAttr, sattr3, sattrGuard3, wccData } from './types.ts';

const WRITE_BITS = Access.modify | Access.extend | Access.delete;

export function getattr(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'GETATTR',
    args: struct({ object: nfsFh3 }),
    ok: struct({ attributes: fattr3 }),
    fail: struct({}),
    failed: () => ({}),
    run(call, { object }) {
      const target = targetOf(context, call, object);
      const attributes = target.fileSystem.attributes(target.node);
      if (!(attributes instanceof Promise)) return { attributes: fattr(attributes, target) };
      return attributes.then((found) => ({ attributes: fattr(found, target) }));
    },
  });
}

export function setattr(context: NfsContext): AnyProcedure {
  return change(context, {
    name: 'SETATTR',
    number: 2,
    once: true,
    args: struct({ object: nfsFh3, attributes: sattr3, guard: sattrGuard3 }),
    ok: struct({ wcc: wccData }),
    fail: struct({ wcc: wccData }),
    failed: (call, { object }) => ({ wcc: failedWcc(context, call, object) }),
    operation(call, { object, attributes, guard }) {
      const target = writableOf(context, call, object);
      const changes = changesOf(attributes);
      return {
        target,
        run: (mutation) => target.fileSystem.setattr(mutation, target.node, changes, guard),
        reply: (changed: Change) => ({ wcc: wccOf(target, changed) }),
      };
    },
  });
}

export function access(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'ACCESS',
    args: struct({ object: nfsFh3, access: u32 }),
    ok: struct({ attributes: postOpAttr, access: u32 }),
    fail: struct({ attributes: postOpAttr }),
    failed: (call, { object }) => ({ attributes: postOp(context, call, object) }),
    run(call, { object, access: wanted }) {
      const target = targetOf(context, call, object);
      const { fileSystem, node, caller, readOnly } = target;
      const asked = readOnly ? wanted & ~WRITE_BITS : wanted;
      const answer = fileSystem.access(caller, node, asked);
      if (!(answer instanceof Promise))
        return { attributes: fattr(answer.attributes, target), access: answer.granted };
      return answer.then(({ attributes, granted }) => ({
        attributes: fattr(attributes, target),
        access: granted,
      }));
    },
  });
}
