// Reclaims the chunks of data ids that files have given up: TOMBSTONE rows, in the background, a bounded batch at a time.
// It is resumed at start where a crash left it.

import { keys } from '../kv/keys.ts';
import { chunkDrop } from './chunk-drop.ts';
import { PLAIN_ITEM } from './item.ts';
import type { Store } from './store.ts';
import type { Tree } from './tree.ts';

const CHUNKS_A_BATCH = 64;
const TOMBSTONES_A_PAGE = 256;

/** @returns how many chunks and tombstones went */
export async function drainTombstones(store: Store, isStopped: () => boolean): Promise<number> {
  let drained = 0;
  let after = keys.tombstone.range().gte;
  while (!isStopped()) {
    // What is staged is not in a page; its own wake comes after it is applied.
    const rows = await store.page({ gte: after, lt: keys.tombstone.range().lt }, TOMBSTONES_A_PAGE);
    for (const [key] of rows) {
      if (isStopped()) return drained;
      const { tree: id, dataId, death } = keys.tombstone.parse(key);
      const tree = store.trees.get(id);
      // A tree that was given up takes its tombstones along.
      if (tree && !tree.dropped) drained += await drain(store, tree, key, { dataId, death });
    }
    const last = rows.at(-1);
    if (!last || rows.length < TOMBSTONES_A_PAGE) return drained;
    after = Buffer.concat([last[0], Buffer.alloc(1)]);
  }
  return drained;
}

async function drain(
  store: Store,
  tree: Tree,
  tombstone: Buffer,
  { dataId, death }: { readonly dataId: number; readonly death: number },
): Promise<number> {
  let drained = 0;
  for (;;) {
    const rows = await store.page(keys.chunk.range(tree.id, dataId), CHUNKS_A_BATCH);
    const drop = chunkDrop(rows);
    const last = rows.length < CHUNKS_A_BATCH;
    const ticket = store.stage({
      ...PLAIN_ITEM,
      tree,
      generation: tree.accept,
      action: { kind: 'drain', death },
      writes: drop.writes,
      rows: last ? [...drop.rows, { key: tombstone, value: null }] : drop.rows,
    });
    drained += rows.length + 1;
    await store.durable(ticket);
    if (last || tree.dropped) return drained;
  }
}
