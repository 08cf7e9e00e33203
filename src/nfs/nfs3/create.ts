// CREATE, MKDIR, SYMLINK and MKNOD (RFC 1813 §3.3.8 to §3.3.11).

import type { Eventual } from '../../eventual.ts';
import { type Created, type CreateHow, FileType, type Mutation, type Staged } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import { belowSnapshots } from '../descend.ts';
import { LIVE } from '../handle.ts';
import type { RpcCall } from '../rpc/call.ts';
import type { AnyProcedure } from '../rpc/program.ts';
import { type Target, writableOf } from '../target.ts';
import { rest, u32 } from '../xdr/primitives.ts';
import { struct } from '../xdr/struct.ts';
import { union } from '../xdr/union.ts';
import type { Xdr, XdrOf } from '../xdr/xdr.ts';
import { changesOf } from './changes.ts';
import { failedWcc, type NfsContext, wccOf } from './nfs-context.ts';
import { change } from './nfs-procedure.ts';
import {
  type DirOpArgs3,
  dirOpArgs3,
  fattr,
  nfspath3,
  postOpAttr,
  postOpFh3,
  sattr3,
  verifier3,
  wccData,
} from './types.ts';

/** createhow3: UNCHECKED, GUARDED, EXCLUSIVE. */
const createHow3 = union('mode', {
  0: { attributes: sattr3 },
  1: { attributes: sattr3 },
  2: { verifier: verifier3 },
});
type CreateHow3 = XdrOf<typeof createHow3>;

const device = { attributes: sattr3, major: u32, minor: u32 };
const nodeData = union('type', {
  [FileType.block]: device,
  [FileType.character]: device,
  [FileType.socket]: { attributes: sattr3 },
  [FileType.fifo]: { attributes: sattr3 },
});
const NODE_TYPES: readonly number[] = [FileType.block, FileType.character, FileType.socket, FileType.fifo];

/**
 * mknoddata3. Its default arm is void (RFC 1813 §3.3.11): types that other procedures make, and numbers that are no type.
 * Undefined is these, and BADTYPE.
 */
const mknodData3: Xdr<XdrOf<typeof nodeData> | undefined> = {
  fixed: undefined,
  bytesMin: 4,
  encode: (to, data) => data && nodeData.encode(to, data),
  decode(from) {
    const type = from.u32();
    if (!NODE_TYPES.includes(type)) return rest.decode(from);
    from.position -= 4;
    return nodeData.decode(from);
  },
};

const made = struct({ object: postOpFh3, attributes: postOpAttr, wcc: wccData });
const notMade = struct({ wcc: wccData });

/** What the four have in common. */
function making(context: NfsContext) {
  return {
    once: true,
    ok: made,
    fail: notMade,
    failed: (call: RpcCall, { where }: { readonly where: DirOpArgs3 }) => ({
      wcc: failedWcc(context, call, where.directory),
    }),
  };
}

function operation(
  { handles }: NfsContext,
  target: Target,
  run: (mutation: Mutation<Created>) => Eventual<Staged<Created>>,
) {
  const reply = ({ node, directory }: Created) => ({
    object: handles.encode(target.dataset.id, node),
    attributes: fattr(node, target),
    wcc: wccOf(target, directory),
  });
  return { target, run, reply };
}

export function create(context: NfsContext): AnyProcedure {
  return change(context, {
    ...making(context),
    name: 'CREATE',
    number: 8,
    args: struct({ where: dirOpArgs3, how: createHow3 }),
    operation(call, { where, how }) {
      const target = writableOf(context, call, where.directory);
      const wanted = howOf(how);
      return operation(context, target, (mutation) =>
        target.fileSystem.create(mutation, target.node, where.name, wanted),
      );
    },
  });
}

function howOf(how: CreateHow3): CreateHow {
  if (how.mode === 2) return { mode: 'exclusive', verifier: how.verifier };
  return { mode: how.mode === 0 ? 'unchecked' : 'guarded', changes: changesOf(how.attributes) };
}

export function mkdir(context: NfsContext): AnyProcedure {
  return change(context, {
    ...making(context),
    name: 'MKDIR',
    number: 9,
    args: struct({ where: dirOpArgs3, attributes: sattr3 }),
    operation(call, { where, attributes }) {
      const target = writableOf(context, call, where.directory);
      const changes = changesOf(attributes);
      const ordinary = operation(context, target, (mutation) =>
        target.fileSystem.mkdir(mutation, target.node, where.name, changes),
      );
      if (target.snapshot === LIVE) return ordinary;
      return {
        ...ordinary,
        reply: (created: Created) => snapshotReply(context, call, target, where.name, created),
      };
    },
  });
}

/** MKDIR in `.snapshots` makes a snapshot: what is made is the root of another file system. */
function snapshotReply(
  context: NfsContext,
  call: RpcCall,
  target: Target,
  name: Buffer,
  { node: found, directory }: Created,
) {
  const made = belowSnapshots(context, call, target, name, found);
  return {
    object: context.handles.encode(target.dataset.id, made.node, made.target.snapshot),
    attributes: fattr(found, made.target),
    wcc: wccOf(target, directory),
  };
}

export function symlink(context: NfsContext): AnyProcedure {
  return change(context, {
    ...making(context),
    name: 'SYMLINK',
    number: 10,
    args: struct({ where: dirOpArgs3, attributes: sattr3, path: nfspath3 }),
    operation(call, { where, attributes, path }) {
      const target = writableOf(context, call, where.directory);
      const changes = changesOf(attributes);
      return operation(context, target, (mutation) =>
        target.fileSystem.symlink(mutation, target.node, where.name, path, changes),
      );
    },
  });
}

export function mknod(context: NfsContext): AnyProcedure {
  return change(context, {
    ...making(context),
    name: 'MKNOD',
    number: 11,
    args: struct({ where: dirOpArgs3, what: mknodData3 }),
    operation(call, { where, what }) {
      const target = writableOf(context, call, where.directory);
      if (!what) throw new FsError('EBADTYPE');
      const isDevice = what.type === FileType.block || what.type === FileType.character;
      const node = {
        type: what.type,
        major: isDevice ? what.major : 0,
        minor: isDevice ? what.minor : 0,
        changes: changesOf(what.attributes),
      };
      return operation(context, target, (mutation) =>
        target.fileSystem.mknod(mutation, target.node, where.name, node),
      );
    },
  });
}
