// Reads all of a frame and verifies it.

import { SegmentReadError } from '../../kv/segment-store.ts';
import type { Frame } from '../extent.ts';
import { FRAME_HEADER_BYTES, verifyBlocks } from '../frame.ts';
import { FsError } from '../fs-error.ts';
import type { FrameLocation } from '../live-frames.ts';
import type { Store } from '../store.ts';
import { DamageError } from '../versioned-value.ts';

/** What is wrong with a frame's bytes. */
export async function frameProblem(
  store: Store,
  { segment, at }: FrameLocation,
  frame: Frame,
): Promise<string | undefined> {
  try {
    const bytes = await store.parts.segments.read(segment, at + FRAME_HEADER_BYTES, frame.storedBytes);
    verifyBlocks(bytes, 0, frame.checksums, `frame ${frame.index} of segment ${frame.segment}`);
    return undefined;
  } catch (error) {
    if (error instanceof DamageError || error instanceof SegmentReadError || error instanceof FsError)
      return error.message;
    throw error;
  }
}
