// The older versions of keys, for a batch that must know them: HISTORY is found by a range, and the worker's build does
// not wait. So they are read beforehand; what the batch itself does to them is kept up to date here.

import { keys } from '../kv/keys.ts';
import type { MetaStore } from '../kv/meta-store.ts';
import type { QueuedItem, VersionedKey, VersionedKind } from './item.ts';
import type { Tree } from './tree.ts';
import { birthOf } from './versioned-value.ts';

/** Bytes of a versioned key before the part that HISTORY and CHANGED repeat: family and tree. */
export const KEY_HEAD_BYTES = 5;

export interface DeadVersion {
  readonly value: Buffer;
  readonly birth: number;
}

/** By death. */
export type KeyHistory = Map<number, DeadVersion>;

/** The keys whose older versions a batch of these items needs: in a tree that is being swept all that it touches. */
export function keysWithHistory(items: readonly QueuedItem[]): readonly VersionedKey[] {
  const leaving = new Set<Tree>();
  const found = new Map<string, VersionedKey>();
  for (const { tree, action, writes } of items) {
    if (!tree) continue;
    if (action.kind === 'release') leaving.add(tree);
    if (action.kind === 'visit') for (const { key } of action.visits) found.set(key.id, key);
    if (writes.length > 0 && (leaving.has(tree) || tree.generations.leaving.length > 0))
      for (const write of writes) found.set(write.id, write);
  }
  return [...found.values()];
}

/** As the last applied batch left them. */
export async function readHistories(
  meta: MetaStore,
  wanted: readonly VersionedKey[],
): Promise<ReadonlyMap<string, KeyHistory>> {
  const histories = await Promise.all(wanted.map(({ kind, key }) => readHistory(meta, kind, key)));
  return new Map(wanted.map(({ id }, at) => [id, histories[at]!]));
}

async function readHistory(meta: MetaStore, kind: VersionedKind, key: Buffer): Promise<KeyHistory> {
  const history: KeyHistory = new Map();
  const range = keys.history.range(key.readUInt32BE(1), kind, key.subarray(KEY_HEAD_BYTES));
  for await (const [row, value] of meta.rows(range))
    history.set(keys.history.parse(row).death, { value, birth: birthOf(value) });
  return history;
}
