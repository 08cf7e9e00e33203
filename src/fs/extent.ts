// A run of bytes in a window of file data: either the bytes themselves (*inline*), or a part of a *frame*, the run of
// bytes that one flush appended to a segment. Extents have any length and alignment, and several of one window may
// show parts of the same frame. Everything here is immutable.

/** Frames of one segment. On disk: never change. */
export const FRAME_INDEX_MAX = 2 ** 22 - 1;
/** With the index it fits a safe integer: {@link frameId}. */
export const SEGMENT_ID_MAX = 2 ** 31 - 1;

/** Whose bytes they are, and how to read them. (segment, index) is its identity for ever, wherever a repack moves it. */
export interface Frame {
  /** The segment it was first written to. */
  readonly segment: number;
  readonly index: number;
  /** Where its header begins in that segment. */
  readonly at: number;
  /** Bytes of file data in it. */
  readonly payloadBytes: number;
  /** What they take in the segment, compressed and sealed, without the header. */
  readonly storedBytes: number;
  /** On disk: never renumber. 0 = as they are. */
  readonly codec: number;
  /** 0 = not sealed. */
  readonly keyId: number;
  /** The generation that named it first. */
  readonly birth: number;
  /** Reached through the parent tree under the same key: not this tree's to free. */
  readonly inherited: boolean;
  /** One CRC32 for each block of the payload: see frame.ts. */
  readonly checksums: Buffer;
}

export interface InlineExtent {
  /** In the window. */
  readonly offset: number;
  readonly length: number;
  readonly data: Buffer;
  readonly frame: null;
  readonly skip: 0;
}

export interface FrameExtent {
  readonly offset: number;
  readonly length: number;
  readonly data: null;
  readonly frame: Frame;
  /** Where in the frame's payload it begins. */
  readonly skip: number;
}

export type Extent = InlineExtent | FrameExtent;

export function inlineExtent(offset: number, data: Buffer): InlineExtent {
  return { offset, length: data.length, data, frame: null, skip: 0 };
}

/** `skip` and `length` choose a part of the frame; all of it unless given. */
export function frameExtent(
  offset: number,
  frame: Frame,
  skip = 0,
  length = frame.payloadBytes - skip,
): FrameExtent {
  return { offset, length, data: null, frame, skip };
}

export function endOf(extent: Extent): number {
  return extent.offset + extent.length;
}

/** The part of an extent from `from` up to `to`, both offsets in the window. */
export function sliceExtent(extent: Extent, from: number, to: number): Extent {
  const { offset, length, data, frame, skip } = extent;
  if (from === offset && to === offset + length) return extent;
  if (frame === null) return inlineExtent(from, data.subarray(from - offset, to - offset));
  return frameExtent(from, frame, skip + from - offset, to - from);
}

/** One number for a frame's identity. */
export function frameId(segment: number, index: number): number {
  return segment * (FRAME_INDEX_MAX + 1) + index;
}
