// A small RPC client over TCP for tests. Headers are put together by hand on Buffers, not from our tables, so that an
// error in a table cannot confirm itself.
//
//   const client = await RawClient.connect(port);
//   const { status, body } = await client.call(100003, 3, 1, args, { uid: 1000, gid: 1000, groups: [27] });
//   await client.call(100003, 3, 12, [removeArgs, { … }], { xid: 7 });     a codec and a value
//   await client.call(100003, 3, 12, args, { xid: 7 });                    the same xid again: a retransmission
//   client.send(bytes);                                                    any bytes at all
//   await client.close();

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeMessage } from '../../src/nfs/xdr/message.ts';
import type { Xdr } from '../../src/nfs/xdr/xdr.ts';

export interface CallOptions {
  /** Of AUTH_SYS; 0 when absent. */
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
  readonly machine?: string;
  /** Sends AUTH_NONE. */
  readonly anonymous?: boolean;
  /** Sends this credential (flavor, length and body) instead. */
  readonly credential?: Buffer;
  /** Sends this verifier instead of AUTH_NONE. */
  readonly verifier?: Buffer;
  readonly xid?: number;
  readonly rpcVersion?: number;
  /** Bytes of each RPC fragment; the whole record when absent. */
  readonly fragmentBytes?: number;
  /** Bytes of each write to the socket; everything at once when absent. */
  readonly writeBytes?: number;
}

export interface RawReply {
  readonly xid: number;
  readonly status: string;
  /** What follows the status: a result, the two versions of a mismatch, or nothing. */
  readonly body: Buffer;
}

const ACCEPT_STAT = [
  'SUCCESS',
  'PROG_UNAVAIL',
  'PROG_MISMATCH',
  'PROC_UNAVAIL',
  'GARBAGE_ARGS',
  'SYSTEM_ERR',
];
const AUTH_STAT = [
  'AUTH_OK',
  'AUTH_BADCRED',
  'AUTH_REJECTEDCRED',
  'AUTH_BADVERF',
  'AUTH_REJECTEDVERF',
  'AUTH_TOOWEAK',
];

type Waiter = { resolve(reply: RawReply): void; reject(error: Error): void };

export class RawClient {
  readonly socket: Socket;
  /** Replies in the order in which they came. */
  readonly replies: RawReply[] = [];
  #received: Buffer = Buffer.alloc(0);
  #xid = 0x10000;
  readonly #waiters = new Map<number, Waiter[]>();

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => this.#onData(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#fail(new Error('Connection closed by the server')));
  }

  /** Sends a call; resolves with its reply, rejects when the connection closes before. */
  async call<T>(
    program: number,
    version: number,
    procedure: number,
    args: Buffer | readonly [Xdr<T>, T] = Buffer.alloc(0),
    options: CallOptions = {},
  ): Promise<RawReply> {
    const xid = options.xid ?? this.#xid++;
    const body = Buffer.isBuffer(args) ? args : encodeMessage(args[0], args[1]);
    const message = callMessage({ xid, program, version, procedure }, body, options);
    const reply = this.reply(xid);
    await this.write(record(message, options.fragmentBytes), options.writeBytes);
    return reply;
  }

  /** The next reply with this xid that nobody waits for yet. */
  reply(xid: number): Promise<RawReply> {
    if (this.socket.destroyed) return Promise.reject(new Error('Connection is closed'));
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(xid) ?? [];
      waiters.push({ resolve, reject });
      this.#waiters.set(xid, waiters);
    });
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Writes `bytes` in pieces, each one handed to the kernel before the next. */
  async write(bytes: Buffer, pieceBytes: number = bytes.length): Promise<void> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      await new Promise<void>((resolve) => this.socket.write(piece, () => resolve()));
    }
  }

  /** Resolves when the server has closed, or has reset the connection. */
  async closed(): Promise<void> {
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once('close', resolve));
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed();
  }

  #onData(bytes: Buffer): void {
    this.#received = this.#received.length ? Buffer.concat([this.#received, bytes]) : bytes;
    let at = 0;
    for (;;) {
      if (this.#received.length - at < 4) break;
      const end = at + 4 + (this.#received.readUInt32BE(at) & 0x7fffffff);
      if (this.#received.length < end) break;
      this.#onReply(parseReply(this.#received.subarray(at + 4, end)));
      at = end;
    }
    this.#received = this.#received.subarray(at);
  }

  #onReply(reply: RawReply): void {
    this.replies.push(reply);
    const waiters = this.#waiters.get(reply.xid);
    waiters?.shift()?.resolve(reply);
    if (waiters?.length === 0) this.#waiters.delete(reply.xid);
  }

  #fail(error: Error): void {
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(error);
    this.#waiters.clear();
  }
}

export interface CallNumbers {
  readonly xid: number;
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
}

/** A call without its record mark. */
export function callMessage(
  { xid, program, version, procedure }: CallNumbers,
  body: Buffer,
  options: CallOptions = {},
): Buffer {
  const credential = options.credential ?? (options.anonymous ? words(0, 0) : authSys(options));
  const verifier = options.verifier ?? words(0, 0);
  const header = words(xid, 0, options.rpcVersion ?? 2, program, version, procedure);
  return Buffer.concat([header, credential, verifier, body]);
}

/** A message as a record, cut into fragments. */
export function record(message: Buffer, fragmentBytes: number = Math.max(message.length, 1)): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < message.length || at === 0; at += fragmentBytes) {
    const fragment = message.subarray(at, at + fragmentBytes);
    const last = at + fragmentBytes >= message.length ? 0x80000000 : 0;
    pieces.push(words(last + fragment.length), fragment);
  }
  return Buffer.concat(pieces);
}

export function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, 4 * index);
  });
  return bytes;
}

/** A length, the bytes, and zeros up to a whole word. */
export function counted(bytes: Buffer): Buffer {
  return Buffer.concat([words(bytes.length), bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function authSys({ uid = 0, gid = 0, groups = [], machine = 'test' }: CallOptions): Buffer {
  const body = Buffer.concat([
    words(0),
    counted(Buffer.from(machine)),
    words(uid, gid, groups.length, ...groups),
  ]);
  return Buffer.concat([words(1, body.length), body]);
}

function parseReply(bytes: Buffer): RawReply {
  const xid = bytes.readUInt32BE(0);
  if (bytes.readUInt32BE(4) !== 1) throw new Error('Not a reply');
  if (bytes.readUInt32BE(8) === 0) {
    const at = 20 + bytes.readUInt32BE(16);
    return { xid, status: ACCEPT_STAT[bytes.readUInt32BE(at)] ?? '?', body: bytes.subarray(at + 4) };
  }
  if (bytes.readUInt32BE(12) === 0) return { xid, status: 'RPC_MISMATCH', body: bytes.subarray(16) };
  return { xid, status: AUTH_STAT[bytes.readUInt32BE(16)] ?? '?', body: bytes.subarray(20) };
}
