// What a clone still inherits: the bytes that a detach would have to copy, as they are stored. Frames count once for each
// key, whichever of the clone's versions name them. Nothing but a look at every map tells: counters say what is shown,
// and of a frame that is half overwritten all is kept.

import { keys, versioned } from '../../kv/keys.ts';
import { attempt } from '../attempt.ts';
import { contentIn } from '../chunk-frames.ts';
import { FRAME_HEADER_BYTES } from '../frame.ts';
import { type FlatVersion, VersionedKind } from '../item.ts';
import { readDeath } from '../key-history.ts';
import type { Store } from '../store.ts';
import type { Tree } from '../tree.ts';
import { birthOf } from '../versioned-value.ts';
import { forkOf } from '../versions-at.ts';
import { inheritedKeys } from './inherited-keys.ts';

/**
 * As of the applied batches; what is written meanwhile makes it less.
 * @throws DamageError; the signal's reason
 */
export async function inheritedBytes(store: Store, tree: Tree, signal: AbortSignal): Promise<number> {
  const fork = forkOf(store, tree);
  if (!fork) return 0;
  let bytes = 0;
  for await (const versions of inheritedKeys(store, fork, tree.id, [VersionedKind.chunk])) {
    signal.throwIfAborted();
    for (const version of versions) bytes += await bytesOfKey(store, tree, version);
  }
  return bytes;
}

async function bytesOfKey(store: Store, tree: Tree, { key, value }: FlatVersion): Promise<number> {
  const own = await versionsOf(store, key);
  const oldest = own[0]
    ? birthOf(own[0])
    : await readDeath(store.parts.meta, tree.id, keys.chunk.parse(key).dataId);
  const firstKept = tree.generations.nextKept(-1);
  const isShown = oldest === undefined || (firstKept !== undefined && firstKept < oldest);
  const frames = new Map<number, number>();
  for (const version of isShown ? [value, ...own] : own)
    for (const [id, { inherited, storedBytes }] of contentIn(version).frames)
      if (inherited) frames.set(id, storedBytes + FRAME_HEADER_BYTES);
  let bytes = isShown ? contentIn(value).inlineBytes : 0;
  for (const stored of frames.values()) bytes += stored;
  return bytes;
}

/** The oldest first. */
async function versionsOf(store: Store, key: Buffer): Promise<Buffer[]> {
  const { tree, rest } = versioned.parse(key);
  const found: Buffer[] = [];
  for await (const [, value] of store.parts.meta.rows(keys.history.range(tree, VersionedKind.chunk, rest)))
    found.push(value);
  const live = await attempt(() => store.committed(key));
  return live ? [...found, live] : found;
}
