// LOOKUP and READLINK (RFC 1813 §3.3.3, §3.3.5). A directory at which another dataset shows is entered here: its handle
// and attributes are those of that dataset's root.

import { andThen, type Eventual } from '../../eventual.ts';
import type { Attributes } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import type { AnyProcedure } from '../rpc/program.ts';
import { struct } from '../xdr/struct.ts';
import { crossed, type NfsContext, postOp, type Target, targetOf } from './nfs-context.ts';
import { query } from './nfs-procedure.ts';
import { dirOpArgs3, type Fattr3, fattr, nfsFh3, nfspath3, postOpAttr } from './types.ts';

export function lookup(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'LOOKUP',
    args: dirOpArgs3,
    ok: struct({ object: nfsFh3, attributes: postOpAttr, directory: postOpAttr }),
    fail: struct({ directory: postOpAttr }),
    failed: (call, { directory }) => ({ directory: postOp(context, call, directory) }),
    run(call, { directory, name }) {
      const target = targetOf(context, call, directory);
      return andThen(target.fileSystem.lookup(target.caller, target.node, name), (found) => {
        if (!found) throw new FsError('ENOENT');
        const inner = crossed(context, call, target, found);
        return andThen(inner.attributes, (attributes) =>
          answer(context, call, directory, inner.target, attributes),
        );
      });
    },
  });

  function answer(
    { handles }: NfsContext,
    call: Parameters<typeof postOp>[1],
    directory: Buffer,
    { dataset, fsid }: Target,
    attributes: Attributes,
  ): Eventual<{ object: Buffer; attributes: Fattr3; directory: Fattr3 | undefined }> {
    return {
      object: handles.encode(dataset.id, attributes),
      attributes: fattr(attributes, fsid),
      directory: postOp(context, call, directory),
    };
  }
}

export function readlink(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'READLINK',
    args: struct({ link: nfsFh3 }),
    ok: struct({ attributes: postOpAttr, target: nfspath3 }),
    fail: struct({ attributes: postOpAttr }),
    failed: (call, { link }) => ({ attributes: postOp(context, call, link) }),
    run(call, { link }) {
      const { fileSystem, node, caller, fsid } = targetOf(context, call, link);
      return andThen(fileSystem.readlink(caller, node), ({ target, attributes }) => ({
        attributes: fattr(attributes, fsid),
        target,
      }));
    },
  });
}
