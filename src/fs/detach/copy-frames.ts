// Owning one chunk key: what its versions inherit is copied, and it is staged that they name the copies.

import { keys } from '../../kv/keys.ts';
import { attempt } from '../attempt.ts';
import { encodeChunk } from '../chunk-codec.ts';
import { mapIn } from '../chunk-frames.ts';
import { framesOf } from '../chunk-map.ts';
import { type Frame, frameExtent } from '../extent.ts';
import { readExtents } from '../extent-reader.ts';
import { type OwnFrame, PLAIN_ITEM, VersionedKind } from '../item.ts';
import { KEY_HEAD_BYTES } from '../key-history.ts';
import { keyId } from '../key-id.ts';
import { chunkKey } from '../records.ts';
import type { SegmentLog } from '../segment-log.ts';
import type { Store } from '../store.ts';
import type { Tree } from '../tree.ts';
import { birthOf } from '../versioned-value.ts';
import { ownedMap } from './own-key.ts';

interface Inherited {
  readonly frame: Frame;
  /** Of the oldest version that names it. */
  readonly birth: number;
}

export interface OwnParts {
  readonly store: Store;
  readonly segmentLog: SegmentLog;
  readonly tree: Tree;
}

/** Copies of one key's frames, until they are staged. */
class FrameCopies {
  readonly copies = new Map<number, OwnFrame>();
  bytes = 0;
  private readonly parts: OwnParts;
  private readonly landings: (() => void)[] = [];

  constructor(parts: OwnParts) {
    this.parts = parts;
  }

  async add(key: Buffer, inherited: ReadonlyMap<number, Inherited>): Promise<void> {
    const { store, segmentLog, tree } = this.parts;
    const { dataId, window } = keys.chunk.parse(key);
    const missing = [...inherited].filter(([id]) => !this.copies.has(id));
    if (missing.length === 0) return;
    const sources = await Promise.all(
      missing.map(async ([, { frame, birth }]) => {
        const payload = await attempt(() => readExtents(store, [frameExtent(0, frame)]));
        return { tree: tree.id, dataId, window, birth, payload };
      }),
    );
    const { frames, landed } = await segmentLog.append(sources, true);
    this.landings.push(landed);
    for (const [at, [id, { frame }]] of missing.entries()) {
      this.copies.set(id, frames[at]!);
      this.bytes += frame.payloadBytes;
    }
  }

  landed(): void {
    for (const landed of this.landings) landed();
  }
}

/**
 * @returns the bytes that were copied
 * @throws FsError `EIO` when they cannot be read; what the write to a segment failed with
 */
export async function ownFrames(parts: OwnParts, key: Buffer): Promise<number> {
  const { store, tree } = parts;
  const copied = new FrameCopies(parts);
  let isStaged = false;
  try {
    while (!tree.dropped && !isStaged) {
      // The birth of a version that is staged is not known yet, and a copy has that of the oldest.
      while (store.isStaged(key)) await store.durable(store.ticket);
      const inherited = await inheritedFrames(store, key);
      if (inherited.size === 0) break;
      await copied.add(key, inherited);
      isStaged = await attempt(() => stageOwn(parts, key, copied));
    }
  } finally {
    if (!isStaged) copied.landed();
  }
  if (isStaged) await store.durable(store.ticket);
  return isStaged ? copied.bytes : 0;
}

/** Of all versions of a key, as the last applied batch left them. */
async function inheritedFrames(store: Store, key: Buffer): Promise<ReadonlyMap<number, Inherited>> {
  const history = keys.history.range(key.readUInt32BE(1), VersionedKind.chunk, key.subarray(KEY_HEAD_BYTES));
  const found = new Map<number, Inherited>();
  const look = (value: Buffer) => {
    for (const [id, frame] of framesOf(mapIn(value)))
      if (frame.inherited && !found.has(id)) found.set(id, { frame, birth: birthOf(value) });
  };
  for await (const [, value] of store.parts.meta.rows(history)) look(value);
  const live = await attempt(() => store.committed(key));
  if (live) look(live);
  return found;
}

/** False when the key was written meanwhile, so that more may be missing. In one turn. */
function stageOwn({ store, tree }: OwnParts, key: Buffer, copied: FrameCopies): boolean {
  if (tree.dropped || store.isStaged(key)) return false;
  const live = store.committed(key);
  const { copies } = copied;
  const map = live && mapIn(live);
  if (map && [...framesOf(map)].some(([id, { inherited }]) => inherited && !copies.has(id))) return false;
  const versioned = { kind: VersionedKind.chunk, key, id: keyId(key) };
  const owned = map && ownedMap(map, copies);
  const isLiveOwned = owned !== map;
  store.stage({
    ...PLAIN_ITEM,
    tree,
    generation: tree.accept,
    action: { kind: 'own', key: versioned, copies },
    // Operations go on from what is staged and cached.
    writes: owned && isLiveOwned ? [{ ...versioned, value: encodeChunk(owned) }] : [],
    rows: [],
    landed: () => copied.landed(),
  });
  if (owned && isLiveOwned) {
    const { dataId, window } = keys.chunk.parse(key);
    tree.chunks.set(chunkKey(dataId, window), owned);
  }
  return true;
}
