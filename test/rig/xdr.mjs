// XDR (RFC 4506) by hand. The suites share no code with src/, so that a mistake there cannot confirm itself.

export class XdrWriter {
  #parts = [];

  u32(value) {
    const part = Buffer.alloc(4);
    part.writeUInt32BE(value >>> 0);
    this.#parts.push(part);
    return this;
  }

  u64(value) {
    return this.u32(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32);
  }

  fixed(bytes) {
    this.#parts.push(bytes, Buffer.alloc((4 - (bytes.length & 3)) & 3));
    return this;
  }

  opaque(bytes) {
    return this.u32(bytes.length).fixed(bytes);
  }

  string(text) {
    return this.opaque(Buffer.from(text));
  }

  finish() {
    return Buffer.concat(this.#parts);
  }
}

export class XdrReader {
  #bytes;
  #position = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  u32() {
    const value = this.#bytes.readUInt32BE(this.#position);
    this.#position += 4;
    return value;
  }

  u64() {
    return this.u32() * 2 ** 32 + this.u32();
  }

  fixed(length) {
    if (this.#position + length > this.#bytes.length) throw new RangeError('the reply is too short');
    const bytes = this.#bytes.subarray(this.#position, this.#position + length);
    this.#position += (length + 3) & ~3;
    return bytes;
  }

  opaque() {
    return this.fixed(this.u32());
  }

  string() {
    return this.opaque().toString();
  }

  optional(read) {
    return this.u32() === 0 ? undefined : read(this);
  }
}
