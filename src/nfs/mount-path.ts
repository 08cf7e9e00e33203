// Where a path of MOUNT begins: in the live file system of a dataset, or in one of its snapshots.
//
//   path   := names | before "@" which [ "/" names ]        the last "@" of the path counts
//   which  := name of a snapshot | moment                   a snapshot of that name wins
//
// Of the names before the "@", and of a path without one, the longest name of a dataset is taken; a path that begins
// with none is in the default dataset. The rest is walked, in the snapshot if there is one. A moment stands for the
// newest snapshot that is not after it: now, at MOUNT, for handles name a snapshot and not a time. Where "@" leads to no
// snapshot, the names are those of a live path.

import type { Timestamp } from '../clock.ts';
import type { Dataset } from '../datasets/datasets.ts';
import { FsError } from '../fs/fs-error.ts';
import type { Snapshot } from '../snapshots/snapshots.ts';
import { parseMoment } from './moment.ts';
import type { RpcCall } from './rpc/call.ts';
import { atSnapshot, type Target, type TargetContext, targetIn } from './target.ts';

export interface MountStart {
  /** The root directory to walk from. */
  readonly target: Target;
  readonly names: readonly string[];
}

/** @throws NfsError `ACCES` when the dataset is not exported to the peer; FsError */
export async function startOfPath(
  context: TargetContext,
  call: RpcCall,
  names: readonly string[],
): Promise<MountStart> {
  const { dataset, snapshot, rest } = snapshotPath(context, names) ?? livePath(context, names);
  const root = await dataset.fileSystem.root();
  const live = targetIn(context, call, dataset, root);
  return { target: snapshot ? atSnapshot(live, snapshot) : live, names: rest };
}

interface Resolved {
  readonly dataset: Dataset;
  readonly snapshot: Snapshot | undefined;
  readonly rest: readonly string[];
}

function livePath({ datasets }: TargetContext, names: readonly string[]): Resolved {
  const found = datasets.resolve(names.join('/'));
  if (!found) throw new FsError('ENOENT');
  return { ...found, snapshot: undefined };
}

function snapshotPath(context: TargetContext, names: readonly string[]): Resolved | undefined {
  const index = names.findLastIndex((name) => name.includes('@'));
  const name = names[index];
  if (name === undefined) return undefined;
  const at = name.lastIndexOf('@');
  const before = [...names.slice(0, index), name.slice(0, at)].join('/');
  const found = context.datasets.resolve(before);
  const snapshot = found && snapshotOf(context, found.dataset, name.slice(at + 1));
  return snapshot && { ...found, snapshot, rest: [...found.rest, ...names.slice(index + 1)] };
}

function snapshotOf(
  { snapshots, clock }: TargetContext,
  dataset: Dataset,
  which: string,
): Snapshot | undefined {
  const named = snapshots.find(dataset.id, which);
  if (named) return named;
  const moment = parseMoment(which, clock.now());
  return moment && snapshots.of(dataset.id).findLast(({ createdAt }) => !isAfter(createdAt, moment));
}

function isAfter(time: Timestamp, moment: Timestamp): boolean {
  if (time.seconds !== moment.seconds) return time.seconds > moment.seconds;
  return time.nanoseconds > moment.nanoseconds;
}
