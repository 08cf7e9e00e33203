// The older versions of keys, for a batch that must know them: HISTORY is found by a range, and the worker's build does
// not wait. So they are read beforehand; what the batch itself does to them is kept up to date here.

import type { Eventual } from '../eventual.ts';
import { keys, versioned } from '../kv/keys.ts';
import type { MetaStore, Range, Row } from '../kv/meta-store.ts';
import { type QueuedItem, type VersionedKey, VersionedKind } from './item.ts';
import { keyId } from './key-id.ts';
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

/** Of keys read as one range, at most on the average: behind that each is read by itself. */
const ROWS_FOR_A_KEY = 4;

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
  const histories = new Map([...wanted.keys()].map((id) => [id, new Map<number, DeadVersion>()]));
  const [deaths] = await Promise.all([
    Promise.all(data.map(({ tree, dataId }) => readDeath(meta, tree, dataId))),
    ...runsOf(wanted.values()).map((run) => readRun(meta, run, histories)),
  ]);
  return {
    histories,
    deaths: new Map(data.map(({ tree, dataId }, at) => [dataKey(tree, dataId), deaths[at]])),
  };
}

/** When a data id died in a tree; undefined when it did not. */
export async function readDeath(meta: MetaStore, tree: number, dataId: number): Promise<number | undefined> {
  const [row] = await meta.page(keys.tombstone.range(tree, dataId), 1);
  return row && keys.tombstone.parse(row[0]).death;
}

/** By kind and tree. */
function runsOf(wanted: Iterable<VersionedKey | null>): VersionedKey[][] {
  const runs = new Map<string, VersionedKey[]>();
  for (const key of wanted) {
    if (!key) continue;
    const head = key.id.slice(0, KEY_HEAD_BYTES);
    const run = runs.get(head);
    if (run) run.push(key);
    else runs.set(head, [key]);
  }
  return [...runs.values()];
}

type FoundHistories = ReadonlyMap<string, Map<number, DeadVersion>>;

/** Sorts them. Neighbours, as most are, are read as one range: that costs as much as one key. */
async function readRun(meta: MetaStore, run: VersionedKey[], found: FoundHistories): Promise<void> {
  run.sort((one, other) => (one.id < other.id ? -1 : 1));
  const { gte } = historyOf(run[0]!);
  const { lt } = historyOf(run.at(-1)!);
  const limit = run.length * ROWS_FOR_A_KEY;
  const rows = await meta.page({ gte, lt }, limit);
  const last = rows.map((row) => take(row, found)).at(-1);
  if (last === undefined || rows.length < limit) return;
  const rest = run.filter(({ id }) => id >= last);
  await Promise.all(rest.map((key) => readHistory(meta, key, found)));
}

async function readHistory(meta: MetaStore, key: VersionedKey, found: FoundHistories): Promise<void> {
  for await (const row of meta.rows(historyOf(key))) take(row, found);
}

function historyOf({ kind, key }: VersionedKey): Range {
  return keys.history.range(key.readUInt32BE(1), kind, key.subarray(KEY_HEAD_BYTES));
}

/** @returns the id of the key of which it is a version */
function take([row, value]: Row, found: FoundHistories): string {
  const { tree, kind, rest, death } = keys.history.parse(row);
  const id = keyId(versioned.key(tree, kind, rest));
  found.get(id)?.set(death, { value, birth: birthOf(value) });
  return id;
}
