// One file of the journal, written (journal-content.ts has its layout), and its image in memory: rows are read from
// there until they are in LevelDB.
//
// The file is written in place and used again and again: a sync of bytes that have their blocks takes 180 µs, of one
// that grows the file 330. It gets its blocks a piece at a time, in its first use.

import { constants, write as writeFile } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { Range, Write } from '../meta-store.ts';
import { HEAD_BYTES, putHead } from './journal-content.ts';
import { putRecord, recordBytes, rowAt } from './journal-record.ts';
import { OrderedIds } from './ordered-ids.ts';

/** Blocks are taken so many bytes at a time. */
const EXTEND_BYTES = 1 << 20;

export class JournalFile {
  /** Where each row is in the image, by its key; the newest of a key. */
  private readonly places = new Map<string, number>();
  private readonly ordered = new OrderedIds((id) => this.places.has(id));
  private readonly file: FileHandle;
  private readonly image: Buffer;
  private end = HEAD_BYTES;
  private allocated: number;

  private constructor(file: FileHandle, storedBytes: number, bytes: number) {
    this.file = file;
    this.image = Buffer.alloc(Math.max(bytes, storedBytes));
    this.allocated = storedBytes;
  }

  /**
   * Makes the file when it is not there; its name is durable when the caller has synced the directory. What it holds
   * stays until {@link restart}.
   */
  static async open(path: string, bytes: number): Promise<{ file: JournalFile; stored: Buffer }> {
    // Each write is stable when it returns: one trip to the thread pool, not two.
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC, 0o600);
    try {
      const stored = await readFile(path);
      return { file: new JournalFile(file, stored.length, bytes), stored };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get isEmpty(): boolean {
    return this.places.size === 0;
  }

  fits(batch: readonly Write[]): boolean {
    return this.end + recordBytes(batch) <= this.image.length;
  }

  /** The next record goes to the beginning: everything up to `applied` is in LevelDB. Durable when it resolves. */
  async restart(applied: number): Promise<void> {
    this.clear();
    putHead(this.image, applied);
    await writeAt(this.file.fd, this.image, 0, HEAD_BYTES);
    this.allocated = Math.max(this.allocated, HEAD_BYTES);
  }

  /** Visible to {@link find} at once; resolves when it is stable. The batch fits. */
  async append(sequence: number, batch: readonly Write[]): Promise<void> {
    const { image, end: start } = this;
    const end = putRecord(image, start, sequence, batch, (key, at) => this.place(key, at));
    this.end = end;
    if (end > this.allocated) await this.extend(end);
    await writeAt(this.file.fd, image, start, end - start);
  }

  /** A copy of the newest value of a key: null when it was deleted, undefined when the file does not say. */
  find(id: string): Buffer | null | undefined {
    const at = this.places.get(id);
    if (at === undefined) return undefined;
    const { value } = rowAt(this.image, at).write;
    return value && Buffer.from(value);
  }

  /** The keys of a range, ascending; good until the next change. */
  idsIn({ gte, lt }: Range): Iterator<string> {
    return this.ordered.between(gte.toString('latin1'), lt.toString('latin1'));
  }

  /** The newest of a key that is there: a copy. */
  row(id: string): Write {
    const { key, value } = rowAt(this.image, this.places.get(id)!).write;
    return { key: Buffer.from(key), value: value && Buffer.from(value) } as Write;
  }

  /** The newest of every key: views that are good until {@link clear}. */
  *rows(): Generator<Write> {
    for (const at of this.places.values()) yield rowAt(this.image, at).write;
  }

  /** All of it is in LevelDB: nothing is found here any more. */
  clear(): void {
    this.places.clear();
    this.ordered.clear();
    this.end = HEAD_BYTES;
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private place(key: Buffer, at: number): void {
    const id = key.toString('latin1');
    if (!this.places.has(id)) this.ordered.add(id);
    this.places.set(id, at);
  }

  private async extend(end: number): Promise<void> {
    const to = Math.min(this.image.length, Math.ceil(end / EXTEND_BYTES) * EXTEND_BYTES);
    await writeAt(this.file.fd, this.image, this.allocated, to - this.allocated);
    this.allocated = to;
  }
}

/** The plain call: through a FileHandle it costs the main thread twice as much. */
function writeAt(fd: number, from: Buffer, at: number, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    writeFile(fd, from, at, bytes, at, (error, written) => {
      if (error) reject(error);
      else if (written !== bytes)
        reject(new Error(`Cannot write the journal: ${written} of ${bytes} bytes fit`));
      else resolve();
    });
  });
}
