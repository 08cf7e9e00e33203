// Results of NFSv3 taken apart by hand, after RFC 1813 §2.6 and not by our tables. A result must end where it says.

export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** fattr3 */
export interface Stat {
  readonly type: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: bigint;
  readonly used: bigint;
  readonly rdev: readonly [major: number, minor: number];
  readonly fsid: bigint;
  readonly fileid: bigint;
  readonly atime: Time;
  readonly mtime: Time;
  readonly ctime: Time;
}

/** wcc_data */
export interface Wcc {
  readonly before: { readonly size: bigint; readonly mtime: Time; readonly ctime: Time } | undefined;
  readonly after: Stat | undefined;
}

export class WireReader {
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  u32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  u64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigUInt64BE(this.#at - 8);
  }

  flag(): boolean {
    const word = this.u32();
    if (word > 1) throw new Error(`${word} is no boolean`);
    return word === 1;
  }

  fixed(length: number): Buffer {
    const start = this.#at;
    this.#at += length + ((4 - (length % 4)) % 4);
    if (this.#at > this.#bytes.length) throw new Error('The result ends too early');
    return Buffer.from(this.#bytes.subarray(start, start + length));
  }

  opaque(): Buffer {
    return this.fixed(this.u32());
  }

  optional<T>(read: () => T): T | undefined {
    return this.flag() ? read() : undefined;
  }

  time(): Time {
    return { seconds: this.u32(), nanoseconds: this.u32() };
  }

  stat(): Stat {
    return {
      type: this.u32(),
      mode: this.u32(),
      nlink: this.u32(),
      uid: this.u32(),
      gid: this.u32(),
      size: this.u64(),
      used: this.u64(),
      rdev: [this.u32(), this.u32()],
      fsid: this.u64(),
      fileid: this.u64(),
      atime: this.time(),
      mtime: this.time(),
      ctime: this.time(),
    };
  }

  postOp(): Stat | undefined {
    return this.optional(() => this.stat());
  }

  wcc(): Wcc {
    const before = this.optional(() => ({ size: this.u64(), mtime: this.time(), ctime: this.time() }));
    return { before, after: this.postOp() };
  }

  /** Items each of which says that it follows. */
  list<T>(read: () => T): T[] {
    const items: T[] = [];
    while (this.flag()) items.push(read());
    return items;
  }

  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw new Error(`${left} bytes follow the end of the result`);
  }
}
