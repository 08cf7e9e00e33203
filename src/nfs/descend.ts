// One step down a path: LOOKUP, and each component of a path of MOUNT. Here a step leads from one file system into
// another: through the directory of a nested dataset, and through `.snapshots`.
//
//   live directory   .snapshots   the directory's `.snapshots`, unless snapdir=disabled
//   .snapshots       NAME         the same directory, by its inode, in the snapshot
//   .snapshots       ..           the same directory, live
//
// A snapshot has no `.snapshots`, and the directory of a nested dataset is an empty one in it.

import { andThen, type Eventual } from '../eventual.ts';
import { Access, type Attributes, FileType, type NodeRef } from '../fs/file-system.ts';
import { FsError } from '../fs/fs-error.ts';
import { isDot, isDotDot } from '../fs/name.ts';
import { LIVE, SNAPSHOTS_DIRECTORY } from './handle.ts';
import type { RpcCall } from './rpc/call.ts';
import { isSnapshotsName } from './snapshots-directory.ts';
import { atSnapshot, snapshotsDirectoryOf, type Target, type TargetContext, targetIn } from './target.ts';

/** What a name leads to. */
export interface Entered {
  /** Its file system; the node is `node`. */
  readonly target: Target;
  readonly node: NodeRef;
  readonly attributes: Attributes;
}

/**
 * Undefined when there is no such name: clients ask for many that are not there, and an error costs more than the answer.
 * @throws FsError whatever else LOOKUP answers; NfsError `ACCES` for a dataset not exported to the peer
 */
export function descend(
  context: TargetContext,
  call: RpcCall,
  target: Target,
  name: Buffer,
): Eventual<Entered | undefined> {
  if (isSnapshotsName(name) && hasSnapshots(target)) return enterSnapshots(context, target);
  return andThen(target.fileSystem.lookup(target.caller, target.node, name), (found) =>
    enter(context, call, target, name, found),
  );
}

function enter(
  context: TargetContext,
  call: RpcCall,
  target: Target,
  name: Buffer,
  found: Attributes | undefined,
): Eventual<Entered | undefined> {
  if (!found) return undefined;
  if (target.snapshot === SNAPSHOTS_DIRECTORY) return belowSnapshots(context, call, target, name, found);
  if (found.mountedDataset !== 0) return enterDataset(context, call, target, name, found);
  return { target, node: found, attributes: found };
}

/** Whether `.snapshots` stands for the snapshots here, whatever is stored under that name. */
export function hasSnapshots({ snapshot, dataset }: Target): boolean {
  return snapshot === LIVE && dataset.snapdir !== 'disabled';
}

/** Where an entry of `.snapshots` is, whose attributes are `found`. */
export function belowSnapshots(
  context: TargetContext,
  call: RpcCall,
  target: Target,
  name: Buffer,
  found: Attributes,
): Entered {
  const { dataset, node } = target;
  if (isDot(name)) return { target, node, attributes: found };
  const live = targetIn(context, call, dataset, node);
  if (isDotDot(name)) return { target: live, node, attributes: found };
  const snapshot = context.snapshots.find(dataset.id, name.toString('latin1'));
  if (!snapshot) throw new FsError('ENOENT');
  return { target: atSnapshot(live, snapshot), node, attributes: found };
}

function enterSnapshots(context: TargetContext, live: Target): Eventual<Entered> {
  const { fileSystem, caller, node } = live;
  return andThen(fileSystem.access(caller, node, Access.lookup), ({ granted, attributes: holder }) => {
    if (holder.type !== FileType.directory) throw new FsError('ENOTDIR');
    if (granted === 0) throw new FsError('EACCES');
    const target = snapshotsDirectoryOf(context, live);
    return andThen(target.fileSystem.attributes(node), (attributes) => ({ target, node, attributes }));
  });
}

/**
 * The root of the dataset that shows at a directory. A clone or a rollback has the directory, but the dataset is nested
 * elsewhere, or gone: then it is an empty directory.
 */
function enterDataset(
  context: TargetContext,
  call: RpcCall,
  around: Target,
  name: Buffer,
  found: Attributes,
): Eventual<Entered> {
  const dataset = context.datasets.byId(found.mountedDataset);
  if (dataset?.name !== `${around.dataset.name}/${name.toString('latin1')}`)
    return { target: around, node: found, attributes: found };
  const target = targetIn(context, call, dataset, found);
  return andThen(target.fileSystem.root(), (root) => ({ target, node: root, attributes: root }));
}
