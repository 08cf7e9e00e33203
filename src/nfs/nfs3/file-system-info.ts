// FSSTAT, FSINFO and PATHCONF (RFC 1813 §3.3.18 to §3.3.20): limits and figures, all of them true.

import { andThen } from '../../eventual.ts';
import { type Attributes, FILE_BYTES_MAX, LINK_COUNT_MAX, NAME_BYTES_MAX } from '../../fs/file-system.ts';
import type { AnyProcedure } from '../rpc/program.ts';
import { targetOf } from '../target.ts';
import { bool, u32, u64 } from '../xdr/primitives.ts';
import { type Fields, type Struct, struct, type ValueOf } from '../xdr/struct.ts';
import { type NfsContext, postOp } from './nfs-context.ts';
import { query } from './nfs-procedure.ts';
import { fattr, nfsFh3, postOpAttr, TRANSFER_BYTES_MAX } from './types.ts';

/** FSF3_LINK | FSF3_SYMLINK | FSF3_HOMOGENEOUS | FSF3_CANSETTIME */
const PROPERTIES = 0x01 | 0x02 | 0x08 | 0x10;
/** Reads and writes of a multiple of a block verify no byte twice. */
const TRANSFER_MULTIPLE = 4096;
const DIRECTORY_BYTES_PREFERRED = 65_536;

const args = struct({ root: nfsFh3 });
const fail = struct({ attributes: postOpAttr });

export function fsstat(context: NfsContext): AnyProcedure {
  return query(context, {
    name: 'FSSTAT',
    args,
    ok: struct({
      attributes: postOpAttr,
      totalBytes: u64,
      freeBytes: u64,
      availableBytes: u64,
      totalFiles: u64,
      freeFiles: u64,
      availableFiles: u64,
      unchangingSeconds: u32,
    }),
    fail,
    failed: (call, { root }) => ({ attributes: postOp(context, call, root) }),
    run(call, { root }) {
      const target = targetOf(context, call, root);
      const { fileSystem, node } = target;
      return andThen(fileSystem.attributes(node), (attributes) =>
        andThen(fileSystem.usage(), (usage) => ({
          attributes: fattr(attributes, target),
          totalBytes: usage.totalBytes,
          freeBytes: usage.freeBytes,
          availableBytes: usage.availableBytes,
          totalFiles: usage.totalInodes,
          freeFiles: usage.freeInodes,
          availableFiles: usage.freeInodes,
          unchangingSeconds: 0,
        })),
      );
    },
  });
}

export function fsinfo(context: NfsContext): AnyProcedure {
  const ok = struct({
    attributes: postOpAttr,
    readMax: u32,
    readPreferred: u32,
    readMultiple: u32,
    writeMax: u32,
    writePreferred: u32,
    writeMultiple: u32,
    directoryPreferred: u32,
    fileBytesMax: u64,
    timeDeltaSeconds: u32,
    timeDeltaNanoseconds: u32,
    properties: u32,
  });
  return constant(context, 'FSINFO', ok, {
    readMax: TRANSFER_BYTES_MAX,
    readPreferred: TRANSFER_BYTES_MAX,
    readMultiple: TRANSFER_MULTIPLE,
    writeMax: TRANSFER_BYTES_MAX,
    writePreferred: TRANSFER_BYTES_MAX,
    writeMultiple: TRANSFER_MULTIPLE,
    directoryPreferred: DIRECTORY_BYTES_PREFERRED,
    fileBytesMax: FILE_BYTES_MAX,
    timeDeltaSeconds: 0,
    timeDeltaNanoseconds: 1,
    properties: PROPERTIES,
  });
}

export function pathconf(context: NfsContext): AnyProcedure {
  const ok = struct({
    attributes: postOpAttr,
    linkMax: u32,
    nameBytesMax: u32,
    noTruncation: bool,
    chownRestricted: bool,
    caseInsensitive: bool,
    casePreserving: bool,
  });
  return constant(context, 'PATHCONF', ok, {
    linkMax: LINK_COUNT_MAX,
    nameBytesMax: NAME_BYTES_MAX,
    noTruncation: true,
    chownRestricted: true,
    caseInsensitive: false,
    casePreserving: true,
  });
}

/** A procedure that answers the same for every object that there is. */
function constant<F extends Fields>(
  context: NfsContext,
  name: string,
  ok: Struct<F>,
  limits: Omit<ValueOf<F>, 'attributes'>,
): AnyProcedure {
  return query(context, {
    name,
    args,
    ok,
    fail,
    failed: (call, { root }) => ({ attributes: postOp(context, call, root) }),
    run(call, { root }) {
      const target = targetOf(context, call, root);
      const answer = (attributes: Attributes) =>
        ({ attributes: fattr(attributes, target), ...limits }) as ValueOf<F>;
      return andThen(target.fileSystem.attributes(target.node), answer);
    },
  });
}
