// The second way into a segment's file: past the system's cache (O_DIRECT), for what is large.
//
// Why: bytes of large flushes are seldom read soon, because the client that wrote them has them. For each MiB the cache
// takes new memory and a copy, 3 ms on a machine that has to find the memory first, against 0.2 for the copy into one
// of our buffers (docs/performance.md).
//
// Only whole blocks behind all that was written are written here, and what is written again through the cache, behind a
// write that fell short, is written when no direct write is under way any more: the two ways never meet in a block at once.

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import {
  DIRECT_BLOCK_BYTES,
  DIRECT_BUFFER_BYTES,
  giveDirectBuffer,
  takeDirectBuffer,
} from './direct-buffers.ts';

/** A write that is under way. */
export interface DirectWrite {
  /** How many it is to write. */
  readonly bytes: number;
  /** How many it has written, a multiple of a block: fewer when the medium took fewer, 0 when it takes none this way. */
  readonly written: Promise<number>;
}

export class DirectFile {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Undefined where the system or the file system has no direct writes, or the file cannot be opened once more. */
  static async open(path: string): Promise<DirectFile | undefined> {
    const { O_DIRECT } = constants;
    if (O_DIRECT === undefined) return undefined;
    try {
      return new DirectFile(await open(path, constants.O_WRONLY | O_DIRECT));
    } catch {
      // What is wrong with the file, or with the number of files, shows on the other way.
      return undefined;
    }
  }

  /**
   * Begins to write the first bytes of the buffers, a multiple of a block; they are copied before this returns.
   *
   * @param offset a multiple of a block
   * @returns undefined when it cannot be done now: all room is in use, or there is less than a block
   */
  begin(buffers: readonly Buffer[], offset: number): DirectWrite | undefined {
    const room = takeDirectBuffer();
    if (!room) return undefined;
    const bytes = fill(room, buffers);
    const whole = bytes - (bytes % DIRECT_BLOCK_BYTES);
    if (whole === 0) {
      giveDirectBuffer(room);
      return undefined;
    }
    const written = this.#write(room, whole, offset);
    // It may fail while its caller still waits for the one before it.
    written.catch(() => {});
    return { bytes: whole, written };
  }

  async #write(room: Buffer, count: number, offset: number): Promise<number> {
    try {
      const { bytesWritten } = await this.#file.write(room, 0, count, offset);
      return bytesWritten - (bytesWritten % DIRECT_BLOCK_BYTES);
    } catch (error) {
      // The medium wants larger blocks.
      if ((error as NodeJS.ErrnoException).code === 'EINVAL') return 0;
      throw error;
    } finally {
      giveDirectBuffer(room);
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Copies from the buffers what fits; returns how many bytes. */
function fill(room: Buffer, buffers: readonly Buffer[]): number {
  let at = 0;
  for (const buffer of buffers) {
    at += buffer.copy(room, at);
    if (at === DIRECT_BUFFER_BYTES) break;
  }
  return at;
}
