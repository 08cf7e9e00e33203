// The data plane: numbered append-only segments. A segment is written by one writer from its creation on, never
// reopened for writing after a restart (a torn tail may lie behind its last durable frame), and deleted whole.
// test/kv/segment-store-contract.ts is what every implementation must do.

import type { Eventual } from '../eventual.ts';

export interface SegmentWriter {
  readonly id: number;
  /** Bytes appended so far; the next append lands here. */
  readonly size: number;
  /**
   * Appends the buffers in order and resolves with the offset of the first byte. They are not durable yet.
   *
   * @param seldomRead they need not be kept in memory for readers
   */
  append(buffers: readonly Buffer[], seldomRead?: boolean): Promise<number>;
  /**
   * Everything whose append had resolved before this call is durable, as is the segment's name. Calls that overlap
   * share one sync. After a rejection nothing more may be trusted behind the last good sync: close it.
   */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface SegmentStore {
  /** Makes a new, empty segment; the id was never used before. */
  create(id: number): Promise<SegmentWriter>;
  /**
   * Exactly `length` bytes at `offset` of a segment, also of one still being written. In this turn when they are
   * likely in memory, else as a promise. Throws or rejects with {@link SegmentReadError} when there are fewer.
   */
  read(id: number, offset: number, length: number): Eventual<Buffer>;
  /** Sizes in bytes of every segment there is. */
  list(): Promise<ReadonlyMap<number, number>>;
  /** Gone and, after a restart too, not listed; deleting an absent one is no error. */
  delete(id: number): Promise<void>;
  /** Bytes the medium could still take; Infinity when unknown. */
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}

export class SegmentReadError extends Error {
  override readonly name = 'SegmentReadError';
}
