// What a stored map holds: the frames that it names, and its inline bytes.

import { decodeChunk } from './chunk-codec.ts';
import { type ChunkMap, EMPTY_MAP, framesOf, inlineBytes } from './chunk-map.ts';
import type { Frame } from './extent.ts';
import { DamageError, isWhiteout } from './versioned-value.ts';

export interface ChunkContent {
  /** By frameId. */
  readonly frames: ReadonlyMap<number, Frame>;
  readonly inlineBytes: number;
}

export function contentOf(map: ChunkMap): ChunkContent {
  return { frames: framesOf(map), inlineBytes: inlineBytes(map) };
}

export function contentIn(value: Buffer): ChunkContent {
  return contentOf(mapIn(value));
}

export function framesIn(value: Buffer): ReadonlyMap<number, Frame> {
  return framesOf(mapIn(value));
}

/**
 * Empty for a whiteout. A damaged map names nothing that could be freed: its frames stay, for `cairn check` to find, and
 * the worker goes on.
 */
export function mapIn(value: Buffer): ChunkMap {
  if (isWhiteout(value)) return EMPTY_MAP;
  try {
    return decodeChunk(value);
  } catch (error) {
    if (error instanceof DamageError) return EMPTY_MAP;
    throw error;
  }
}
