// A SegmentStore in a directory: one file per segment, named by its id in 16 hex digits with `.seg`. Other files in the
// directory are left alone.
//
// A read is done in the turn of the call when its bytes are likely in the system's memory (4 KiB take 1.2 µs, a trip to
// the thread pool 13-17), else in the thread pool, widened to whole regions so that the next read there is of the first
// kind.

import { readSync, readv } from 'node:fs';
import { type FileHandle, open, readdir, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Eventual } from '../eventual.ts';
import { lentBuffers } from '../lent-buffers.ts';
import { DirectFile } from './direct-file.ts';
import { FileSegmentWriter } from './file-segment-writer.ts';
import { ignoreAbsent } from './ignore-absent.ts';
import { type OpenFile, SegmentFiles } from './segment-files.ts';
import { SegmentReadError, type SegmentStore, type SegmentWriter } from './segment-store.ts';
import { SharedSync } from './shared-sync.ts';
import { WARM_REGION_BYTES, WarmRegions } from './warm-regions.ts';

export interface FileSegmentSettings {
  /** Bytes of the segments that the system is trusted to keep in memory: a quarter of the machine's is a fair guess. */
  readonly warmBytesMax: number;
  /** Files that are kept open for reading. */
  readonly openFilesMax?: number;
}

const OPEN_FILES_MAX = 128;
/** A longer read always goes to the thread pool: copying it would hold up every other call. */
const READ_NOW_BYTES_MAX = 1 << 20;
const NAME = /^([0-9a-f]{16})\.seg$/;
/** Takes the bytes that a widened read brings beside those asked for. Nobody looks at them. */
const ignored = Buffer.allocUnsafeSlow(WARM_REGION_BYTES);
const readvLater = promisify(readv);

export function segmentFileName(id: number): string {
  return `${id.toString(16).padStart(16, '0')}.seg`;
}

export class FileSegmentStore implements SegmentStore {
  readonly #path: string;
  readonly #directory: FileHandle;
  readonly #directorySyncs: SharedSync;
  readonly #files: SegmentFiles;
  readonly #warm: WarmRegions;

  private constructor(path: string, directory: FileHandle, settings: FileSegmentSettings) {
    this.#path = path;
    this.#directory = directory;
    this.#directorySyncs = new SharedSync(() => directory.sync());
    this.#files = new SegmentFiles((id) => this.#pathOf(id), settings.openFilesMax ?? OPEN_FILES_MAX);
    this.#warm = new WarmRegions(settings.warmBytesMax);
  }

  /** The directory exists. */
  static async open(path: string, settings: FileSegmentSettings): Promise<FileSegmentStore> {
    return new FileSegmentStore(path, await open(path, 'r'), settings);
  }

  async create(id: number): Promise<SegmentWriter> {
    let file: FileHandle;
    try {
      file = await open(this.#pathOf(id), 'wx', 0o600);
    } catch (cause) {
      throw new Error(`Cannot create segment ${id}: ${(cause as Error).message}`, { cause });
    }
    return new FileSegmentWriter(id, file, {
      syncDirectory: () => this.#directorySyncs.run(),
      openDirectly: () => DirectFile.open(this.#pathOf(id)),
      cached: (offset, length) => this.#warm.add(id, offset, length),
    });
  }

  read(id: number, offset: number, length: number): Eventual<Buffer> {
    if (length === 0) return Buffer.alloc(0);
    let file: OpenFile;
    try {
      file = this.#files.acquire(id);
    } catch (cause) {
      throw failure({ id, offset, length }, (cause as Error).message, cause);
    }
    if (length > READ_NOW_BYTES_MAX || !this.#warm.has(id, offset, length)) {
      return this.#readLater(file, id, offset, length);
    }
    try {
      return readNow(file, id, offset, length);
    } finally {
      this.#files.release(file);
    }
  }

  async list(): Promise<ReadonlyMap<number, number>> {
    const sizes = new Map<number, number>();
    for (const name of await readdir(this.#path)) {
      const digits = NAME.exec(name)?.[1];
      if (!digits) continue;
      const found = await stat(join(this.#path, name)).catch(ignoreAbsent);
      if (found) sizes.set(Number.parseInt(digits, 16), found.size);
    }
    return sizes;
  }

  async delete(id: number): Promise<void> {
    this.#files.forget(id);
    await unlink(this.#pathOf(id)).catch(ignoreAbsent);
    await this.#directorySyncs.run();
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#path);
    return bavail * bsize;
  }

  async close(): Promise<void> {
    this.#files.forgetAll();
    await this.#directory.close();
  }

  #pathOf(id: number): string {
    return join(this.#path, segmentFileName(id));
  }

  async #readLater(file: OpenFile, id: number, offset: number, length: number): Promise<Buffer> {
    const bytes = lentBuffers.take(length);
    const before = offset % WARM_REGION_BYTES;
    const behind = WARM_REGION_BYTES - 1 - ((offset + length - 1) % WARM_REGION_BYTES);
    const widened = [ignored.subarray(0, before), bytes, ignored.subarray(0, behind)];
    let bytesRead: number;
    try {
      ({ bytesRead } = await readvLater(file.fd, widened, offset - before));
    } catch (cause) {
      throw failure({ id, offset, length }, (cause as Error).message, cause);
    } finally {
      this.#files.release(file);
    }
    if (bytesRead < before + length) throw tooShort({ id, offset, length });
    this.#warm.add(id, offset, length);
    return bytes;
  }
}

function readNow(file: OpenFile, id: number, offset: number, length: number): Buffer {
  const bytes = lentBuffers.take(length);
  let bytesRead: number;
  try {
    bytesRead = readSync(file.fd, bytes, 0, length, offset);
  } catch (cause) {
    throw failure({ id, offset, length }, (cause as Error).message, cause);
  }
  if (bytesRead < length) throw tooShort({ id, offset, length });
  return bytes;
}

interface Extent {
  readonly id: number;
  readonly offset: number;
  readonly length: number;
}

function tooShort(extent: Extent): SegmentReadError {
  return failure(extent, 'it ends before that');
}

function failure({ id, offset, length }: Extent, reason: string, cause?: unknown): SegmentReadError {
  return new SegmentReadError(`Cannot read ${length} bytes at ${offset} of segment ${id}: ${reason}`, {
    cause,
  });
}
