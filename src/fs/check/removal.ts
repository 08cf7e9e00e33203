// What a repair takes out of a head that nothing leads to any more. It goes as an operation would take it: kept generations
// keep what they show, the counters follow, and data is left to the drain.

import { keys } from '../../kv/keys.ts';
import { PLAIN_ITEM, type VersionedKind } from '../item.ts';
import { keyId } from '../key-id.ts';
import type { Store } from '../store.ts';
import { TOMBSTONE_VALUE } from '../tombstone.ts';

export interface Removal {
  readonly tree: number;
  readonly kind: VersionedKind;
  readonly key: Buffer;
  /** Of an inode, what it counts for; `dataId` 0 where it has no data. */
  readonly inode?: { readonly dataId: number; readonly allocated: number };
}

/** What is staged here has to be durable before rows are rewritten: these say what is right after it. */
export function stageRemoval(store: Store, { tree: id, kind, key, inode }: Removal): void {
  const tree = store.trees.get(id)!;
  const rows = [];
  if (inode && inode.dataId > 0) {
    rows.push({ key: keys.tombstone.key(id, inode.dataId, tree.accept), value: TOMBSTONE_VALUE });
    tree.undrained.add(inode.dataId);
  }
  store.stage({
    ...PLAIN_ITEM,
    tree,
    generation: tree.accept,
    writes: [{ kind, key, id: keyId(key), value: null }],
    rows,
    usedBytes: -(inode?.allocated ?? 0),
    usedInodes: inode ? -1 : 0,
  });
}
