// The MOUNT program, version 3 (RFC 1813 §5): the way to a first file handle.
//
// `/` is the default dataset, `/root` dataset 0, `/name/sub/dir` the longest dataset name and a path in it, `/name@snap` a
// snapshot (mount-path.ts). Each step of the path leads where a LOOKUP does.

import type { Eventual } from '../eventual.ts';
import { FileType } from '../fs/file-system.ts';
import { FsError } from '../fs/fs-error.ts';
import { descend } from './descend.ts';
import { startOfPath } from './mount-path.ts';
import type { MountTable } from './mount-table.ts';
import type { RpcCall } from './rpc/call.ts';
import { AUTH_NONE, AUTH_SYS } from './rpc/credential.ts';
import { nullProcedure, procedure, type RpcProgram } from './rpc/program.ts';
import { NfsError, NfsStatus, STATUS_OF } from './status.ts';
import type { Target, TargetContext } from './target.ts';
import { opaque, string } from './xdr/opaque.ts';
import { nothing, u32 } from './xdr/primitives.ts';
import { array, list } from './xdr/sequence.ts';
import { struct } from './xdr/struct.ts';
import { reply } from './xdr/union.ts';
import type { XdrOf } from './xdr/xdr.ts';

export const MOUNT_PROGRAM = 100005;
export const MOUNT_VERSION = 3;

const PATH_BYTES_MAX = 1024;
const NAME_BYTES_MAX = 255;
const HANDLE_BYTES_MAX = 64;
/** Names are bytes: each one a character here, so that none is lost. */
const PATH_ENCODING = 'latin1';
const FLAVORS = [AUTH_SYS, AUTH_NONE];
const LIST_MAX = 1_000_000;
/** Networks shown for one dataset; of a rule that has more, the first ones. */
const GROUPS_MAX = 256;

/** mountstat3 has the numbers of nfsstat3 for what both know; whatever it does not know is a fault of the server. */
const MOUNT_STATUSES: ReadonlySet<number> = new Set([
  NfsStatus.PERM,
  NfsStatus.NOENT,
  NfsStatus.IO,
  NfsStatus.ACCES,
  NfsStatus.NOTDIR,
  NfsStatus.INVAL,
  NfsStatus.NAMETOOLONG,
]);

const dirpath = string(PATH_BYTES_MAX);
const mountResult = reply(struct({ handle: opaque(HANDLE_BYTES_MAX), flavors: array(u32, 16) }), struct({}));
const mountEntry = struct({ hostname: string(NAME_BYTES_MAX), directory: dirpath });
const exportEntry = struct({ directory: dirpath, groups: list(string(NAME_BYTES_MAX), GROUPS_MAX) });

export interface MountContext extends TargetContext {
  readonly table: MountTable;
}

export function mountProgram(context: MountContext): RpcProgram {
  const { table } = context;
  return {
    program: MOUNT_PROGRAM,
    version: MOUNT_VERSION,
    name: 'MOUNT',
    procedures: [
      nullProcedure,
      procedure({
        name: 'MNT',
        args: dirpath,
        result: mountResult,
        run: (call, path) => mount(context, call, namesOf(path)),
      }),
      procedure({
        name: 'DUMP',
        args: nothing,
        result: list(mountEntry, LIST_MAX),
        run: () =>
          table.list().map(({ address, path }) => ({ hostname: bytesOf(address), directory: bytesOf(path) })),
      }),
      procedure({
        name: 'UMNT',
        args: dirpath,
        result: nothing,
        run(call, path) {
          table.remove({ address: call.peer.address, path: pathOf(namesOf(path)) });
          return undefined;
        },
      }),
      procedure({
        name: 'UMNTALL',
        args: nothing,
        result: nothing,
        run(call) {
          table.removeAll(call.peer.address);
          return undefined;
        },
      }),
      procedure({
        name: 'EXPORT',
        args: nothing,
        result: list(exportEntry, LIST_MAX),
        run: (call) => exportsFor(context, call.peer.address),
      }),
    ],
  };
}

/** As the address sees them; `/` first, the path that most clients mount. */
function exportsFor({ datasets, exports }: MountContext, address: string): XdrOf<typeof exportEntry>[] {
  const shown: XdrOf<typeof exportEntry>[] = [];
  const show = (directory: string, dataset: string): void => {
    const networks = exports.shownTo(address, dataset);
    if (networks)
      shown.push({ directory: bytesOf(directory), groups: networks.slice(0, GROUPS_MAX).map(bytesOf) });
  };
  show('/', datasets.defaultDataset().name);
  for (const { name } of datasets.list()) show(`/${name}`, name);
  return shown;
}

interface Found {
  readonly status: 0;
  readonly handle: Buffer;
  readonly flavors: readonly number[];
}

function mount(
  context: MountContext,
  call: RpcCall,
  names: readonly string[],
): Eventual<Found | { readonly status: number }> {
  const { address } = call.peer;
  return walk(context, call, names).then(
    ({ dataset, node, snapshot }) => {
      context.table.add({ address, path: pathOf(names) });
      return { status: 0, handle: context.handles.encode(dataset.id, node, snapshot), flavors: FLAVORS };
    },
    (error: unknown) => {
      const status = statusOf(error);
      if (status === NfsStatus.STALE) return { status: NfsStatus.NOENT };
      return { status: MOUNT_STATUSES.has(status) ? status : NfsStatus.SERVERFAULT };
    },
  );
}

function statusOf(error: unknown): number {
  if (error instanceof FsError) return STATUS_OF[error.code];
  if (error instanceof NfsError) return error.status;
  throw error;
}

async function walk(context: MountContext, call: RpcCall, names: readonly string[]): Promise<Target> {
  const start = await startOfPath(context, call, names);
  let { target } = start;
  let { type } = await target.fileSystem.attributes(target.node);
  for (const name of start.names) {
    if (type !== FileType.directory) throw new FsError('ENOTDIR');
    const next = await descend(context, call, target, bytesOf(name));
    if (!next) throw new FsError('ENOENT');
    target = { ...next.target, node: next.node };
    ({ type } = next.attributes);
  }
  if (type !== FileType.directory) throw new FsError('ENOTDIR');
  return target;
}

/** The components of a path. libnfs leaves the first slash out, others add one at the end. */
function namesOf(path: Buffer): string[] {
  return path
    .toString(PATH_ENCODING)
    .split('/')
    .filter((name) => name !== '' && name !== '.');
}

function pathOf(names: readonly string[]): string {
  return `/${names.join('/')}`;
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, PATH_ENCODING);
}
