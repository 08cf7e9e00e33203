// A new snapshot, in two items (DESIGN 3.2): the generation is kept in the turn in which the call has its place among
// all others; record, name and holder are staged once everything accepted before that is flushed. Several datasets are
// kept in one turn and recorded in one batch: they show one moment.

import type { Timestamp } from '../clock.ts';
import type { DatasetEntry } from '../datasets/dataset-entry.ts';
import { DatasetError } from '../datasets/datasets.ts';
import { parseSnapshotName } from '../datasets/names.ts';
import { checkDisk } from '../datasets/registry-context.ts';
import { snapshotHolder } from '../fs/holder.ts';
import { stageHold, stageRelease } from '../fs/holds.ts';
import { keptCounters } from '../fs/kept-counters.ts';
import { openKept } from '../fs/kept-file-system.ts';
import { betweenShrinks, stageKeep, takeGeneration } from '../fs/take-generation.ts';
import type { Tree } from '../fs/tree.ts';
import { JOB_HOLDER } from '../fs/tree-rows.ts';
import { newUuid } from '../uuid.ts';
import { expiryAt } from './expiry.ts';
import { listOf, SNAPSHOTS_MAX, type SnapshotContext } from './snapshot-context.ts';
import { SnapshotEntry } from './snapshot-entry.ts';
import type { SnapshotList } from './snapshot-list.ts';
import { checkUserProperties } from './snapshot-properties.ts';
import type { ListRecord } from './snapshot-record.ts';
import { listRow, snapshotRow } from './snapshot-rows.ts';
import type { SnapshotOptions } from './snapshots.ts';

/** A generation that is kept for a snapshot to come. */
interface Taken {
  readonly dataset: DatasetEntry;
  readonly tree: Tree;
  readonly generation: number;
  readonly ready: Promise<void>;
}

/** Staged, and not in its list yet. */
interface StagedSnapshot {
  readonly entry: SnapshotEntry;
  /** Shows it. Its generation has to be complete by then: what is seen of it before is cached, and stays wrong. */
  publish(): void;
}

/** @throws DatasetError */
export function createSnapshots(
  context: SnapshotContext,
  datasetName: string,
  name: string,
  options: SnapshotOptions,
): Promise<readonly SnapshotEntry[]> {
  const top = context.datasets.catalog.get(datasetName);
  const datasets = options.recursive ? [...top.subtree()] : [top];
  return context.locks.hold(
    datasets.map(({ id }) => id),
    () => createLocked(context, datasets, name, options),
  );
}

/**
 * A snapshot of what is staged in this turn, for a dataset that loses its live tree in it: what waits in memory is given
 * up and will not be in it. The caller has the lock, and keeps it until the batch is applied and the snapshot published.
 *
 * @throws DatasetError, and then nothing is staged
 */
export function stageLastSnapshot(
  context: SnapshotContext,
  dataset: DatasetEntry,
  name: string,
): StagedSnapshot {
  checkNew(context, dataset, name);
  checkRoom(context, 1);
  const { tree } = dataset;
  const { store, clock } = context.shared;
  const holder = snapshotHolder(dataset.id, listOf(context, dataset).nextId);
  const generation = stageKeep(store, tree, holder);
  const { usedBytes, usedInodes } = tree;
  const given = { name, expiresAt: null, properties: {}, usedBytes, usedInodes };
  return stageSnapshot(context, { dataset, tree, generation }, clock.now(), given);
}

async function createLocked(
  context: SnapshotContext,
  datasets: readonly DatasetEntry[],
  name: string,
  { ttlSeconds, properties = {} }: Omit<SnapshotOptions, 'recursive'>,
): Promise<readonly SnapshotEntry[]> {
  checkUserProperties(properties);
  const { clock, store } = context.shared;
  const check = () => {
    for (const dataset of datasets) checkNew(context, dataset, name);
    checkRoom(context, datasets.length);
  };
  // What can be seen now is refused before anything is waited for.
  check();
  const trees = datasets.map(({ tree }) => tree);
  const { taken, now, expiresAt } = await betweenShrinks(trees, () => {
    check();
    const now = clock.now();
    const expiresAt = ttlSeconds === undefined ? null : expiryAt(now, ttlSeconds);
    const taken = datasets.map((dataset): Taken => {
      const { tree } = dataset;
      return { dataset, tree, ...takeGeneration(context.shared, tree, JOB_HOLDER) };
    });
    return { taken, now, expiresAt };
  });
  try {
    await Promise.all(taken.map(({ ready }) => ready));
    return await context.registry.change(() => {
      for (const { dataset } of taken) checkNew(context, dataset, name);
      const counters = taken.map(({ tree, generation }) => keptCounters(store, tree.id, generation));
      return taken.map((one, at) => {
        const { tree, generation } = one;
        const given = { name, expiresAt, properties, ...counters[at]! };
        const { entry, publish } = stageSnapshot(context, one, now, given);
        stageHold(store, tree, generation, snapshotHolder(entry.datasetId, entry.id));
        stageRelease(store, tree, generation, JOB_HOLDER);
        publish();
        return entry;
      });
    });
  } catch (error) {
    // Nobody will name them; after a crash here the next start lets them go.
    if (!store.poisoned) {
      for (const { tree, generation } of taken) stageRelease(store, tree, generation, JOB_HOLDER);
    }
    throw error;
  }
}

/** The record and the name; that the generation is held is the caller's matter. */
function stageSnapshot(
  context: SnapshotContext,
  { dataset, tree, generation }: Omit<Taken, 'ready'>,
  { seconds, nanoseconds }: Timestamp,
  given: {
    readonly name: string;
    readonly expiresAt: number | null;
    readonly properties: Readonly<Record<string, string>>;
    readonly usedBytes: number;
    readonly usedInodes: number;
  },
): StagedSnapshot {
  const { store, random, clock } = context.shared;
  const list = listOf(context, dataset);
  const record = {
    name: given.name,
    uuid: newUuid(random),
    tree: tree.id,
    generation,
    seconds,
    nanoseconds,
    usedBytes: given.usedBytes,
    usedInodes: given.usedInodes,
    holds: [],
    expiresAt: given.expiresAt,
    properties: given.properties,
  };
  const fileSystem = openKept(context.shared, dataset.id, tree, generation);
  const entry = new SnapshotEntry(dataset.id, list.nextId, record, fileSystem);
  const reserved = list.reserve(entry, clock.now());
  store.stageRows([snapshotRow(entry), listRow(list, reserved)]);
  return { entry, publish: () => publish(context, list, entry, reserved) };
}

/** Not in the list of a dataset that was deleted meanwhile: what lets go of its snapshots finds the row. */
function publish(
  context: SnapshotContext,
  list: SnapshotList,
  entry: SnapshotEntry,
  reserved: ListRecord,
): void {
  if (context.lists.get(entry.datasetId) !== list) return;
  list.show(entry, reserved);
  context.byUuid.set(entry.uuid, entry);
  context.charges.namesChanged();
}

/** @throws DatasetError also when the dataset has gone meanwhile */
function checkNew(context: SnapshotContext, dataset: DatasetEntry, name: string): void {
  if (context.datasets.catalog.findId(dataset.id) !== dataset) {
    throw new DatasetError('not-found', `The dataset ${dataset.name} was deleted meanwhile`);
  }
  const full = `${dataset.name}@${name}`;
  parseSnapshotName(full);
  if (context.lists.get(dataset.id)?.isTaken(name)) {
    throw new DatasetError('exists', `There is a snapshot ${full} already`);
  }
}

function checkRoom({ byUuid, snapshotsMax = SNAPSHOTS_MAX, datasets }: SnapshotContext, more: number): void {
  if (byUuid.size + more > snapshotsMax) {
    const message = `Cannot take a snapshot: a volume has at most ${snapshotsMax} snapshots`;
    throw new DatasetError('no-space', message);
  }
  checkDisk(datasets, 'take a snapshot');
}
