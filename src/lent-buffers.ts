// Buffers for file data on its way between segments and clients, used again and again. V8 counts the bytes behind new
// Buffers, and after each 64 MiB of them it marks and sweeps its whole heap: reading 300 MiB/s, that was 45 % of the CPU.
//
// A buffer is given back by the one who knows that nobody will look at it again: READ's, once the socket has taken the
// reply; WRITE's, once its flush is staged. One that is never given back is garbage like any other, so forgetting costs
// speed and nothing else.

const SMALLEST_BYTES = 4096;
/** Powers of two, and for data with a header around it, a sixteenth more. */
const HEADROOM = 1 / 16;
const LARGEST_BYTES = 2 ** 20 * (1 + HEADROOM);
/** A budget of dirty bytes as shipped. */
const KEPT_BYTES_MAX = 128 << 20;

/** By whom, on the memory itself: in a WeakSet each READ would cost V8's collector a visit. */
const LENT_BY = Symbol('lent by');

type Lendable = ArrayBuffer & { [LENT_BY]?: LentBuffers | null };

export class LentBuffers {
  /** Overwrites what is given back, so that a use of it is seen: for tests. */
  overwriteGiven = false;
  /**
   * Of buffers that wait for their next use: as much as a full budget of dirty bytes gives back. With half of it a stream
   * of writes makes the other half anew each time, a fifth more CPU.
   */
  freeBytesMax = KEPT_BYTES_MAX;
  /** By size, the size that was asked for last at the end. */
  readonly #free = new Map<number, ArrayBuffer[]>();
  #freeBytes = 0;
  /** The size that was asked for last. */
  #newest = 0;

  /** Room for `bytes`, whatever was in it. */
  take(bytes: number): Buffer {
    if (bytes > LARGEST_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const size = sizeFor(bytes);
    const known = this.#freeOf(size).pop();
    if (known) this.#freeBytes -= size;
    const memory: Lendable = known ?? (Buffer.allocUnsafeSlow(size).buffer as ArrayBuffer);
    memory[LENT_BY] = this;
    return Buffer.from(memory, 0, bytes);
  }

  /** Nobody uses what was taken any more, of which `part` is a view. Anything else is let alone. */
  giveBack(part: Buffer): void {
    const memory = part.buffer as Lendable;
    if (memory[LENT_BY] !== this) return;
    memory[LENT_BY] = null;
    if (this.overwriteGiven) Buffer.from(memory).fill(0xdb);
    const size = memory.byteLength;
    this.#makeRoom(size);
    if (this.#freeBytes + size > this.freeBytesMax) return;
    this.#free.get(size)!.push(memory);
    this.#freeBytes += size;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  #freeOf(size: number): ArrayBuffer[] {
    const free = this.#free.get(size) ?? [];
    if (size === this.#newest) return free;
    this.#newest = size;
    this.#free.delete(size);
    this.#free.set(size, free);
    return free;
  }

  /** Lets go of sizes that were not asked for since this one was: what a client wrote before others began to read. */
  #makeRoom(bytes: number): void {
    for (const [size, free] of this.#free) {
      if (size === bytes) return;
      while (this.#freeBytes + bytes > this.freeBytesMax && free.pop()) this.#freeBytes -= size;
    }
  }
}

/** Those of the process. */
export const lentBuffers = new LentBuffers();

function sizeFor(bytes: number): number {
  if (bytes <= SMALLEST_BYTES) return SMALLEST_BYTES;
  const power = 2 ** Math.floor(Math.log2(bytes));
  if (bytes === power) return power;
  return bytes <= power * (1 + HEADROOM) ? power * (1 + HEADROOM) : 2 * power;
}
