// Puts a dataset's file system together over its head tree.

import type { Clock, Random } from '../clock.ts';
import { keys } from '../kv/keys.ts';
import { DatasetFileSystem } from './dataset-file-system.ts';
import { type NameCookie, nameCookie } from './name-cookie.ts';
import { type OperationContext, ROOT_INO } from './operation.ts';
import { Records } from './records.ts';
import type { Store } from './store.ts';
import type { Tree } from './tree.ts';
import type { WriteBack } from './write-back.ts';

/** What the datasets of a volume share. */
export interface SharedParts {
  readonly store: Store;
  readonly writeBack: WriteBack;
  readonly reclaimer: { wake(): void };
  readonly clock: Clock;
  readonly random: Random;
}

/** The row of a dataset's inode numbers, which go on where they were whatever tree is its head. */
export function inoSequenceName(dataset: number): string {
  return `next/ino/${dataset}`;
}

export function inoSequenceKey(dataset: number): Buffer {
  return keys.system.key(inoSequenceName(dataset));
}

/** @param storedInos the value at {@link inoSequenceKey} */
export function openDataset(
  shared: SharedParts,
  dataset: number,
  tree: Tree,
  storedInos: Buffer | undefined,
): { readonly fileSystem: DatasetFileSystem; readonly operations: OperationContext } {
  const { store, writeBack, reclaimer, clock, random } = shared;
  const operations: OperationContext = {
    datasetId: dataset,
    records: new Records(store, tree, cookieOf(store)),
    clock,
    random,
    inos: store.sequence(inoSequenceName(dataset), ROOT_INO + 1, storedInos),
    writeBack,
    reclaimer,
    reservesSnapshots: true,
    nests: () => true,
  };
  return { fileSystem: new DatasetFileSystem(operations), operations };
}

function cookieOf(store: Store): NameCookie {
  return nameCookie(store.parts.hashKey);
}
