// Bytes at an offset of one window of a file.

export interface WindowPiece {
  readonly offset: number;
  readonly data: Buffer;
}

/** Pieces of a file, ascending, cut at windows: by window number, at offsets in the window. */
export function windowPieces(
  pieces: readonly WindowPiece[],
  windowBytes: number,
): Map<number, WindowPiece[]> {
  const windows = new Map<number, WindowPiece[]>();
  for (const { offset, data } of pieces) {
    for (let at = 0; at < data.length; ) {
      const window = Math.floor((offset + at) / windowBytes);
      const start = offset + at - window * windowBytes;
      const length = Math.min(data.length - at, windowBytes - start);
      const piece = { offset: start, data: data.subarray(at, at + length) };
      const found = windows.get(window);
      if (found) found.push(piece);
      else windows.set(window, [piece]);
      at += length;
    }
  }
  return windows;
}

/** Two lists of pieces that do not overlap, as one that ascends. */
export function inOrder(a: readonly WindowPiece[], b: readonly WindowPiece[]): readonly WindowPiece[] {
  if (a.length === 0) return b;
  return [...a, ...b].sort((left, right) => left.offset - right.offset);
}

export function bytesOf(pieces: readonly WindowPiece[]): number {
  return pieces.reduce((sum, { data }) => sum + data.length, 0);
}
