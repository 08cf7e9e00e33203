// What a clone inherits, key by key: the records that its fork shows, as they stand in the clone when they are its own.

import { keys, versioned } from '../../kv/keys.ts';
import type { Range, Row } from '../../kv/meta-store.ts';
import { decodeChunk, encodeChunk } from '../chunk-codec.ts';
import { inheritedMap } from '../chunk-map.ts';
import { decodeInode, encodeInode } from '../inode-codec.ts';
import { withFields } from '../inode-record.ts';
import { type FlatVersion, VersionedKind } from '../item.ts';
import { readDeath } from '../key-history.ts';
import { keyId } from '../key-id.ts';
import type { KeyRange } from '../key-range.ts';
import { shownPage } from '../shown-rows.ts';
import type { Store } from '../store.ts';
import { unpooledCopy } from '../unpooled-copy.ts';
import { verify } from '../versioned-value.ts';
import type { VersionsAt } from '../versions-at.ts';

const KEYS_A_PAGE = 64;
const KINDS = [VersionedKind.inode, VersionedKind.entry, VersionedKind.link, VersionedKind.chunk] as const;
const NOTHING = Buffer.alloc(0);

/** In pages. @throws DamageError when a record cannot be read */
export async function* inheritedKeys(
  store: Store,
  fork: VersionsAt,
  clone: number,
  kinds: readonly VersionedKind[] = KINDS,
): AsyncGenerator<readonly FlatVersion[]> {
  for (const kind of kinds) {
    for (let from: Buffer | null = NOTHING; from !== null; ) {
      const rows = await shownPage(fork, { kind, from, to: null }, KEYS_A_PAGE);
      const last = rows.length < KEYS_A_PAGE ? undefined : rows.at(-1);
      const to: Buffer | null = last ? Buffer.concat([versioned.parse(last[0]).rest, Buffer.alloc(1)]) : null;
      const alive =
        kind === VersionedKind.chunk ? await chunksAlive(store, fork, rows, { kind, from, to }) : rows;
      const versions = alive.map(([row, value]): FlatVersion => {
        const { rest } = versioned.parse(row);
        verify(value, () => `a record of tree ${fork.treeId}`);
        const key = versioned.key(clone, kind, rest);
        return { kind, key, id: keyId(key), value: ownValue(kind, rest, value) };
      });
      if (versions.length > 0) yield versions;
      from = to;
    }
  }
}

/** All chunk keys of which a tree has versions, live or old, with the values of those. */
export async function* chunkKeys(store: Store, tree: number): AsyncGenerator<{ key: Buffer; value: Buffer }> {
  for await (const [key, value] of pages(store, keys.chunk.range(tree))) yield { key, value };
  for await (const [row, value] of pages(store, keys.history.range(tree, VersionedKind.chunk))) {
    const { rest } = keys.history.parse(row);
    yield { key: versioned.key(tree, VersionedKind.chunk, rest), value };
  }
}

async function* pages(store: Store, { gte, lt }: Range): AsyncGenerator<readonly [Buffer, Buffer]> {
  for (let from = gte; ; ) {
    const rows = await store.page({ gte: from, lt }, KEYS_A_PAGE);
    yield* rows;
    if (rows.length < KEYS_A_PAGE) return;
    from = Buffer.concat([rows.at(-1)![0], Buffer.alloc(1)]);
  }
}

/**
 * Without those whose data was given up before the fork, and which a drain has not come to yet. When it does, the last
 * of them go together with the tombstone, so the range is looked at again behind the tombstones.
 */
async function chunksAlive(
  store: Store,
  fork: VersionsAt,
  rows: readonly Row[],
  range: KeyRange,
): Promise<readonly Row[]> {
  if (rows.length === 0) return rows;
  const dataIds = new Set(rows.map(([row]) => keys.chunk.parse(row).dataId));
  const dead = new Set<number>();
  for (const dataId of dataIds) if (await isDead(store, fork, dataId)) dead.add(dataId);
  const still = await shownPage(fork, range, rows.length);
  return still.filter(([row]) => !dead.has(keys.chunk.parse(row).dataId));
}

async function isDead(store: Store, fork: VersionsAt, dataId: number): Promise<boolean> {
  for (let at: VersionsAt | null = fork; at !== null; at = at.parent) {
    const death = await readDeath(store.parts.meta, at.treeId, dataId);
    if (death !== undefined && death <= at.generation) return true;
  }
  return false;
}

/** Bytes of its own, because the commit worker seals them. Other datasets are not nested in a clone. */
function ownValue(kind: VersionedKind, rest: Buffer, value: Buffer): Buffer {
  if (kind === VersionedKind.chunk) return encodeChunk(inheritedMap(decodeChunk(value)));
  if (kind !== VersionedKind.inode) return unpooledCopy(value);
  const { ino } = keys.inode.parse(versioned.key(0, kind, rest));
  return encodeInode(withFields(decodeInode(ino, value), { mountedDataset: 0 }));
}
