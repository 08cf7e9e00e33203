// The registry of snapshots as rows: one for each snapshot, and one for the list of each dataset that ever had one.

import { DamageError } from '../fs/versioned-value.ts';
import { keys } from '../kv/keys.ts';
import type { MetaStore, Write } from '../kv/meta-store.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import type { SnapshotList } from './snapshot-list.ts';
import {
  decodeList,
  decodeSnapshot,
  encodeList,
  encodeSnapshot,
  type ListRecord,
  type SnapshotRecord,
} from './snapshot-record.ts';

/** No snapshot has this id. */
const LIST_ID = 0;
export const FIRST_ID = 1;

export interface LoadedList {
  readonly list: ListRecord;
  /** By id. */
  readonly snapshots: ReadonlyMap<number, SnapshotRecord>;
}

export function snapshotRow({ datasetId, id, record }: SnapshotEntry): Write {
  return { key: keys.snapshot.key(datasetId, id), value: encodeSnapshot(record) };
}

export function snapshotRowWithout({ datasetId, id }: SnapshotEntry): Write {
  return { key: keys.snapshot.key(datasetId, id), value: null };
}

export function listRow({ datasetId }: SnapshotList, record: ListRecord): Write {
  return { key: keys.snapshot.key(datasetId, LIST_ID), value: encodeList(record) };
}

export function listRowWithout(datasetId: number): Write {
  return { key: keys.snapshot.key(datasetId, LIST_ID), value: null };
}

/** By dataset. @throws DamageError when a row cannot be read, or the rows contradict each other. */
export async function loadSnapshots(meta: MetaStore): Promise<Map<number, LoadedList>> {
  const lists = new Map<number, LoadedList & { readonly snapshots: Map<number, SnapshotRecord> }>();
  for await (const [key, value] of meta.rows(keys.snapshot.range())) {
    const { dataset, snapshot: id } = keys.snapshot.parse(key);
    if (id === LIST_ID) {
      const list = decodeList(`the list of snapshots of dataset ${dataset}`, value);
      lists.set(dataset, { list, snapshots: new Map() });
      continue;
    }
    const found = lists.get(dataset);
    if (!found || id >= found.list.nextId) {
      throw new DamageError(
        `Cannot read the snapshots: dataset ${dataset} has one of id ${id}, which is free`,
      );
    }
    found.snapshots.set(id, decodeSnapshot(`snapshot ${id} of dataset ${dataset}`, value));
  }
  return lists;
}
