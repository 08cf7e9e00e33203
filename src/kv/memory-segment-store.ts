// A SegmentStore in memory: the model that the others are compared with.

import { SegmentReadError, type SegmentStore, type SegmentWriter } from './segment-store.ts';

/** Bytes that a segment has room for at first; the room doubles when it is full. */
const ROOM_BYTES_MIN = 4096;

class MemorySegment {
  size = 0;
  #room = Buffer.allocUnsafeSlow(ROOM_BYTES_MIN);

  append(buffers: readonly Buffer[]): number {
    const offset = this.size;
    const end = buffers.reduce((sum, buffer) => sum + buffer.length, offset);
    if (end > this.#room.length) {
      // Readers keep what they were given of the old room: written bytes never change.
      const room = Buffer.allocUnsafeSlow(Math.max(end, this.#room.length * 2));
      room.set(this.#room.subarray(0, offset));
      this.#room = room;
    }
    for (const buffer of buffers) {
      this.#room.set(buffer, this.size);
      this.size += buffer.length;
    }
    return offset;
  }

  read(offset: number, length: number): Buffer {
    return this.#room.subarray(offset, offset + length);
  }
}

export class MemorySegmentStore implements SegmentStore {
  readonly #segments = new Map<number, MemorySegment>();

  async create(id: number): Promise<SegmentWriter> {
    if (this.#segments.has(id)) throw new Error(`Cannot create segment ${id}: it exists`);
    const segment = new MemorySegment();
    this.#segments.set(id, segment);
    let open = true;
    return {
      id,
      get size() {
        return segment.size;
      },
      async append(buffers) {
        if (!open) throw new Error(`Cannot append to segment ${id}: its writer is closed`);
        return segment.append(buffers);
      },
      async sync() {
        if (!open) throw new Error(`Cannot sync segment ${id}: its writer is closed`);
      },
      async close() {
        open = false;
      },
    };
  }

  read(id: number, offset: number, length: number): Buffer {
    const segment = this.#segments.get(id);
    if (!segment) throw new SegmentReadError(`Cannot read segment ${id}: it does not exist`);
    if (offset + length > segment.size) {
      throw new SegmentReadError(
        `Cannot read ${length} bytes at ${offset} of segment ${id}: it has ${segment.size} bytes`,
      );
    }
    return segment.read(offset, length);
  }

  async list(): Promise<ReadonlyMap<number, number>> {
    return new Map([...this.#segments].map(([id, segment]) => [id, segment.size]));
  }

  async delete(id: number): Promise<void> {
    this.#segments.delete(id);
  }

  async freeBytes(): Promise<number> {
    return Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {}
}
