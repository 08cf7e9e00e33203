// An NFSv3 client by the letters of RFC 1813 §3.3: every argument and result put together and taken apart by hand. A
// result with a failing status has the fields of its fail arm, and the others undefined.

import { mnt, Nfs, nfs } from '../calls.ts';
import { type CallOptions, counted, type RawClient, words } from '../raw-client.ts';
import type { ServedVolume } from '../served-volume.ts';
import { type Stat, type Time, type Wcc, WireReader } from './wire-reader.ts';

/** nfsstat3, §2.6 */
export const Status = {
  OK: 0,
  PERM: 1,
  NOENT: 2,
  IO: 5,
  ACCES: 13,
  EXIST: 17,
  XDEV: 18,
  NOTDIR: 20,
  ISDIR: 21,
  INVAL: 22,
  FBIG: 27,
  ROFS: 30,
  NAMETOOLONG: 63,
  NOTEMPTY: 66,
  DQUOT: 69,
  STALE: 70,
  BADHANDLE: 10001,
  NOT_SYNC: 10002,
  TOOSMALL: 10005,
  SERVERFAULT: 10006,
  BADTYPE: 10007,
} as const;

export type Name = string | Buffer;

export interface Sattr {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: bigint;
  readonly atime?: 'now' | Time;
  readonly mtime?: 'now' | Time;
}

export type How =
  | { readonly unchecked: Sattr }
  | { readonly guarded: Sattr }
  | { readonly exclusive: Buffer };

export interface Made {
  readonly status: number;
  readonly handle: Buffer | undefined;
  readonly attributes: Stat | undefined;
  readonly wcc: Wcc;
}

export interface ListedEntry {
  readonly fileid: bigint;
  readonly name: string;
  readonly cookie: bigint;
  readonly attributes?: Stat | undefined;
  readonly handle?: Buffer | undefined;
}

export interface Page {
  readonly status: number;
  /** Of the whole result behind its status: READDIR3resok or READDIRPLUS3resok. */
  readonly bytes: number;
  readonly attributes: Stat | undefined;
  readonly verifier: Buffer;
  readonly entries: readonly ListedEntry[];
  readonly eof: boolean;
}

const NO_VERIFIER = Buffer.alloc(8);

export class Nfs3Client {
  readonly #raw: RawClient;
  readonly #options: CallOptions;

  constructor(raw: RawClient, options: CallOptions = {}) {
    this.#raw = raw;
    this.#options = options;
  }

  /** A new connection, and the handle that MOUNT gives for a path. */
  static async mount(served: ServedVolume, path = '/'): Promise<{ client: Nfs3Client; root: Buffer }> {
    const raw = await served.client();
    const { status, handle } = await mnt(raw, path);
    if (status !== 0) throw new Error(`MNT of ${path} was answered ${status}`);
    return { client: new Nfs3Client(raw), root: handle };
  }

  /** The same connection with another credential. */
  as(options: CallOptions): Nfs3Client {
    return new Nfs3Client(this.#raw, options);
  }

  getattr(object: Buffer) {
    return this.#call(Nfs.getattr, [counted(object)], (reader, status) => ({
      attributes: status === 0 ? reader.stat() : undefined,
    }));
  }

  setattr(object: Buffer, changes: Sattr, guard?: Time) {
    const guardBytes = guard ? words(1, guard.seconds, guard.nanoseconds) : words(0);
    return this.#call(Nfs.setattr, [counted(object), sattr(changes), guardBytes], wccResult);
  }

  lookup(directory: Buffer, name: Name) {
    return this.#call(Nfs.lookup, [entry(directory, name)], (reader, status) =>
      status === 0
        ? { handle: reader.opaque(), attributes: reader.postOp(), directory: reader.postOp() }
        : { handle: Buffer.alloc(0), attributes: undefined, directory: reader.postOp() },
    );
  }

  access(object: Buffer, bits: number) {
    return this.#call(Nfs.access, [counted(object), words(bits)], (reader, status) => ({
      attributes: reader.postOp(),
      access: status === 0 ? reader.u32() : 0,
    }));
  }

  readlink(link: Buffer) {
    return this.#call(Nfs.readlink, [counted(link)], (reader, status) => ({
      attributes: reader.postOp(),
      target: status === 0 ? reader.opaque() : undefined,
    }));
  }

  read(file: Buffer, offset: bigint, count: number) {
    return this.#call(Nfs.read, [counted(file), u64(offset), words(count)], (reader, status) => {
      const attributes = reader.postOp();
      if (status !== 0) return { attributes, count: 0, eof: false, data: Buffer.alloc(0) };
      return { attributes, count: reader.u32(), eof: reader.flag(), data: reader.opaque() };
    });
  }

  write(file: Buffer, offset: bigint, data: Buffer, stable: number, count = data.length) {
    const args = [counted(file), u64(offset), words(count, stable), counted(data)];
    return this.#call(Nfs.write, args, (reader, status) => {
      const wcc = reader.wcc();
      if (status !== 0) return { wcc, count: 0, committed: -1, verifier: undefined };
      return { wcc, count: reader.u32(), committed: reader.u32(), verifier: reader.fixed(8) };
    });
  }

  create(directory: Buffer, name: Name, how: How): Promise<Made> {
    return this.#make(Nfs.create, directory, name, createHow(how));
  }

  mkdir(directory: Buffer, name: Name, changes: Sattr = {}): Promise<Made> {
    return this.#make(Nfs.mkdir, directory, name, sattr(changes));
  }

  symlink(directory: Buffer, name: Name, target: Name, changes: Sattr = {}): Promise<Made> {
    const path = counted(Buffer.from(target as string));
    return this.#make(Nfs.symlink, directory, name, Buffer.concat([sattr(changes), path]));
  }

  /** @param device major and minor, for the types that have them */
  mknod(
    directory: Buffer,
    name: Name,
    type: number,
    device?: readonly [number, number],
    changes: Sattr = {},
  ): Promise<Made> {
    const noArguments = type === 1 || type === 2 || type === 5;
    const data = noArguments ? [] : [sattr(changes), ...(device ? [words(...device)] : [])];
    return this.#make(Nfs.mknod, directory, name, Buffer.concat([words(type), ...data]));
  }

  remove(directory: Buffer, name: Name) {
    return this.#call(Nfs.remove, [entry(directory, name)], wccResult);
  }

  rmdir(directory: Buffer, name: Name) {
    return this.#call(Nfs.rmdir, [entry(directory, name)], wccResult);
  }

  rename(from: Buffer, fromName: Name, to: Buffer, toName: Name) {
    return this.#call(Nfs.rename, [entry(from, fromName), entry(to, toName)], (reader) => ({
      from: reader.wcc(),
      to: reader.wcc(),
    }));
  }

  link(file: Buffer, directory: Buffer, name: Name) {
    return this.#call(Nfs.link, [counted(file), entry(directory, name)], (reader) => ({
      attributes: reader.postOp(),
      wcc: reader.wcc(),
    }));
  }

  readdir(directory: Buffer, cookie: bigint, count: number): Promise<Page> {
    const args = [counted(directory), u64(cookie), NO_VERIFIER, words(count)];
    return this.#list(Nfs.readdir, args, (reader) => ({
      fileid: reader.u64(),
      name: reader.opaque().toString('latin1'),
      cookie: reader.u64(),
    }));
  }

  readdirplus(directory: Buffer, cookie: bigint, nameCount: number, count: number): Promise<Page> {
    const args = [counted(directory), u64(cookie), NO_VERIFIER, words(nameCount, count)];
    return this.#list(Nfs.readdirplus, args, (reader) => ({
      fileid: reader.u64(),
      name: reader.opaque().toString('latin1'),
      cookie: reader.u64(),
      attributes: reader.postOp(),
      handle: reader.optional(() => reader.opaque()),
    }));
  }

  fsstat(root: Buffer) {
    return this.#call(Nfs.fsstat, [counted(root)], (reader, status) => ({
      attributes: reader.postOp(),
      bytes: status === 0 ? [reader.u64(), reader.u64(), reader.u64()] : [],
      files: status === 0 ? [reader.u64(), reader.u64(), reader.u64()] : [],
      unchangingSeconds: status === 0 ? reader.u32() : 0,
    }));
  }

  fsinfo(root: Buffer) {
    return this.#call(Nfs.fsinfo, [counted(root)], (reader, status) => {
      const attributes = reader.postOp();
      if (status !== 0) return { attributes };
      return {
        attributes,
        read: [reader.u32(), reader.u32(), reader.u32()],
        write: [reader.u32(), reader.u32(), reader.u32()],
        directoryPreferred: reader.u32(),
        fileBytesMax: reader.u64(),
        timeDelta: reader.time(),
        properties: reader.u32(),
      };
    });
  }

  pathconf(object: Buffer) {
    return this.#call(Nfs.pathconf, [counted(object)], (reader, status) => {
      const attributes = reader.postOp();
      if (status !== 0) return { attributes };
      return {
        attributes,
        linkMax: reader.u32(),
        nameMax: reader.u32(),
        noTruncation: reader.flag(),
        chownRestricted: reader.flag(),
        caseInsensitive: reader.flag(),
        casePreserving: reader.flag(),
      };
    });
  }

  commit(file: Buffer) {
    return this.#call(Nfs.commit, [counted(file), u64(0n), words(0)], (reader, status) => ({
      wcc: reader.wcc(),
      verifier: status === 0 ? reader.fixed(8) : undefined,
    }));
  }

  async #call<R>(
    procedure: number,
    args: readonly Buffer[],
    read: (reader: WireReader, status: number) => R,
  ): Promise<R & { readonly status: number }> {
    const { status, body } = await nfs(this.#raw, procedure, Buffer.concat(args), this.#options);
    const reader = new WireReader(body.subarray(4));
    const result = read(reader, status);
    reader.end();
    return { status, ...result };
  }

  #make(procedure: number, directory: Buffer, name: Name, args: Buffer): Promise<Made> {
    return this.#call(procedure, [entry(directory, name), args], (reader, status) => {
      const handle = status === 0 ? reader.optional(() => reader.opaque()) : undefined;
      const attributes = status === 0 ? reader.postOp() : undefined;
      return { handle, attributes, wcc: reader.wcc() };
    });
  }

  async #list(
    procedure: number,
    args: readonly Buffer[],
    read: (reader: WireReader) => ListedEntry,
  ): Promise<Page> {
    const { status, body } = await nfs(this.#raw, procedure, Buffer.concat(args), this.#options);
    const reader = new WireReader(body.subarray(4));
    const bytes = body.length - 4;
    const attributes = reader.postOp();
    if (status !== 0) {
      reader.end();
      return { status, bytes, attributes, verifier: NO_VERIFIER, entries: [], eof: false };
    }
    const verifier = reader.fixed(8);
    const entries = reader.list(() => read(reader));
    const eof = reader.flag();
    reader.end();
    return { status, bytes, attributes, verifier, entries, eof };
  }
}

/** What a MKDIR, CREATE, SYMLINK or MKNOD made that had to succeed. */
export async function madeBy(reply: Promise<Made>): Promise<Buffer> {
  const { status, handle } = await reply;
  if (status !== 0 || !handle) throw new Error(`Nothing was made: ${status}`);
  return handle;
}

function wccResult(reader: WireReader): { readonly wcc: Wcc } {
  return { wcc: reader.wcc() };
}

function entry(directory: Buffer, name: Name): Buffer {
  return Buffer.concat([counted(directory), counted(Buffer.from(name as string))]);
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function sattr({ mode, uid, gid, size, atime, mtime }: Sattr): Buffer {
  const small = [mode, uid, gid].flatMap((value) => (value === undefined ? [0] : [1, value]));
  const sizeBytes = size === undefined ? [words(0)] : [words(1), u64(size)];
  return Buffer.concat([words(...small), ...sizeBytes, setTime(atime), setTime(mtime)]);
}

function setTime(time: 'now' | Time | undefined): Buffer {
  if (time === undefined) return words(0);
  return time === 'now' ? words(1) : words(2, time.seconds, time.nanoseconds);
}

function createHow(how: How): Buffer {
  if ('exclusive' in how) return Buffer.concat([words(2), how.exclusive]);
  return 'guarded' in how
    ? Buffer.concat([words(1), sattr(how.guarded)])
    : Buffer.concat([words(0), sattr(how.unchecked)]);
}
