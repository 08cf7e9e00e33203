// What a stored map holds: the frames that it names, and its inline bytes.

import { decodeChunk } from './chunk-codec.ts';
import { type ChunkMap, EMPTY_MAP, framesOf, inlineBytes } from './chunk-map.ts';
import type { Frame } from './extent.ts';
import { DamageError, isWhiteout } from './versioned-value.ts';

/** A damaged map names nothing that could be freed: its frames stay, for `cairn check` to find, and the worker goes on. */
export function framesIn(value: Buffer | null): ReadonlyMap<number, Frame> {
  return framesOf(mapIn(value));
}

export function inlineBytesIn(value: Buffer): number {
  return inlineBytes(mapIn(value));
}

function mapIn(value: Buffer | null): ChunkMap {
  if (!value || isWhiteout(value)) return EMPTY_MAP;
  try {
    return decodeChunk(value);
  } catch (error) {
    if (error instanceof DamageError) return EMPTY_MAP;
    throw error;
  }
}
