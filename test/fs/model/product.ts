// The modules of src/fs and src/datasets that hold state or whose classes are told apart by identity, from one folder: the source, or a
// patched copy of it. What only decodes bytes, a test takes from the source.

import { resolve } from 'node:path';

export interface Product {
  readonly attempt: typeof import('../../../src/fs/attempt.ts');
  readonly branch: typeof import('../../../src/fs/branch.ts');
  readonly detach: typeof import('../../../src/fs/detach/detach.ts');
  readonly droppedTrees: typeof import('../../../src/datasets/dropped-trees.ts');
  readonly extentReader: typeof import('../../../src/fs/extent-reader.ts');
  readonly fsError: typeof import('../../../src/fs/fs-error.ts');
  readonly keptFileSystem: typeof import('../../../src/fs/kept-file-system.ts');
  readonly openDataset: typeof import('../../../src/fs/open-dataset.ts');
  readonly pinnedGenerations: typeof import('../../../src/fs/pinned-generations.ts');
  readonly reclaimer: typeof import('../../../src/fs/reclaimer.ts');
  readonly segmentLog: typeof import('../../../src/fs/segment-log.ts');
  readonly rootDirectory: typeof import('../../../src/datasets/root-directory.ts');
  readonly store: typeof import('../../../src/fs/store.ts');
  readonly sweep: typeof import('../../../src/fs/sweep.ts');
  readonly takeGeneration: typeof import('../../../src/fs/take-generation.ts');
  readonly tree: typeof import('../../../src/fs/tree.ts');
  readonly treeRows: typeof import('../../../src/fs/tree-rows.ts');
  readonly turn: typeof import('../../../src/fs/turn.ts');
  readonly writeBack: typeof import('../../../src/fs/write-back.ts');
}

export const SOURCE = resolve(import.meta.dirname, '../../../src');

/** @param source a folder like src/ */
export async function loadProduct(source: string): Promise<Product> {
  const load = (name: string, folder = 'fs') => import(/* @vite-ignore */ `${source}/${folder}/${name}.ts`);
  return {
    attempt: await load('attempt'),
    branch: await load('branch'),
    detach: await load('detach/detach'),
    droppedTrees: await load('dropped-trees', 'datasets'),
    extentReader: await load('extent-reader'),
    fsError: await load('fs-error'),
    keptFileSystem: await load('kept-file-system'),
    openDataset: await load('open-dataset'),
    pinnedGenerations: await load('pinned-generations'),
    reclaimer: await load('reclaimer'),
    segmentLog: await load('segment-log'),
    rootDirectory: await load('root-directory', 'datasets'),
    store: await load('store'),
    sweep: await load('sweep'),
    takeGeneration: await load('take-generation'),
    tree: await load('tree'),
    treeRows: await load('tree-rows'),
    turn: await load('turn'),
    writeBack: await load('write-back'),
  };
}
