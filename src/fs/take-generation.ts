// Keeping a tree as it is (DESIGN 3.2, "Snapshot is two items"). The first item takes its place in the queue here; the
// caller stages the second, with what makes the generation somebody's, once `ready` says that it is complete.

import { Deferred } from '../deferred.ts';
import type { Eventual } from '../eventual.ts';
import { PLAIN_ITEM } from './item.ts';
import type { SharedParts } from './open-dataset.ts';
import type { Store } from './store.ts';
import type { Tree } from './tree.ts';

export interface TakenGeneration {
  readonly generation: number;
  /** Everything accepted before is durable: the generation may be looked at. @throws FsError `EIO` when that cannot be */
  readonly ready: Promise<void>;
}

/**
 * Does `take` when no file of the trees is on its way to a smaller size by steps, for a generation would show that for
 * ever: those under way are waited for, others begin behind `take`. What holds an inode never waits for those who wait
 * here, and once all that were under way are through nobody holds one.
 */
export async function betweenShrinks<T>(trees: readonly Tree[], take: () => Eventual<T>): Promise<T> {
  const done = new Deferred();
  for (const { pauses } of trees) pauses.add(done.promise);
  try {
    const held = trees.flatMap((tree) => [...tree.held.values()]);
    if (held.length > 0) await Promise.all(held);
    return await take();
  } finally {
    for (const { pauses } of trees) pauses.delete(done.promise);
    done.resolve();
  }
}

/**
 * Keeps everything that the tree has accepted; what it accepts after this turn is in the next generation.
 * @param holder who keeps it until `ready`: 1 to 255 bytes
 */
export function takeGeneration(
  { store, writeBack }: Pick<SharedParts, 'store' | 'writeBack'>,
  tree: Tree,
  holder: Buffer,
): TakenGeneration {
  const generation = stageKeep(store, tree, holder);
  const flushed = async () => {
    await writeBack.flushAll(tree, generation + 1);
    await store.durable(store.ticket);
  };
  return { generation, ready: flushed() };
}

/**
 * The first item alone: the generation is complete where nothing waits in memory for the tree, or will never be flushed.
 *
 * @returns the generation that is kept
 */
export function stageKeep(store: Store, tree: Tree, holder: Buffer): number {
  const generation = tree.accept;
  store.stage({ ...PLAIN_ITEM, tree, generation, action: { kind: 'keep', holder }, rows: [] });
  tree.accept = generation + 1;
  return generation;
}
