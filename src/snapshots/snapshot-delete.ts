// Deletion of snapshots: record and hold go in one batch, the space they alone held comes back in the background.

import type { DatasetEntry } from '../datasets/dataset-entry.ts';
import { DatasetError } from '../datasets/datasets.ts';
import { attempt } from '../fs/attempt.ts';
import { snapshotHolder } from '../fs/holder.ts';
import { stageRelease } from '../fs/holds.ts';
import { bytesFreedBy, type Release } from '../fs/release-plan.ts';
import { fullName, type SnapshotContext } from './snapshot-context.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import { listRow, snapshotRowWithout } from './snapshot-rows.ts';
import type { SnapshotDeletePlan } from './snapshots.ts';

/** Snapshots of one batch. */
const BATCH_SNAPSHOTS = 128;
/** Tags that a refusal lists. */
const LISTED_MAX = 5;

/** @throws DatasetError `busy` when one is held */
export async function planSnapshotDelete(
  context: SnapshotContext,
  entries: readonly SnapshotEntry[],
): Promise<SnapshotDeletePlan> {
  for (const entry of entries) checkNotHeld(context, entry);
  const names = entries.map((entry) => fullName(context, entry));
  const { store } = context.shared;
  const bytes = await attempt(() => {
    // Those that nobody has deleted meanwhile.
    const there = entries.filter(({ uuid }) => context.byUuid.has(uuid));
    return bytesFreedBy(store, there.map(releaseOf(context)));
  });
  return { names, bytes };
}

/**
 * Deletes snapshots, many of them in several batches: others wait for no more than one.
 * @throws as {@link planSnapshotDelete}
 */
export async function deleteSnapshots(
  context: SnapshotContext,
  entries: readonly SnapshotEntry[],
): Promise<SnapshotDeletePlan> {
  const plan = await planSnapshotDelete(context, entries);
  for (let at = 0; at < entries.length; at += BATCH_SNAPSHOTS) {
    const batch = entries.slice(at, at + BATCH_SNAPSHOTS);
    // Those that are still there, as they are by then.
    await context.registry.change(() =>
      stageSnapshotDelete(
        context,
        batch.flatMap(({ uuid }) => context.byUuid.get(uuid) ?? []),
      ),
    );
  }
  return plan;
}

/** @throws as {@link planSnapshotDelete}, and then nothing is staged */
function stageSnapshotDelete(context: SnapshotContext, entries: readonly SnapshotEntry[]): void {
  for (const entry of entries) checkNotHeld(context, entry);
  const { store, clock } = context.shared;
  const gone = new Set(entries);
  for (const entry of gone) stageGone(context, entry);
  for (const dataset of new Set(entries.map(({ datasetId }) => datasetId))) {
    const list = context.lists.get(dataset)!;
    store.stageRows([listRow(list, list.changed(clock.now()))]);
    list.remove(gone);
  }
}

/** @throws DatasetError `busy` when one is held */
export function goingWith({ lists }: SnapshotContext, { id, name }: DatasetEntry): readonly string[] {
  const entries = lists.get(id)?.entries ?? [];
  const held = entries.filter(({ isHeld }) => isHeld);
  if (held.length > 0) {
    const names = held.slice(0, LISTED_MAX).map((entry) => `${name}@${entry.name}`);
    const more = held.length > LISTED_MAX ? `, and ${held.length - LISTED_MAX} more,` : '';
    const are = held.length > 1 ? 'are' : 'is';
    throw busy(name, `${names.join(', ')}${more} ${are} held; "cairn dataset holds" says by whom`);
  }
  return entries.map((entry) => `${name}@${entry.name}`);
}

/** The snapshots of a dataset that is deleted in this turn: what they hold goes in the background. */
export function stageAllGone(context: SnapshotContext, { id }: DatasetEntry): void {
  const list = context.lists.get(id);
  if (!list) return;
  for (const entry of list.entries) forget(context, entry);
  context.lists.delete(id);
  const job = context.datasets.trees.newJobId();
  context.dropped.drop({ job, dataset: id, snapshots: list.entries.length });
}

function stageGone(context: SnapshotContext, entry: SnapshotEntry): void {
  const { store } = context.shared;
  const { tree, generation, holder } = releaseOf(context)(entry);
  store.stageRows([snapshotRowWithout(entry)]);
  stageRelease(store, tree, generation, holder);
  forget(context, entry);
}

function forget({ byUuid, charges }: SnapshotContext, entry: SnapshotEntry): void {
  entry.fileSystem.close();
  byUuid.delete(entry.uuid);
  charges.namesChanged();
}

export function releaseOf({
  shared: { store },
}: Pick<SnapshotContext, 'shared'>): (entry: SnapshotEntry) => Release {
  return ({ datasetId, id, record: { tree, generation } }) => ({
    tree: store.trees.get(tree)!,
    generation,
    holder: snapshotHolder(datasetId, id),
  });
}

function checkNotHeld(context: SnapshotContext, entry: SnapshotEntry): void {
  if (!entry.isHeld) return;
  const { holds } = entry.record;
  const tags = holds.slice(0, LISTED_MAX).join(', ');
  const more = holds.length > LISTED_MAX ? ` and ${holds.length - LISTED_MAX} more` : '';
  throw busy(fullName(context, entry), `it is held by ${tags}${more}; release it first`);
}

function busy(name: string, why: string): DatasetError {
  return new DatasetError('busy', `Cannot delete ${name}: ${why}`);
}
