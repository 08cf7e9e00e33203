// Replies to calls that must not be done twice. A client that misses a reply sends the call again, after a restart of
// the server too; then it gets the reply of the first time instead of an EEXIST or a NOENT.
//
// A hit needs the same address (the port may change with a new connection), xid, procedure and checksum of the whole
// call with its credential, within 120 s. Entries are held to 8,192 and 8 MiB. A call that is still being served
// is answered, both times, when it ends.
//
// What succeeded is also committed with the operation itself, in a ring of 4,096 REPLY rows (see reply-record.ts), so
// that the answer is there exactly when the effect is.

import type { Clock } from '../clock.ts';
import type { Eventual } from '../eventual.ts';
import type { Receipt } from '../fs/file-system.ts';
import { decodeReply, encodeReply, type ReplyRecord, RING_REPLY_BYTES_MAX } from './reply-record.ts';
import type { RpcCall } from './rpc/call.ts';

export const REPLY_AGE_MAX_MS = 120_000;
export const REPLIES_MAX = 8192;
export const REPLY_BYTES_MAX = 8 * 2 ** 20;
export const RING_SLOTS = 4096;
const AGE_CHECK_ADDS = 256;

interface Entry {
  readonly checksum: number;
  /** Monotonic. */
  readonly atMs: number;
  reply: Eventual<Buffer>;
  bytes: number;
}

export class DuplicateRequestCache {
  hits = 0;
  private readonly clock: Clock;
  /** In the order of their calls. */
  private readonly entries = new Map<string, Entry>();
  private bytes = 0;
  private nextSlot = 0;
  private adds = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Takes in what an earlier run has committed. Rows that are damaged or too old are passed over. */
  restore(rows: Iterable<readonly [slot: number, value: Buffer]>): void {
    const nowSeconds = this.clock.now().seconds;
    const found: { slot: number; record: ReplyRecord }[] = [];
    for (const [slot, value] of rows) {
      const record = decodeReply(value);
      if (record) found.push({ slot, record });
    }
    found.sort((a, b) => a.record.sequence - b.record.sequence);
    const newest = found.at(-1);
    if (newest) {
      this.nextSlot = (newest.slot + 1) % RING_SLOTS;
      this.sequence = newest.record.sequence + 1;
    }
    for (const { record } of found) {
      const ageMs = Math.max(0, nowSeconds - record.seconds) * 1000;
      if (ageMs >= REPLY_AGE_MAX_MS) continue;
      const entry = {
        checksum: record.checksum,
        atMs: this.clock.elapsedMs() - ageMs,
        reply: record.reply,
        bytes: 0,
      };
      this.add(keyOf(record.address, record.xid, record.procedure), entry);
      this.keep(entry, record.reply);
    }
  }

  /**
   * Serves a call, or answers it as it was answered before. `serve` gets the function that makes the row for a
   * successful reply.
   */
  run(
    call: RpcCall,
    procedure: number,
    serve: (receipt: (reply: Buffer) => Receipt | undefined) => Eventual<Buffer>,
  ): Eventual<Buffer> {
    const { address } = call.peer;
    const key = keyOf(address, call.xid, procedure);
    const checksum = call.checksum();
    const nowMs = this.clock.elapsedMs();
    const known = this.entries.get(key);
    if (known && known.checksum === checksum && nowMs - known.atMs < REPLY_AGE_MAX_MS) {
      this.hits++;
      return known.reply;
    }
    const { xid } = call;
    const reply = serve((bytes) => this.receipt({ address, xid, procedure, checksum, reply: bytes }));
    const entry: Entry = { checksum, atMs: nowMs, reply, bytes: 0 };
    this.add(key, entry);
    if (!(reply instanceof Promise)) {
      this.keep(entry, reply);
      return reply;
    }
    reply.then(
      (bytes) => {
        if (this.entries.get(key) === entry) this.keep(entry, bytes);
      },
      () => this.drop(key, entry),
    );
    return reply;
  }

  get size(): number {
    return this.entries.size;
  }

  private sequence = 1;

  private receipt(answered: Omit<ReplyRecord, 'sequence' | 'seconds'>): Receipt | undefined {
    if (answered.reply.length > RING_REPLY_BYTES_MAX) return undefined;
    const slot = this.nextSlot;
    this.nextSlot = (slot + 1) % RING_SLOTS;
    const record = { ...answered, sequence: this.sequence++, seconds: this.clock.now().seconds };
    return { slot, value: encodeReply(record) };
  }

  private add(key: string, entry: Entry): void {
    const before = this.entries.get(key);
    if (before) this.drop(key, before);
    this.entries.set(key, entry);
    this.trim();
  }

  private keep(entry: Entry, reply: Buffer): void {
    entry.reply = reply;
    entry.bytes = reply.length;
    this.bytes += reply.length;
    this.trim();
  }

  private drop(key: string, entry: Entry): void {
    if (this.entries.get(key) !== entry) return;
    this.entries.delete(key);
    this.bytes -= entry.bytes;
  }

  private trim(): void {
    const full = this.entries.size > REPLIES_MAX || this.bytes > REPLY_BYTES_MAX;
    // Age is looked at on every call for the entry itself; here it only gives memory back.
    if (!full && this.adds++ % AGE_CHECK_ADDS !== 0) return;
    const oldestMs = this.clock.elapsedMs() - REPLY_AGE_MAX_MS;
    for (const [key, entry] of this.entries) {
      const stillFull = this.entries.size > REPLIES_MAX || this.bytes > REPLY_BYTES_MAX;
      if (!stillFull && entry.atMs > oldestMs) return;
      this.drop(key, entry);
    }
  }
}

function keyOf(address: string, xid: number, procedure: number): string {
  return `${address} ${xid} ${procedure}`;
}
