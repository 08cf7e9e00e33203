// Where repacked frames are now, decoded and kept: a row holds 64 places, and to fetch, check and decode it for each read
// of a repacked file cost four times the read (random 4 KiB: 16 against 60 us).

import { keys } from '../kv/keys.ts';
import { type ForwardRecord, type FramePlace, forwardBlock, forwardIn, placeOf } from './forward-record.ts';
import { keyId } from './key-id.ts';
import { CachePool, TwoGenerationCache } from './two-generation-cache.ts';

/** Rows, of 5 KiB in memory: the frames of 8 GiB of large files. */
const ROWS_MAX = 1024;

export class ForwardedPlaces {
  private readonly rows = new TwoGenerationCache<string, ForwardRecord>(new CachePool(ROWS_MAX));

  /**
   * Undefined for a frame that never moved.
   * @param read a row as of the applied batches; may end the attempt with Wait
   */
  placeOf(segment: number, index: number, read: (key: Buffer) => Buffer | undefined): FramePlace | undefined {
    const key = keys.forward.key(segment, forwardBlock(index));
    const id = keyId(key);
    let row = this.rows.get(id);
    if (!row) {
      row = forwardIn(read(key));
      this.rows.set(id, row);
    }
    return placeOf(row, index);
  }

  /** These rows were written anew: their keys as {@link keyId} gives them. */
  forget(rows: Iterable<string>): void {
    for (const id of rows) this.rows.delete(id);
  }
}
