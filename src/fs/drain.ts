// Reclaims the chunks of data ids that files have given up: TOMBSTONE rows, in the background, a bounded batch at a time.
// It is resumed at start where a crash left it.

import { keys } from '../kv/keys.ts';
import { chunkDrop } from './chunk-drop.ts';
import { PLAIN_ITEM } from './item.ts';
import type { Store } from './store.ts';
import { DRAINED_TOMBSTONE_VALUE, isDrained } from './tombstone.ts';
import type { Tree } from './tree.ts';
import { isWhiteout } from './versioned-value.ts';

const CHUNKS_A_BATCH = 64;
const TOMBSTONES_A_PAGE = 256;

/** @returns how many chunks and tombstones went */
export async function drainTombstones(store: Store, isStopped: () => boolean): Promise<number> {
  let drained = 0;
  let after = keys.tombstone.range().gte;
  while (!isStopped()) {
    // What is staged is not in a page; its own wake comes after it is applied.
    const rows = await store.page({ gte: after, lt: keys.tombstone.range().lt }, TOMBSTONES_A_PAGE);
    for (const [key, value] of rows) {
      if (isStopped()) return drained;
      if (isDrained(value)) continue;
      const { tree: id, dataId, death } = keys.tombstone.parse(key);
      const tree = store.trees.get(id);
      // A tree of which nothing is to stay takes its tombstones along.
      if (tree && !isGone(tree)) drained += await drain(store, tree, key, { dataId, death });
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
  const { gte, lt } = keys.chunk.range(tree.id, dataId);
  let after = gte;
  let drained = 0;
  for (;;) {
    const rows = await store.page({ gte: after, lt }, CHUNKS_A_BATCH);
    const last = rows.length < CHUNKS_A_BATCH;
    // Whiteouts stay: a kept generation may need them, and they name nothing.
    const drop = chunkDrop(rows.filter(([, value]) => !isWhiteout(value)));
    if (last) drop.rows.push({ key: tombstone, value: tree.parent ? DRAINED_TOMBSTONE_VALUE : null });
    const ticket = store.stage({
      ...PLAIN_ITEM,
      tree,
      generation: tree.accept,
      action: { kind: 'drain', death },
      writes: drop.writes,
      rows: drop.rows,
    });
    drained += rows.length + 1;
    await store.durable(ticket);
    if (last || isGone(tree)) return drained;
    after = Buffer.concat([rows.at(-1)![0], Buffer.alloc(1)]);
  }
}

function isGone({ dropped, generations }: Tree): boolean {
  return dropped && generations.kept.length === 0;
}
