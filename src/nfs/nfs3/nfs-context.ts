// What every NFSv3 procedure works with, and how a handle becomes a dataset, a node and a caller. Exports are checked
// here, so on every call.

import type { Dataset, Datasets } from '../../datasets/datasets.ts';
import type { Attributes, Caller, Change, FileSystem, NodeRef } from '../../fs/file-system.ts';
import { FsError } from '../../fs/fs-error.ts';
import type { DuplicateRequestCache } from '../duplicate-request-cache.ts';
import type { Exports } from '../exports.ts';
import type { Handles } from '../handle.ts';
import type { RpcCall } from '../rpc/call.ts';
import type { RpcLog } from '../rpc/log.ts';
import { NfsError, NfsStatus } from '../status.ts';
import { type Fattr3, fattr, type WccData } from './types.ts';

export interface NfsContext {
  readonly datasets: Datasets;
  readonly exports: Exports;
  readonly duplicates: DuplicateRequestCache;
  readonly handles: Handles;
  /** The first word of the volume's uuid: tells the file systems of two servers apart. */
  readonly volumeNumber: number;
  readonly writeVerifier: Buffer;
  readonly log: RpcLog;
}

/** What a handle names, for one caller. */
export interface Target {
  readonly dataset: Dataset;
  readonly fileSystem: FileSystem;
  readonly node: NodeRef;
  readonly caller: Caller;
  readonly readOnly: boolean;
  readonly fsid: number;
}

const FSID_VOLUME_MASK = 0xf_ffff;

/** @throws NfsError `BADHANDLE`, `STALE` when the dataset is gone, `ACCES` when it is not exported to the peer */
export function targetOf(context: NfsContext, call: RpcCall, handle: Buffer): Target {
  const found = context.handles.decode(handle);
  if (!found) throw new NfsError(NfsStatus.BADHANDLE);
  const dataset = context.datasets.byId(found.dataset);
  if (!dataset) throw new NfsError(NfsStatus.STALE);
  return targetIn(context, call, dataset, found);
}

export function targetIn(context: NfsContext, call: RpcCall, dataset: Dataset, node: NodeRef): Target {
  const access = context.exports.check(call.peer, dataset.name);
  if (!access) throw new NfsError(NfsStatus.ACCES);
  return {
    dataset,
    fileSystem: dataset.fileSystem,
    node,
    caller: access.caller(call.credential),
    readOnly: access.readOnly || dataset.readonly,
    fsid: fsidOf(context, dataset.id),
  };
}

/** @throws FsError `EROFS` */
export function writableOf(context: NfsContext, call: RpcCall, handle: Buffer): Target {
  const target = targetOf(context, call, handle);
  if (target.readOnly) throw new FsError('EROFS');
  return target;
}

/** Fixed, distinct for each dataset, and below 2^53. */
export function fsidOf({ volumeNumber }: NfsContext, dataset: number): number {
  return (volumeNumber & FSID_VOLUME_MASK) * 2 ** 32 + dataset;
}

export function wccOf(target: Target, { before, after }: Change): WccData {
  return { before, after: fattr(after, target.fsid) };
}

export const NO_WCC: WccData = { before: undefined, after: undefined };

/** The attributes for a failed reply, as far as they can be had at once. */
export function postOp(context: NfsContext, call: RpcCall, handle: Buffer): Fattr3 | undefined {
  try {
    const { fileSystem, node, fsid } = targetOf(context, call, handle);
    const attributes = fileSystem.attributes(node);
    if (!(attributes instanceof Promise)) return fattr(attributes, fsid);
    attributes.catch(() => {});
    return undefined;
  } catch {
    return undefined;
  }
}

/** wcc_data of a failed reply: nothing has changed, so what is there now was there before. */
export function failedWcc(context: NfsContext, call: RpcCall, handle: Buffer): WccData {
  const after = postOp(context, call, handle);
  return after ? { before: after, after } : NO_WCC;
}

/** The root of the dataset that shows at a directory of another one, else the node itself. */
export function crossed(
  context: NfsContext,
  call: RpcCall,
  target: Target,
  attributes: Attributes,
): { target: Target; attributes: Attributes | Promise<Attributes> } {
  if (attributes.mountedDataset === 0) return { target, attributes };
  const dataset = context.datasets.byId(attributes.mountedDataset);
  if (!dataset) throw new NfsError(NfsStatus.STALE);
  const inner = targetIn(context, call, dataset, attributes);
  return { target: inner, attributes: inner.fileSystem.root() };
}
