// The frames that a stored map names.

import { decodeChunk } from './chunk-codec.ts';
import { framesOf } from './chunk-map.ts';
import type { Frame } from './extent.ts';
import { DamageError, isWhiteout } from './versioned-value.ts';

const NO_FRAMES: ReadonlyMap<number, Frame> = new Map();

/** A damaged map names nothing that could be freed: its frames stay, for `cairn check` to find, and the worker goes on. */
export function framesIn(value: Buffer | null): ReadonlyMap<number, Frame> {
  if (!value || isWhiteout(value)) return NO_FRAMES;
  try {
    return framesOf(decodeChunk(value));
  } catch (error) {
    if (error instanceof DamageError) return NO_FRAMES;
    throw error;
  }
}
