/**
 * A copy with memory of its own, for bytes that are kept. `Buffer.from` cuts small copies from a shared slab of 8 KiB,
 * all of which stays in memory for as long as one of them does.
 */
export function unpooledCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
