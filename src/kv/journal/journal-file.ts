// One file of the journal, written (journal-content.ts has its layout), and its image in memory: rows are read from
// there until they are in LevelDB.
//
// The file is written in place and used again and again: a sync of bytes that have their blocks takes 180 µs, of one
// that grows the file 330. It gets its blocks a piece at a time, in its first use.

import { constants, write as writeFile, writeSync } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { Random } from '../../clock.ts';
import type { Range, Write } from '../meta-store.ts';
import { HEAD_BYTES, putHead, USE_BYTES } from './journal-content.ts';
import { keyTextAt, putRecord, recordBytes, rowAt, valueAt } from './journal-record.ts';
import { OrderedIds } from './ordered-ids.ts';
import { RowPlaces } from './row-places.ts';
import type { WritesInTurn } from './writes-in-turn.ts';

/** Blocks are taken so many bytes at a time. */
const EXTEND_BYTES = 1 << 20;

export interface JournalFileSettings {
  readonly bytes: number;
  /** For {@link RowPlaces}, and for the number of each use. */
  readonly random: Random;
}

export class JournalFile {
  private readonly file: FileHandle;
  private readonly image: Buffer;
  private readonly places: RowPlaces;
  private readonly ordered = new OrderedIds(
    (place) => keyTextAt(this.image, place),
    (id) => this.places.find(Buffer.from(id, 'latin1')) > 0,
  );
  private end = HEAD_BYTES;
  private settled = false;
  private allocated: number;

  private readonly random: Random;
  /** Of the use under way: records are written behind a {@link restart} only. */
  private use: Buffer = Buffer.alloc(USE_BYTES);

  private constructor(file: FileHandle, storedBytes: number, { bytes, random }: JournalFileSettings) {
    this.file = file;
    this.image = Buffer.alloc(Math.max(bytes, storedBytes));
    this.random = random;
    this.places = new RowPlaces(this.image, random(4).readUInt32LE());
    this.allocated = storedBytes;
  }

  /**
   * Makes the file when it is not there; its name is durable when the caller has synced the directory. What it holds
   * stays until {@link restart}.
   */
  static async open(
    path: string,
    settings: JournalFileSettings,
  ): Promise<{ file: JournalFile; stored: Buffer }> {
    // Each write is stable when it returns: one trip to the thread pool, not two.
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC, 0o600);
    try {
      const stored = await readFile(path);
      return { file: new JournalFile(file, stored.length, settings), stored };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Nothing in it has to be brought to LevelDB. */
  get isSettled(): boolean {
    return this.places.size === 0 || this.settled;
  }

  fits(batch: readonly Write[]): boolean {
    return this.end + recordBytes(batch) <= this.image.length;
  }

  /** The next record goes to the beginning: everything up to `applied` is in LevelDB. Durable when it resolves. */
  async restart(applied: number): Promise<void> {
    this.clear();
    // A copy: what is random comes from a pool that goes on being used.
    this.use = Buffer.from(this.random(USE_BYTES));
    putHead(this.image, { applied, use: this.use });
    await writeAt(this.file.fd, this.image, 0, HEAD_BYTES);
    this.allocated = Math.max(this.allocated, HEAD_BYTES);
  }

  /** Visible to {@link find} at once; resolves when it is stable. The batch fits. */
  async append(sequence: number, batch: readonly Write[], turns: WritesInTurn): Promise<void> {
    const { image, end: start, file } = this;
    const end = putRecord(image, start, { sequence, use: this.use }, batch, (key, at) => {
      if (this.places.set(key, at)) this.ordered.add(at);
    });
    this.end = end;
    // Bytes that have no blocks yet take longer.
    if (end > this.allocated) await this.extend(end);
    else if (turns.allowed) return turns.run(() => writeNow(file.fd, image, start, end - start));
    await writeAt(file.fd, image, start, end - start);
  }

  /** A copy of the newest value of a key: null when it was deleted, undefined when the file does not say. */
  find(key: Buffer): Buffer | null | undefined {
    const at = this.places.find(key);
    return at === 0 ? undefined : valueAt(this.image, at);
  }

  /** The keys of a range, ascending; good until the next change. */
  idsIn({ gte, lt }: Range): Iterator<string> {
    return this.ordered.between(gte.toString('latin1'), lt.toString('latin1'));
  }

  /** The newest of a key that is there: a copy. */
  row(id: string): Write {
    const key = Buffer.from(id, 'latin1');
    return { key, value: valueAt(this.image, this.places.find(key)) } as Write;
  }

  /** The newest of every key: views that are good until {@link clear}. */
  *rows(): Generator<Write> {
    for (const at of this.places.places()) yield rowAt(this.image, at).write;
  }

  /** All of it is in LevelDB. Until the next use {@link find} still finds it: that takes a fifth of a get there. */
  settle(): void {
    this.settled = true;
    this.ordered.clear();
  }

  /** Nothing is found here any more. */
  clear(): void {
    this.places.clear();
    this.ordered.clear();
    this.end = HEAD_BYTES;
    this.settled = false;
  }

  close(): Promise<void> {
    return this.file.close();
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
      else if (written !== bytes) reject(cutShort(written, bytes));
      else resolve();
    });
  });
}

function writeNow(fd: number, from: Buffer, at: number, bytes: number): void {
  const written = writeSync(fd, from, at, bytes, at);
  if (written !== bytes) throw cutShort(written, bytes);
}

function cutShort(written: number, bytes: number): Error {
  return new Error(`Cannot write the journal: ${written} of ${bytes} bytes fit`);
}
