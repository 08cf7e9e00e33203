// Puts the pieces of one window into as few frames as they fit in. A run of bytes that begins at a block of the file
// begins at a block of its frame whenever the pieces before it allow, so that a read of whole blocks verifies no more.

import { type Frame, type FrameExtent, frameExtent } from './extent.ts';
import { PAYLOAD_BYTES_MAX } from './frame.ts';
import type { WindowPiece } from './window-piece.ts';

/** A run of a frame's payload and where it shows in the window. */
interface Part {
  readonly offset: number;
  readonly skip: number;
  readonly length: number;
}

export interface PackedFrame {
  readonly payload: readonly Buffer[];
  readonly parts: readonly Part[];
}

/** `pieces` ascend and do not overlap. */
export function packFrames(pieces: readonly WindowPiece[]): PackedFrame[] {
  const frames: PackedFrame[] = [];
  let payload: Buffer[] = [];
  let parts: Part[] = [];
  let bytes = 0;
  for (const { offset, data } of pieces) {
    for (let at = 0; at < data.length; ) {
      const length = Math.min(data.length - at, PAYLOAD_BYTES_MAX - bytes);
      payload.push(data.subarray(at, at + length));
      addPart(parts, { offset: offset + at, skip: bytes, length });
      at += length;
      bytes += length;
      if (bytes < PAYLOAD_BYTES_MAX) continue;
      frames.push({ payload, parts });
      payload = [];
      parts = [];
      bytes = 0;
    }
  }
  if (bytes > 0) frames.push({ payload, parts });
  return frames;
}

/** What of a packed frame shows in `pieces`, which are a subset of those it was packed from. */
export function shownExtents(
  packed: PackedFrame,
  frame: Frame,
  pieces: readonly WindowPiece[],
): FrameExtent[] {
  const extents: FrameExtent[] = [];
  let next = 0;
  for (const part of packed.parts) {
    const end = part.offset + part.length;
    while (next < pieces.length && pieces[next]!.offset + pieces[next]!.data.length <= part.offset) next++;
    for (let at = next; at < pieces.length && pieces[at]!.offset < end; at++) {
      const { offset, data } = pieces[at]!;
      const from = Math.max(offset, part.offset);
      const to = Math.min(offset + data.length, end);
      const last = extents.at(-1);
      const skip = part.skip + from - part.offset;
      // Pieces side by side that stand side by side in the frame are one extent.
      if (last && last.offset + last.length === from && last.skip + last.length === skip) {
        extents[extents.length - 1] = frameExtent(last.offset, frame, last.skip, to - last.offset);
      } else {
        extents.push(frameExtent(from, frame, skip, to - from));
      }
    }
  }
  return extents;
}

function addPart(parts: Part[], part: Part): void {
  const last = parts.at(-1);
  if (last && last.offset + last.length === part.offset) {
    parts[parts.length - 1] = { ...last, length: last.length + part.length };
  } else {
    parts.push(part);
  }
}
