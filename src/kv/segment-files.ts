// The open files that segments are read through: at most so many, the longest unused closed first, none while a read
// is under way in it.

import { close, openSync } from 'node:fs';

/** A file that is open for reading. Give it back to {@link SegmentFiles.release}, once. */
export interface OpenFile {
  readonly fd: number;
  readers: number;
  /** Closed by its last reader: it left the table, because its segment is gone or the store is closed. */
  retired: boolean;
}

export class SegmentFiles {
  readonly #pathOf: (id: number) => string;
  readonly #filesMax: number;
  /** In the order of use, the longest unused first. */
  readonly #files = new Map<number, OpenFile>();
  /** The last of them. */
  #newest = -1;

  constructor(pathOf: (id: number) => string, filesMax: number) {
    this.#pathOf = pathOf;
    this.#filesMax = filesMax;
  }

  /** Opening costs 5 µs when the name is known to the system, and is done in this turn, so that a delete comes after. */
  acquire(id: number): OpenFile {
    let file = this.#files.get(id);
    if (!file || id !== this.#newest) {
      if (file) this.#files.delete(id);
      else file = { fd: openSync(this.#pathOf(id), 'r'), readers: 0, retired: false };
      this.#files.set(id, file);
      this.#newest = id;
    }
    file.readers++;
    if (this.#files.size > this.#filesMax) this.#closeUnused();
    return file;
  }

  release(file: OpenFile): void {
    file.readers--;
    if (file.retired && file.readers === 0) closeLater(file.fd);
  }

  forget(id: number): void {
    const file = this.#files.get(id);
    if (!file) return;
    this.#files.delete(id);
    file.retired = true;
    if (file.readers === 0) closeLater(file.fd);
  }

  forgetAll(): void {
    for (const id of [...this.#files.keys()]) this.forget(id);
  }

  #closeUnused(): void {
    for (const [id, file] of this.#files) {
      if (this.#files.size <= this.#filesMax) return;
      if (file.readers === 0) this.forget(id);
    }
  }
}

/** Off the main thread: closing the last use of a deleted file gives its blocks back, which takes milliseconds. */
function closeLater(fd: number): void {
  // A file that was only read has nothing to lose when its close fails.
  close(fd, () => {});
}
