// What a name means to commands that take a dataset or a snapshot.

import type { DatasetEntry } from '../datasets/dataset-entry.ts';
import type { DatasetRegistry } from '../datasets/registry.ts';
import type { Store } from '../fs/store.ts';
import type { Tree } from '../fs/tree.ts';
import type { SnapshotRegistry } from './snapshot-registry.ts';

export interface Source {
  readonly dataset: DatasetEntry;
  /** Null: the live dataset is meant. */
  readonly snapshot: { readonly tree: Tree; readonly generation: number } | null;
}

export interface SourceParts {
  readonly store: Store;
  readonly datasets: DatasetRegistry;
  readonly snapshots: SnapshotRegistry;
}

/** A dataset, `dataset@snapshot`, or a bare snapshot name that one dataset has. @throws DatasetError */
export function findSource({ store, datasets, snapshots }: SourceParts, name: string): Source {
  const { catalog } = datasets.context;
  const live = catalog.find(name);
  if (live) return { dataset: live, snapshot: null };
  const { datasetId, record } = snapshots.entry(name);
  const snapshot = { tree: store.trees.get(record.tree)!, generation: record.generation };
  return { dataset: catalog.findId(datasetId)!, snapshot };
}
