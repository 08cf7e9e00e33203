// One TCP connection that speaks ONC RPC (RFC 5531): records out, replies matched by xid.

import net from 'node:net';
import { XdrReader, XdrWriter } from './xdr.mjs';

const CALL = 0;
const RPC_VERSION = 2;
const AUTH_SYS = 1;
const LAST_FRAGMENT = 0x80000000;

/** The connection ended with calls unanswered. */
export class Disconnected extends Error {}

export class RpcConnection {
  #socket;
  #waiting = new Map();
  #received = [];
  #receivedBytes = 0;
  #ended;

  constructor(socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => this.#onData(data));
    const end = () => this.#onEnd();
    socket.on('error', end);
    socket.on('close', end);
  }

  /** @param reserved take a source port below 1024, which needs root */
  static async connect({ port, host = '127.0.0.1', reserved = false }) {
    for (let localPort = 600 + Math.floor(Math.random() * 400), tries = 0; ; tries++, localPort++) {
      const local = reserved ? { localPort: 600 + (localPort % 400) } : {};
      try {
        const socket = await new Promise((resolve, reject) => {
          const attempt = net.connect({ port, host, ...local }, () => resolve(attempt));
          attempt.once('error', reject);
        });
        return new RpcConnection(socket);
      } catch (error) {
        // Linux says the latter for a port whose last connection to the server is still in TIME_WAIT.
        const taken = error.code === 'EADDRINUSE' || error.code === 'EADDRNOTAVAIL';
        if (!taken || !reserved || tries >= 400) throw error;
      }
    }
  }

  get ended() {
    return this.#ended !== undefined;
  }

  /** Sends a record made by `callRecord` and answers the reply's bytes. */
  exchange(record) {
    if (this.#ended) return Promise.reject(this.#ended);
    const xid = record.readUInt32BE(0);
    return new Promise((resolve, reject) => {
      this.#waiting.set(xid, { resolve, reject });
      const head = Buffer.alloc(4);
      head.writeUInt32BE((LAST_FRAGMENT | record.length) >>> 0);
      this.#socket.write(Buffer.concat([head, record]));
    });
  }

  close() {
    this.#socket.destroy();
    this.#onEnd();
  }

  #onEnd() {
    this.#ended ??= new Disconnected('the server closed the connection');
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }

  #onData(data) {
    this.#received.push(data);
    this.#receivedBytes += data.length;
    let bytes;
    for (;;) {
      if (this.#receivedBytes < 4) return;
      bytes = this.#received.length === 1 ? this.#received[0] : Buffer.concat(this.#received);
      this.#received = [bytes];
      const record = firstRecord(bytes);
      if (!record) return;
      this.#received = record.end < bytes.length ? [bytes.subarray(record.end)] : [];
      this.#receivedBytes -= record.end;
      const xid = record.body.readUInt32BE(0);
      const waiting = this.#waiting.get(xid);
      this.#waiting.delete(xid);
      waiting?.resolve(record.body);
    }
  }
}

function firstRecord(bytes) {
  const fragments = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const head = bytes.readUInt32BE(at);
    const length = head & 0x7fffffff;
    if (at + 4 + length > bytes.length) return undefined;
    fragments.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
    if (head >>> 31)
      return { body: fragments.length === 1 ? fragments[0] : Buffer.concat(fragments), end: at };
  }
  return undefined;
}

/** An RPC call with AUTH_SYS credentials, as it stands inside its record. */
export function callRecord({ xid, program, version, procedure, args, uid = 0, gid = 0 }) {
  const credential = new XdrWriter().u32(0).string('cairn-test').u32(uid).u32(gid).u32(0).finish();
  const head = new XdrWriter().u32(xid).u32(CALL).u32(RPC_VERSION).u32(program).u32(version).u32(procedure);
  return Buffer.concat([head.u32(AUTH_SYS).opaque(credential).u32(0).u32(0).finish(), args]);
}

/** A reader behind the header of an accepted reply; anything else is an error. */
export function acceptedReply(bytes) {
  const reader = new XdrReader(bytes);
  reader.u32();
  const [type, rejected] = [reader.u32(), reader.u32()];
  if (type !== 1 || rejected !== 0) throw new Error(`RPC reply refused: status ${rejected}, ${reader.u32()}`);
  reader.u32();
  reader.opaque();
  const accept = reader.u32();
  if (accept !== 0) throw new Error(`RPC reply not successful: accept_stat ${accept}`);
  return reader;
}
