// Deleting chunks in the background, of data that no file refers to any more.

import type { Row, Write } from '../kv/meta-store.ts';
import { VersionedKind, type VersionedWrite } from './item.ts';
import { keyId } from './key-id.ts';
import { isDamaged } from './versioned-value.ts';

export interface ChunkDrop {
  /** As versions, for the worker frees the frames that they name. */
  readonly writes: VersionedWrite[];
  /**
   * What is damaged goes without a look at it: the worker could not tell its frames and would have to stop, now and
   * after every start. They stay until a check of the volume finds that nothing names them.
   */
  readonly rows: Write[];
}

export function chunkDrop(chunks: readonly Row[]): ChunkDrop {
  const writes: VersionedWrite[] = [];
  const rows: Write[] = [];
  for (const [key, value] of chunks) {
    if (isDamaged(value)) rows.push({ key, value: null });
    else writes.push({ kind: VersionedKind.chunk, key, id: keyId(key), value: null });
  }
  return { writes, rows };
}
