// What a clone inherits, key by key: the records that its fork shows, as they stand in the clone when they are its own.

import { keys, versioned } from '../../kv/keys.ts';
import { keyBehind, successor } from '../../kv/keyspace.ts';
import type { Range, Row } from '../../kv/meta-store.ts';
import { unpooledCopy } from '../../unpooled-copy.ts';
import { attempt } from '../attempt.ts';
import { decodeChunk, encodeChunk } from '../chunk-codec.ts';
import { inheritedMap } from '../chunk-map.ts';
import { decodeInode, encodeInode } from '../inode-codec.ts';
import { withFields } from '../inode-record.ts';
import { type FlatVersion, VersionedKind } from '../item.ts';
import { readDeath } from '../key-history.ts';
import { keyId } from '../key-id.ts';
import { shownPage, shownRows } from '../shown-rows.ts';
import type { Store } from '../store.ts';
import { verify } from '../versioned-value.ts';
import type { VersionsAt } from '../versions-at.ts';

const KEYS_A_PAGE = 64;
/** A view costs as much as a page to open, and while it is open the store keeps what has been overwritten since. */
const KEYS_A_VIEW = 4096;
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
    for await (const rows of shownPages(fork, kind)) {
      const alive = kind === VersionedKind.chunk ? await chunksAlive(store, fork, rows) : rows;
      const versions = alive.map(([row, value]): FlatVersion => {
        const { rest } = versioned.parse(row);
        verify(value, () => `a record of tree ${fork.treeId}`);
        const key = versioned.key(clone, kind, rest);
        return { kind, key, id: keyId(key), value: ownValue(kind, rest, value) };
      });
      if (versions.length > 0) yield versions;
    }
  }
}

/** What a kept generation shows stays the same, so a view may be old. */
async function* shownPages(fork: VersionsAt, kind: VersionedKind): AsyncGenerator<readonly Row[]> {
  for (let from: Buffer | null = NOTHING; from !== null; ) {
    const source = await attempt(() => fork.withoutBlanks());
    const view = shownRows(source, { kind, from, to: null });
    from = null;
    let shown = 0;
    let page: Row[] = [];
    for await (const [key, value] of view) {
      page.push([key, value]);
      if (page.length < KEYS_A_PAGE) continue;
      yield page;
      page = [];
      shown += KEYS_A_PAGE;
      if (shown < KEYS_A_VIEW) continue;
      from = behind(key);
      break;
    }
    if (page.length > 0) yield page;
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
    from = keyBehind(rows.at(-1)![0]);
  }
}

/**
 * Without those whose data was given up before the fork, and which a drain has not come to yet. When it does, the last
 * of them go together with the tombstone, so the range is looked at again behind the tombstones.
 */
async function chunksAlive(store: Store, fork: VersionsAt, rows: readonly Row[]): Promise<readonly Row[]> {
  const dataIds = new Set(rows.map(([row]) => keys.chunk.parse(row).dataId));
  const dead = new Set<number>();
  for (const dataId of dataIds) if (await isDead(store, fork, dataId)) dead.add(dataId);
  const from = versioned.parse(rows[0]![0]).rest;
  const range = { kind: VersionedKind.chunk, from, to: behind(rows.at(-1)![0]) };
  const still = await shownPage(fork, range, rows.length);
  return still.filter(([row]) => !dead.has(keys.chunk.parse(row).dataId));
}

/** What follows the tree in the first key behind this one and, in HISTORY, behind its deaths. */
function behind(key: Buffer): Buffer {
  return successor(versioned.parse(key).rest);
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
