// What a handle names, for one caller: a node of a dataset's live file system, of one of its snapshots, or the
// `.snapshots` of a directory. Exports are checked here, so on every call, by the name of the dataset.

import type { Clock } from '../clock.ts';
import type { Dataset, Datasets } from '../datasets/datasets.ts';
import type { Caller, FileSystem, NodeRef } from '../fs/file-system.ts';
import { FsError } from '../fs/fs-error.ts';
import type { Snapshot } from '../snapshots/snapshots.ts';
import type { Exports } from './exports.ts';
import { type Handles, LIVE, SNAPSHOTS_DIRECTORY } from './handle.ts';
import type { RpcCall } from './rpc/call.ts';
import { type ServedSnapshots, SnapshotsDirectory } from './snapshots-directory.ts';
import { NfsError, NfsStatus } from './status.ts';

/** Where handles lead. */
export interface TargetContext {
  readonly datasets: Datasets;
  readonly snapshots: ServedSnapshots;
  readonly exports: Exports;
  readonly handles: Handles;
  /** The first word of the volume's uuid: tells the file systems of two servers apart. */
  readonly volumeNumber: number;
  readonly clock: Clock;
}

export interface Target {
  readonly dataset: Dataset;
  /** As in the handle: {@link LIVE}, {@link SNAPSHOTS_DIRECTORY}, or a snapshot's id. */
  readonly snapshot: number;
  readonly fileSystem: FileSystem;
  readonly node: NodeRef;
  readonly caller: Caller;
  readonly readOnly: boolean;
  readonly fsidHigh: number;
  readonly fsidLow: number;
}

/** With this the fsid of a live file system is below 2^53. */
const FSID_VOLUME_MASK = 0xf_ffff;

/** @throws NfsError `BADHANDLE`, `STALE` when dataset or snapshot is gone, `ACCES` when not exported to the peer */
export function targetOf(context: TargetContext, call: RpcCall, handle: Buffer): Target {
  const found = context.handles.decode(handle);
  if (!found) throw new NfsError(NfsStatus.BADHANDLE);
  const dataset = context.datasets.byId(found.dataset);
  if (!dataset) throw new NfsError(NfsStatus.STALE);
  const live = targetIn(context, call, dataset, found);
  if (found.snapshot === LIVE) return live;
  if (found.snapshot === SNAPSHOTS_DIRECTORY) return snapshotsDirectoryOf(context, live);
  const snapshot = context.snapshots.byId(dataset.id, found.snapshot);
  if (!snapshot) throw new NfsError(NfsStatus.STALE);
  return atSnapshot(live, snapshot);
}

/** A node of the live file system. @throws NfsError `ACCES` when it is not exported to the peer */
export function targetIn(context: TargetContext, call: RpcCall, dataset: Dataset, node: NodeRef): Target {
  const access = context.exports.check(call.peer, dataset.name);
  if (!access) throw new NfsError(NfsStatus.ACCES);
  return {
    dataset,
    snapshot: LIVE,
    fileSystem: dataset.fileSystem,
    node,
    caller: access.caller(call.credential),
    readOnly: access.readOnly || dataset.readonly,
    fsidHigh: context.volumeNumber & FSID_VOLUME_MASK,
    fsidLow: dataset.id,
  };
}

/** The same node as the snapshot has it, under the snapshot's own fsid. */
export function atSnapshot(live: Target, { id, fileSystem }: Snapshot): Target {
  // The live one's is that of snapshot 0, so no two of a volume are the same.
  const fsidHigh = (live.fsidHigh ^ id) >>> 0;
  return { ...live, snapshot: id, fileSystem, readOnly: true, fsidHigh };
}

/** The `.snapshots` of a directory, which is within the live file system. @throws NfsError `STALE` where there is none */
export function snapshotsDirectoryOf({ snapshots, clock }: TargetContext, live: Target): Target {
  const { dataset } = live;
  if (dataset.snapdir === 'disabled') throw new NfsError(NfsStatus.STALE);
  return {
    ...live,
    snapshot: SNAPSHOTS_DIRECTORY,
    fileSystem: new SnapshotsDirectory(dataset, snapshots, clock),
    readOnly: live.readOnly || !dataset.snapdirWrite,
  };
}

/** @throws FsError `EROFS`, but `ESTALE` where it is known at once that the node is gone, as the Linux server has it */
export function writableOf(context: TargetContext, call: RpcCall, handle: Buffer): Target {
  const target = targetOf(context, call, handle);
  if (!target.readOnly) return target;
  const found = target.fileSystem.attributes(target.node);
  if (found instanceof Promise) found.catch(() => {});
  throw new FsError('EROFS');
}
