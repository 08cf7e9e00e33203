// A clone: a new dataset whose tree shows a kept generation until it has something of its own (DESIGN 3.2). It holds
// that generation, so neither end stops the other from being deleted. Without a snapshot to come from, one is kept that
// only the clone holds: nobody sees it, and it goes with the clone.

import { prepareDataset } from '../datasets/dataset-create.ts';
import type { DatasetEntry } from '../datasets/dataset-entry.ts';
import { DatasetError } from '../datasets/datasets.ts';
import { checkDatasetName } from '../datasets/names.ts';
import { withChanges } from '../datasets/properties.ts';
import { branchOf, stageInosOfClone } from '../fs/branch.ts';
import { treeHolder } from '../fs/holder.ts';
import { stageHold, stageRelease } from '../fs/holds.ts';
import { betweenShrinks, takeGeneration } from '../fs/take-generation.ts';
import type { Tree } from '../fs/tree.ts';
import { JOB_HOLDER } from '../fs/tree-rows.ts';
import { expiryAt } from './expiry.ts';
import type { SnapshotContext } from './snapshot-context.ts';
import { findSnapshot } from './snapshot-names.ts';
import type { CloneOptions } from './snapshots.ts';

interface Origin {
  readonly dataset: DatasetEntry;
  readonly tree: Tree;
  readonly generation: number;
  /** Of the snapshot, or of the dataset. */
  readonly uuid: string;
}

/** @param source a snapshot, or a dataset as it is now. @throws DatasetError */
export function cloneDataset(
  context: SnapshotContext,
  source: string,
  name: string,
  options: CloneOptions,
): Promise<DatasetEntry> {
  const { datasets, registry } = context;
  const dataset = source.includes('@') ? undefined : datasets.catalog.find(source);
  if (dataset) return context.locks.hold([dataset.id], () => cloneLive(context, dataset, name, options));
  return registry.change(() => stageClone(context, originOf(context, source), name, options));
}

async function cloneLive(
  context: SnapshotContext,
  dataset: DatasetEntry,
  name: string,
  options: CloneOptions,
): Promise<DatasetEntry> {
  const { shared, registry } = context;
  const { store } = shared;
  // What can be seen now is refused before anything is kept.
  checkDatasetName(name);
  if (registry.get(name)) throw new DatasetError('exists', `There is a dataset ${name} already`);
  const { tree } = dataset;
  const { generation, ready } = await betweenShrinks([tree], () => takeGeneration(shared, tree, JOB_HOLDER));
  let done = false;
  try {
    await ready;
    return await registry.change(() => {
      if (context.datasets.catalog.findId(dataset.id) !== dataset) {
        throw new DatasetError('not-found', `The dataset ${dataset.name} was deleted meanwhile`);
      }
      const origin = { dataset, tree, generation, uuid: dataset.record.uuid };
      const clone = stageClone(context, origin, name, options);
      stageRelease(store, tree, generation, JOB_HOLDER);
      done = true;
      return clone;
    });
  } finally {
    // After a crash here the next start lets it go.
    if (!done && !store.poisoned) stageRelease(store, tree, generation, JOB_HOLDER);
  }
}

/** @throws Wait; DatasetError; nothing is staged then */
function stageClone(
  { shared, datasets }: SnapshotContext,
  { dataset, tree, generation, uuid }: Origin,
  name: string,
  { ttlSeconds, properties = {} }: CloneOptions,
): DatasetEntry {
  const { store, clock } = shared;
  const expiresAt = ttlSeconds === undefined ? null : expiryAt(clock.now(), ttlSeconds);
  const branch = branchOf(store, { tree: tree.id, generation });
  const stage = prepareDataset(datasets, {
    name,
    properties: withChanges({}, properties),
    referencedBytes: branch.tree.usedBytes,
  });
  branch.stage();
  stageHold(store, tree, generation, treeHolder(branch.tree.id));
  const inos = stageInosOfClone(dataset.operations, datasets.nextId);
  return stage({ tree: branch.tree, inos }, { parentId: dataset.id, parentUuid: uuid, expiresAt });
}

function originOf(context: SnapshotContext, source: string): Origin {
  const { record, datasetId } = findSnapshot(context, source);
  const { tree, generation, uuid } = record;
  return {
    dataset: context.datasets.catalog.findId(datasetId)!,
    tree: context.shared.store.trees.get(tree)!,
    generation,
    uuid,
  };
}
