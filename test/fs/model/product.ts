// The modules of src/fs that hold state or whose classes are told apart by identity, from one folder: the source, or a
// patched copy of it. What only decodes bytes, a test takes from the source.

import { resolve } from 'node:path';

export interface Product {
  readonly attempt: typeof import('../../../src/fs/attempt.ts');
  readonly extentReader: typeof import('../../../src/fs/extent-reader.ts');
  readonly fsError: typeof import('../../../src/fs/fs-error.ts');
  readonly openDataset: typeof import('../../../src/fs/open-dataset.ts');
  readonly reclaimer: typeof import('../../../src/fs/reclaimer.ts');
  readonly segmentLog: typeof import('../../../src/fs/segment-log.ts');
  readonly store: typeof import('../../../src/fs/store.ts');
  readonly tree: typeof import('../../../src/fs/tree.ts');
  readonly treeRows: typeof import('../../../src/fs/tree-rows.ts');
  readonly turn: typeof import('../../../src/fs/turn.ts');
  readonly writeBack: typeof import('../../../src/fs/write-back.ts');
}

export const SOURCE = resolve(import.meta.dirname, '../../../src');

/** @param source a folder like src/ */
export async function loadProduct(source: string): Promise<Product> {
  const load = (name: string) => import(/* @vite-ignore */ `${source}/fs/${name}.ts`);
  return {
    attempt: await load('attempt'),
    extentReader: await load('extent-reader'),
    fsError: await load('fs-error'),
    openDataset: await load('open-dataset'),
    reclaimer: await load('reclaimer'),
    segmentLog: await load('segment-log'),
    store: await load('store'),
    tree: await load('tree'),
    treeRows: await load('tree-rows'),
    turn: await load('turn'),
    writeBack: await load('write-back'),
  };
}
