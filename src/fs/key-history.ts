// The older versions of keys, for a batch that must know them: HISTORY is found by a range, and the worker's build does
// not wait. So they are read beforehand; what the batch itself does to them is kept up to date here.

import type { Eventual } from '../eventual.ts';
import { keys } from '../kv/keys.ts';
import type { MetaStore } from '../kv/meta-store.ts';
import { type QueuedItem, type VersionedKey, VersionedKind } from './item.ts';
import type { Tree } from './tree.ts';
import { birthOf } from './versioned-value.ts';

/** Bytes of a versioned key before the part that HISTORY and CHANGED repeat: family and tree. */
export const KEY_HEAD_BYTES = 5;

export interface DeadVersion {
  readonly value: Buffer;
  readonly birth: number;
}

/** By death. */
export type KeyHistory = ReadonlyMap<number, DeadVersion>;

const NO_HISTORY: KeyHistory = new Map();

/** What of the past a batch needs. */
export interface OlderVersions {
  /** By the key's id. */
  readonly histories: ReadonlyMap<string, KeyHistory>;
  /** When data ids died, by {@link dataKey}; undefined for those that live. */
  readonly deaths: ReadonlyMap<string, number | undefined>;
}

const NOTHING_OLDER: OlderVersions = { histories: new Map(), deaths: new Map() };

export function dataKey(tree: number, dataId: number): string {
  return `${tree}/${dataId}`;
}

/** As the last applied batch left it; at once when a batch of these items needs nothing of the past. */
export function olderVersionsFor(meta: MetaStore, items: readonly QueuedItem[]): Eventual<OlderVersions> {
  const wanted = keysWithHistory(items);
  return wanted.size > 0 ? readOlder(meta, wanted, dataWithDeath(items)) : NOTHING_OLDER;
}

/**
 * By their ids; null when the tree keeps nothing, so that there is nothing to read. In a tree that is being swept the
 * worker looks at the past of all that it touches.
 */
function keysWithHistory(items: readonly QueuedItem[]): ReadonlyMap<string, VersionedKey | null> {
  const leaving = new Set<Tree>();
  const found = new Map<string, VersionedKey | null>();
  for (const { tree, action, writes } of items) {
    if (!tree) continue;
    if (action.kind === 'release' || action.kind === 'orphan') leaving.add(tree);
    if (action.kind === 'flatten')
      for (const version of action.versions) found.set(version.id, hasPast(tree) ? version : null);
    if (action.kind === 'own') found.set(action.key.id, action.key);
    if (action.kind === 'visit') for (const { key } of action.visits) found.set(key.id, key);
    if (writes.length > 0 && (leaving.has(tree) || tree.generations.leaving.length > 0))
      for (const write of writes) found.set(write.id, write);
  }
  return found;
}

function hasPast({ generations }: Tree): boolean {
  return generations.kept.length > 0 || generations.leaving.length > 0;
}

function dataWithDeath(items: readonly QueuedItem[]): readonly DataOfTree[] {
  return items.flatMap(({ tree, action }) => {
    if (!tree || action.kind !== 'flatten') return [];
    const chunks = action.versions.filter(({ kind }) => kind === VersionedKind.chunk);
    const dataIds = new Set(chunks.map(({ key }) => keys.chunk.parse(key).dataId));
    return [...dataIds].map((dataId) => ({ tree: tree.id, dataId }));
  });
}

interface DataOfTree {
  readonly tree: number;
  readonly dataId: number;
}

async function readOlder(
  meta: MetaStore,
  wanted: ReadonlyMap<string, VersionedKey | null>,
  data: readonly DataOfTree[],
): Promise<OlderVersions> {
  const [histories, deaths] = await Promise.all([
    Promise.all([...wanted.values()].map((key) => (key ? readHistory(meta, key) : NO_HISTORY))),
    Promise.all(data.map(({ tree, dataId }) => readDeath(meta, tree, dataId))),
  ]);
  return {
    histories: new Map([...wanted.keys()].map((id, at) => [id, histories[at]!])),
    deaths: new Map(data.map(({ tree, dataId }, at) => [dataKey(tree, dataId), deaths[at]])),
  };
}

/** When a data id died in a tree; undefined when it did not. */
export async function readDeath(meta: MetaStore, tree: number, dataId: number): Promise<number | undefined> {
  const [row] = await meta.page(keys.tombstone.range(tree, dataId), 1);
  return row && keys.tombstone.parse(row[0]).death;
}

async function readHistory(meta: MetaStore, { kind, key }: VersionedKey): Promise<KeyHistory> {
  const history = new Map<number, DeadVersion>();
  const range = keys.history.range(key.readUInt32BE(1), kind, key.subarray(KEY_HEAD_BYTES));
  for await (const [row, value] of meta.rows(range))
    history.set(keys.history.parse(row).death, { value, birth: birthOf(value) });
  return history;
}
