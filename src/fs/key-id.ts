// A key as a string, for the maps of what is staged: one character a byte.

export function keyId(key: Buffer): string {
  return key.toString('latin1');
}
