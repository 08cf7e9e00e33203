// A rollback: a dataset gets a new head tree that shows a kept generation (DESIGN 3.2). The old one keeps what snapshots
// of it show, newer ones too; what only it showed goes in the background. What was there before is kept as an ordinary
// snapshot, in the batch of the switch, unless it is to be discarded: an operation is in it or in the new tree.

import type { Timestamp } from '../clock.ts';
import type { DatasetEntry } from '../datasets/dataset-entry.ts';
import { DatasetError } from '../datasets/datasets.ts';
import { mountAll } from '../datasets/mount-point.ts';
import { rowsOf } from '../datasets/registry-rows.ts';
import { branchOf, switchHead } from '../fs/branch.ts';
import { treeHolder } from '../fs/holder.ts';
import { stageHold } from '../fs/holds.ts';
import { Records } from '../fs/records.ts';
import { spaceOf } from '../fs/space-report.ts';
import { betweenShrinks } from '../fs/take-generation.ts';
import { fullName, type SnapshotContext } from './snapshot-context.ts';
import { stageLastSnapshot } from './snapshot-create.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import { findSnapshot } from './snapshot-names.ts';
import type { RollbackPlan } from './snapshots.ts';

/** @throws DatasetError */
export function planRollback(context: SnapshotContext, name: string, discard: boolean): RollbackPlan {
  const target = findSnapshot(context, name);
  const { dataset, name: full } = ownerOf(context, target);
  return {
    target: full,
    before: discard ? null : `${dataset.name}@${nameBefore(context, dataset)}`,
    liveBytes: dataset.referencedBytes(),
    liveInodes: dataset.tree.usedInodes,
    targetBytes: target.record.usedBytes,
    targetInodes: target.record.usedInodes,
    lostBytes: spaceOf(dataset.tree).live,
  };
}

/** @throws DatasetError */
export function rollback(context: SnapshotContext, name: string, discard: boolean): Promise<RollbackPlan> {
  const { uuid, datasetId } = findSnapshot(context, name);
  return context.locks.hold([datasetId], async () => {
    const target = stillThere(context, uuid, name);
    const plan = planRollback(context, fullName(context, target), discard);
    const { dataset } = ownerOf(context, target);
    if (!discard) await flushWhatWaits(context, dataset);
    const change = () =>
      context.registry.change(() => {
        const stageSwitch = prepareRollback(context, stillThere(context, uuid, name));
        const staged = discard ? null : stageLastSnapshot(context, dataset, nameBefore(context, dataset));
        stageSwitch();
        return staged;
      });
    const before = await (discard ? change() : betweenShrinks([dataset.tree], change));
    // What is staged is in it only now that the batch is applied.
    before?.publish();
    return { ...plan, before: before && `${dataset.name}@${before.entry.name}` };
  });
}

/** What was written before this call; what is written meanwhile and not committed either is as lost as in a crash. */
async function flushWhatWaits(
  { shared: { writeBack } }: SnapshotContext,
  dataset: DatasetEntry,
): Promise<void> {
  const { records } = dataset.operations;
  const date = writeBack.now();
  for (const ino of [...records.tree.dirty.keys()]) await writeBack.flushUntil(records, ino, date);
}

/** Checks all that could stand against it; what it returns stages it, in the same turn. @throws Wait; DatasetError */
function prepareRollback(context: SnapshotContext, target: SnapshotEntry): () => void {
  const { shared, datasets } = context;
  const { store } = shared;
  const { tree, generation } = target.record;
  const { dataset } = ownerOf(context, target);
  const { operations } = dataset;
  const branch = branchOf(store, { tree, generation }, operations.records.tree);
  const records = new Records(store, branch.tree, operations.records.cookieOf);
  const mountPoints = mountAll({ ...operations, records }, dataset);
  return () => {
    branch.stage();
    stageHold(store, store.trees.get(tree)!, generation, treeHolder(branch.tree.id));
    const before = switchHead(operations, branch.tree);
    mountPoints.commit();
    const record = { ...dataset.record, headTree: branch.tree.id };
    store.stageRows(rowsOf(record));
    datasets.catalog.update(dataset, record);
    datasets.trees.drop(before);
  };
}

function ownerOf(context: SnapshotContext, target: SnapshotEntry) {
  const dataset = context.datasets.catalog.findId(target.datasetId)!;
  return { dataset, name: fullName(context, target) };
}

function stillThere({ byUuid }: SnapshotContext, uuid: string, name: string): SnapshotEntry {
  const found = byUuid.get(uuid);
  if (found) return found;
  throw new DatasetError('not-found', `The snapshot ${name} was deleted meanwhile`);
}

/** Free also where several rollbacks come in a second. */
function nameBefore({ lists, shared }: SnapshotContext, { id }: DatasetEntry): string {
  const name = `before-rollback-${utc(shared.clock.now())}`;
  const list = lists.get(id);
  for (let count = 1; ; count++) {
    const numbered = count === 1 ? name : `${name}-${count}`;
    if (!list?.isTaken(numbered)) return numbered;
  }
}

/** `20261121T093015Z` */
function utc({ seconds }: Timestamp): string {
  return new Date(seconds * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
}
