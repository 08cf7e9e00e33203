// Owning one key of a clone (DESIGN 3.2, Detach): in all versions of a chunk key, live and old, the frames that it
// inherits become copies of its own, one for each frame. By the commit worker; doing it again changes nothing. A copy
// that no version names by now is never named, so it needs no work.

import type { Batch } from '../batch.ts';
import { encodeChunk } from '../chunk-codec.ts';
import { mapIn } from '../chunk-frames.ts';
import type { ChunkMap } from '../chunk-map.ts';
import { frameId } from '../extent.ts';
import type { OwnFrame, VersionedKey } from '../item.ts';
import type { LiveFrames } from '../live-frames.ts';
import { accountVisit } from '../space-accounting.ts';
import type { Tree } from '../tree.ts';
import { NEVER, type Placed, versionsOf } from '../visit.ts';

export type Copies = ReadonlyMap<number, OwnFrame>;

export function ownKey(batch: Batch, live: LiveFrames, tree: Tree, key: VersionedKey, copies: Copies): void {
  const before = versionsOf(batch, key);
  const named = new Set<OwnFrame>();
  const after = before.map((version) => ownVersion(version, copies, named));
  for (const [at, version] of after.entries()) {
    if (version === before[at]) continue;
    const { death, value, birth } = version;
    if (death === NEVER) {
      batch.putVersion(key.id, key.key, value, birth);
    } else {
      batch.deleteHistory(tree, key, death);
      batch.putHistory(tree, key, death, { value, birth });
    }
  }
  for (const { named: frame } of named) live.set(batch, frame);
  accountVisit(batch, tree, before, after);
}

function ownVersion(version: Placed, copies: Copies, named: Set<OwnFrame>): Placed {
  const map = mapIn(version.value);
  const owned = ownedMap(map, copies, named);
  return owned === map ? version : { ...version, value: encodeChunk(owned) };
}

/** The same map when it inherits nothing of which there is a copy. */
export function ownedMap(map: ChunkMap, copies: Copies, named: Set<OwnFrame> = new Set()): ChunkMap {
  let isOwned = true;
  const owned = map.map((extent) => {
    const copy = extent.frame?.inherited && copies.get(frameId(extent.frame.segment, extent.frame.index));
    if (!copy || extent.frame === null) return extent;
    isOwned = false;
    named.add(copy);
    return { ...extent, frame: copy.frame };
  });
  return isOwned ? map : owned;
}
