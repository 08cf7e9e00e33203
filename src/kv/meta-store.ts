// The metadata plane: ordered keys, one atomic batch, a durable barrier. `level`, `memory` and later a bucket-backed
// store implement it; test/kv/meta-store-contract.ts is what they must all do.

/** The key may exist, but telling needs I/O: ask {@link MetaStore.fetch}. Never returned by a wholly local store. */
export const NOT_RESIDENT: unique symbol = Symbol('not resident');

export type Write =
  | { readonly key: Buffer; readonly value: Buffer }
  /** Deletes the key; deleting an absent key is no error. */
  | { readonly key: Buffer; readonly value: null };

export type Row = readonly [key: Buffer, value: Buffer];

export interface Range {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

/** The medium does not give back what was written. */
export class MetaReadError extends Error {
  override readonly name = 'MetaReadError';
}

/** The medium does not take what is written, or LevelDB refuses to write on since it has met damage. */
export class MetaWriteError extends Error {
  override readonly name = 'MetaWriteError';
}

export interface MetaStore {
  /** The newest written value, in this turn. The caller must not change the bytes. @throws MetaReadError, as all reads */
  get(key: Buffer): Buffer | undefined | typeof NOT_RESIDENT;
  /** The values of `keys` in their order, as of the call; afterwards `get` of each is likely (not surely) resident. */
  fetch(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]>;
  /** At most `limit` rows in ascending key order, exactly as they were in the turn of the call. */
  page(range: Range, limit: number): Promise<Row[]>;
  /** Every row of the range in ascending key order, exactly as they were in the turn of the call. */
  rows(range: Range): AsyncIterable<Row>;
  /**
   * Applies all writes or none; a later write to the same key wins. Visible to `get` when it resolves (perhaps
   * earlier). With `durable` it resolves after the sync that covers it and every batch before it.
   * A rejection means that the store may have lost it: the caller must not go on writing.
   */
  write(batch: readonly Write[], durable: boolean): Promise<void>;
  /** Gives deleted space back; may take long, everything else goes on meanwhile. */
  compact(): Promise<void>;
  close(): Promise<void>;
}
