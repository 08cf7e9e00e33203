// A client with one call in flight: a call, its reply, the next. Its records are made before and sent again and again
// with another xid, and of a reply only length and status are looked at, so that hundreds of such clients in one process
// take less of the machine than the server that they measure.

import net from 'node:net';

/** The record mark, and of the reply xid, type, state, verifier's flavour and length (0), and how it was accepted. */
const XID_AT = 4;
const STATUS_AT = 28;
const HEAD_BYTES = 32;
const LAST_FRAGMENT = 0x80000000;

export class ClosedLoop {
  #socket;
  #calls;
  #xid = Math.floor(Math.random() * 2 ** 31);
  #sent = 0;
  #call;
  #begun = 0;
  #head = Buffer.alloc(HEAD_BYTES);
  #received = 0;
  #run;

  constructor(socket, calls) {
    this.#socket = socket;
    this.#calls = calls;
    socket.on('data', (data) => this.#onData(data));
    socket.on('error', (error) => this.#run?.reject(error));
    socket.on('close', () => this.#run?.reject(new Error('the server closed the connection')));
  }

  /** @param calls what is sent in turn: `{ name, record, vary }`, see load-calls.mjs */
  static async connect(port, calls) {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new ClosedLoop(socket, calls);
  }

  /** Goes on for so long, or for so many calls; answers the milliseconds of each, `{ name: [...] }`. */
  run({ seconds = Number.POSITIVE_INFINITY, count = Number.POSITIVE_INFINITY }) {
    const times = Object.fromEntries(this.#calls.map(({ name }) => [name, []]));
    const deadline = performance.now() + seconds * 1000;
    return new Promise((resolve, reject) => {
      this.#run = { times, deadline, left: count, resolve, reject };
      this.#send();
    });
  }

  #send() {
    this.#call = this.#calls[this.#sent % this.#calls.length];
    this.#call.vary?.(this.#sent);
    this.#sent++;
    this.#xid = (this.#xid + 1) >>> 0;
    this.#call.record.writeUInt32BE(this.#xid, XID_AT);
    this.#begun = performance.now();
    this.#socket.write(this.#call.record);
  }

  #onData(data) {
    if (this.#received < HEAD_BYTES) data.copy(this.#head, this.#received);
    this.#received += data.length;
    if (this.#received < HEAD_BYTES) return;
    const mark = this.#head.readUInt32BE(0);
    if (this.#received < 4 + mark - LAST_FRAGMENT) return;
    this.#received = 0;
    this.#onReply(this.#head.readUInt32BE(STATUS_AT));
  }

  #onReply(status) {
    const now = performance.now();
    const { times, deadline, resolve, reject } = this.#run;
    if (status !== 0) {
      reject(new Error(`${this.#call.name} answered status ${status}`));
      return;
    }
    times[this.#call.name].push(now - this.#begun);
    if (--this.#run.left > 0 && now < deadline) this.#send();
    else resolve(times);
  }

  close() {
    this.#run = undefined;
    this.#socket.destroy();
  }
}

/** Sends each of `calls` once, `depth` at a time; answers how many a second were answered. */
export async function askOnce({ port, calls, depth }) {
  const share = Math.ceil(calls.length / depth);
  const loops = [];
  for (let first = 0; first < calls.length; first += share) {
    const part = calls.slice(first, first + share);
    loops.push({ loop: await ClosedLoop.connect(port, part), count: part.length });
  }
  const begun = performance.now();
  await Promise.all(loops.map(({ loop, count }) => loop.run({ count })));
  const seconds = (performance.now() - begun) / 1000;
  for (const { loop } of loops) loop.close();
  return calls.length / seconds;
}
