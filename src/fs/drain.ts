// Reclaims the chunks of data ids that files have given up: TOMBSTONE rows, in the background, a bounded batch at a time.
// It is resumed at start where a crash left it.

import { keys } from '../kv/keys.ts';
import { keyBehind } from '../kv/keyspace.ts';
import type { Row } from '../kv/meta-store.ts';
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
  const taken = [...store.trees.values()].map((tree) => ({ tree, dataIds: tree.undrained.take() }));
  // What is staged is not in a page. What comes later has a wake of its own.
  await store.durable(store.ticket);
  let drained = 0;
  for (const { tree, dataIds } of taken) {
    let isDone = false;
    try {
      for await (const tombstone of tombstonesOf(store, tree, dataIds)) {
        // A tree of which nothing is to stay takes its tombstones along.
        if (isStopped() || isGone(tree)) break;
        drained += await drain(store, tree, tombstone);
      }
      isDone = !isStopped();
    } finally {
      if (!isDone) tree.undrained.forget();
    }
  }
  return drained;
}

/** Those that are not drained. @param dataIds null: all that there are */
async function* tombstonesOf(
  store: Store,
  tree: Tree,
  dataIds: ReadonlySet<number> | null,
): AsyncGenerator<Buffer> {
  const ranges = dataIds
    ? [...dataIds].map((dataId) => keys.tombstone.range(tree.id, dataId))
    : [keys.tombstone.range(tree.id)];
  for (const { gte, lt } of ranges) {
    for (let from: Buffer | null = gte; from !== null; ) {
      const rows: Row[] = await store.page({ gte: from, lt }, TOMBSTONES_A_PAGE);
      for (const [key, value] of rows) if (!isDrained(value)) yield key;
      const last = rows.length < TOMBSTONES_A_PAGE ? undefined : rows.at(-1);
      from = last ? keyBehind(last[0]) : null;
    }
  }
}

async function drain(store: Store, tree: Tree, tombstone: Buffer): Promise<number> {
  const { dataId, death } = keys.tombstone.parse(tombstone);
  const { gte, lt } = keys.chunk.range(tree.id, dataId);
  let after = gte;
  let drained = 0;
  for (;;) {
    const rows = await store.page({ gte: after, lt }, CHUNKS_A_BATCH);
    // Its frames are freed with its old versions, which name the same ones: whatever is staged from here on frees twice.
    if (isGone(tree)) return drained;
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
    if (last) return drained;
    after = keyBehind(rows.at(-1)![0]);
  }
}

function isGone({ dropped, generations }: Tree): boolean {
  return dropped && generations.kept.length === 0;
}
