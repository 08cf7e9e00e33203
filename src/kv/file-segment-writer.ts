// Appends to one segment file. Appends that wait while another is being written go out together, by reference, in one
// call; of what is large, the whole blocks go past the system's cache (direct-file.ts), and only what is before the
// first and behind the last of them through it. After a failure nothing behind the last good sync can be trusted, so
// everything more is refused.

import type { FileHandle } from 'node:fs/promises';
import { DIRECT_BLOCK_BYTES } from './direct-buffers.ts';
import type { DirectFile, DirectWrite } from './direct-file.ts';
import type { SegmentWriter } from './segment-store.ts';
import { SharedSync } from './shared-sync.ts';

interface Append {
  readonly offset: number;
  readonly buffers: readonly Buffer[];
  readonly seldomRead: boolean;
  resolve(offset: number): void;
  reject(error: unknown): void;
}

/** From here on the way past the cache is worth its copy. */
const DIRECT_BYTES_MIN = 256 << 10;
/**
 * So that the medium has the next one while this thread copies the one behind it. More would take all of the four threads
 * that the journal and cold reads need too.
 */
const DIRECT_WRITES_MAX = 2;

export interface WriterHooks {
  /** The second way into the file, undefined where there is none. */
  openDirectly(): Promise<DirectFile | undefined>;
  /** Makes the file's name durable. */
  syncDirectory(): Promise<void>;
  /** These bytes are in the system's cache. */
  cached(offset: number, length: number): void;
}

export class FileSegmentWriter implements SegmentWriter {
  readonly id: number;
  /** Where the next append lands: the bytes of all appends that were called, also of those still being written. */
  size = 0;
  readonly #file: FileHandle;
  readonly #hooks: WriterHooks;
  readonly #syncs = new SharedSync(() => this.#syncNow());
  #waiting: Append[] = [];
  #writing: Promise<void> | undefined;
  /** Settles when the sync that was asked for last has ended. */
  #syncing: Promise<void> | undefined;
  /** Null until something large is written. */
  #direct: Promise<DirectFile | undefined> | null = null;
  #writtenBytes = 0;
  #syncedBytes = 0;
  /** Begun by the first append, so that a sync seldom waits for it. */
  #naming: Promise<void> | undefined;
  #nameIsDurable = false;
  #failure: Error | undefined;
  #closed: Promise<void> | undefined;

  constructor(id: number, file: FileHandle, hooks: WriterHooks) {
    this.id = id;
    this.#file = file;
    this.#hooks = hooks;
  }

  async append(buffers: readonly Buffer[], seldomRead = false): Promise<number> {
    this.#check('append to');
    this.#naming ??= this.#makeNameDurable();
    const offset = this.size;
    for (const buffer of buffers) this.size += buffer.length;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ offset, buffers, seldomRead, resolve, reject });
      this.#writing ??= this.#writeWaiting();
    });
  }

  async sync(): Promise<void> {
    this.#check('sync');
    const synced = this.#syncs.run();
    this.#syncing = synced.catch(() => {});
    await synced;
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    await this.#writing;
    await this.#syncing;
    await (await this.#direct)?.close();
    await this.#file.close();
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const appends = this.#waiting;
      this.#waiting = [];
      try {
        this.#check('append to', true);
        await this.#write(appends);
        for (const { offset, resolve } of appends) resolve(offset);
      } catch (error) {
        this.#failure ??= error as Error;
        for (const { reject } of appends) reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #write(appends: readonly Append[]): Promise<void> {
    let rest = appends.flatMap(({ buffers }) => buffers).filter((buffer) => buffer.length > 0);
    if (lengthOf(rest) >= DIRECT_BYTES_MIN && appends.every(({ seldomRead }) => seldomRead)) {
      // Up to the first whole block.
      const odd = this.#writtenBytes % DIRECT_BLOCK_BYTES;
      if (odd > 0) rest = await this.#writeCached(rest, DIRECT_BLOCK_BYTES - odd);
      rest = await this.#writeDirectly(rest);
    }
    await this.#writeCached(rest, lengthOf(rest));
  }

  /** Writes so many bytes; returns what is behind them. */
  async #writeCached(buffers: readonly Buffer[], count: number): Promise<Buffer[]> {
    const start = this.#writtenBytes;
    const end = start + count;
    let rest = [...buffers];
    while (this.#writtenBytes < end) {
      const { bytesWritten } = await this.#file.writev(
        before(rest, end - this.#writtenBytes),
        this.#writtenBytes,
      );
      if (bytesWritten === 0)
        throw new Error(`Cannot append to segment ${this.id}: the system took no bytes`);
      this.#writtenBytes += bytesWritten;
      rest = behind(rest, bytesWritten);
    }
    this.#hooks.cached(start, count);
    return rest;
  }

  /** Writes whole blocks, all of them or as many as can be written so; returns what is behind them. */
  async #writeDirectly(buffers: readonly Buffer[]): Promise<Buffer[]> {
    this.#direct ??= this.#hooks.openDirectly();
    const direct = await this.#direct;
    if (!direct) return [...buffers];
    const start = this.#writtenBytes;
    const flying: DirectWrite[] = [];
    let begun = start;
    let rest = [...buffers];
    try {
      for (;;) {
        while (flying.length < DIRECT_WRITES_MAX) {
          const write = direct.begin(rest, begun);
          if (!write) break;
          flying.push(write);
          begun += write.bytes;
          rest = behind(rest, write.bytes);
        }
        const oldest = flying[0];
        if (!oldest) break;
        const written = await oldest.written;
        flying.shift();
        this.#writtenBytes += written;
        if (written < oldest.bytes) break;
      }
    } finally {
      // What flew behind a write that fell short is written again.
      await Promise.allSettled(flying.map(({ written }) => written));
    }
    return behind(buffers, this.#writtenBytes - start);
  }

  #makeNameDurable(): Promise<void> {
    const named = this.#hooks.syncDirectory();
    // It may fail before a sync waits for it.
    named.catch(() => {});
    return named;
  }

  async #syncNow(): Promise<void> {
    this.#check('sync', true);
    const writtenBytes = this.#writtenBytes;
    try {
      if (!this.#nameIsDurable) {
        this.#naming ??= this.#makeNameDurable();
        await Promise.all([this.#file.datasync(), this.#naming]);
        this.#nameIsDurable = true;
      } else if (writtenBytes > this.#syncedBytes) {
        await this.#file.datasync();
      }
      this.#syncedBytes = writtenBytes;
    } catch (error) {
      this.#failure ??= error as Error;
      throw error;
    }
  }

  #check(verb: string, closing = false): void {
    if (this.#closed && !closing) throw new Error(`Cannot ${verb} segment ${this.id}: its writer is closed`);
    if (this.#failure) {
      throw new Error(`Cannot ${verb} segment ${this.id}: an earlier write failed`, { cause: this.#failure });
    }
  }
}

/** What is left of the buffers behind their first `count` bytes. */
function behind(buffers: readonly Buffer[], count: number): Buffer[] {
  let first = 0;
  let skip = count;
  while (first < buffers.length && skip >= buffers[first]!.length) skip -= buffers[first++]!.length;
  const rest = buffers.slice(first);
  if (skip > 0) rest[0] = rest[0]!.subarray(skip);
  return rest;
}

/** The first `count` bytes of the buffers. */
function before(buffers: readonly Buffer[], count: number): Buffer[] {
  const first: Buffer[] = [];
  for (let left = count, at = 0; left > 0; at++) {
    const buffer = buffers[at]!;
    first.push(buffer.length > left ? buffer.subarray(0, left) : buffer);
    left -= buffer.length;
  }
  return first;
}

function lengthOf(buffers: readonly Buffer[]): number {
  let length = 0;
  for (const buffer of buffers) length += buffer.length;
  return length;
}
