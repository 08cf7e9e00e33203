/** Reads LevelDB's varints, and what they give the length of. Past the end it reads zeros and nothing, and says so. */
export class VarintReader {
  /** Whether more was asked for than there is. */
  isShort = false;
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Exact up to 2^53. */
  varint(): number {
    let value = 0;
    for (let scale = 1; this.at < this.bytes.length; scale *= 128) {
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    this.isShort = true;
    return value;
  }

  take(count: number): Buffer {
    const taken = this.bytes.subarray(this.at, this.at + count);
    this.at += count;
    if (taken.length < count) this.isShort = true;
    return taken;
  }
}
