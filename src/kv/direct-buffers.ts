// Memory from which the system can write to a disk without its own cache in between (O_DIRECT): it has to begin at a
// block boundary, and of all memory that JavaScript can ask for only WebAssembly's is promised to.

/** What offsets and lengths of direct writes are multiples of: the largest logical block in common use. */
export const DIRECT_BLOCK_BYTES = 4096;
/**
 * Between two turns of the thread a stream of writes brings several MiB, and each turn begins as many writes as have ended:
 * smaller ones let the medium wait for the thread (1 MiB: 0.83 to 0.95 of the rate).
 */
export const DIRECT_BUFFER_BYTES = 2 << 20;
/** Two for each of two segments: the open one, and the one before it that still ends. A third one's go through the cache. */
const BUFFERS = 4;
const WASM_PAGE_BYTES = 1 << 16;

/** What of it is used here: TypeScript knows it only together with browsers' things. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

let free: Buffer[] | undefined;

/** Room for one write, or undefined while all are in use. To be given back. */
export function takeDirectBuffer(): Buffer | undefined {
  free ??= allocate();
  return free.pop();
}

export function giveDirectBuffer(buffer: Buffer): void {
  free!.push(buffer);
}

function allocate(): Buffer[] {
  const pages = (BUFFERS * DIRECT_BUFFER_BYTES) / WASM_PAGE_BYTES;
  let memory: { readonly buffer: ArrayBuffer };
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    // It takes gigabytes of addresses, though no memory: a process may be held to fewer.
    if (error instanceof RangeError) return [];
    throw error;
  }
  return Array.from({ length: BUFFERS }, (_, at) =>
    Buffer.from(memory.buffer, at * DIRECT_BUFFER_BYTES, DIRECT_BUFFER_BYTES),
  );
}
