// Keeping a generation that exists already, and letting it go. What is staged here is in one batch with all else that is
// staged in the same turn, so a hold and the row of whoever holds come and go together.

import { PLAIN_ITEM } from './item.ts';
import type { Store } from './store.ts';
import type { Tree } from './tree.ts';

/** The generation is somebody's already, or is being taken. */
export function stageHold(store: Store, tree: Tree, generation: number, holder: Buffer): void {
  store.holdsVersion++;
  store.stage({ ...PLAIN_ITEM, tree, generation, action: { kind: 'hold', holder }, rows: [] });
}

export function stageRelease(store: Store, tree: Tree, generation: number, holder: Buffer): void {
  store.holdsVersion++;
  store.stage({ ...PLAIN_ITEM, tree, generation, action: { kind: 'release', holder }, rows: [] });
}
