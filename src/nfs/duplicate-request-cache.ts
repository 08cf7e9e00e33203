// Replies to calls that must not be done twice. A client that misses a reply sends the call again, after a restart of
// the server too; then it gets the reply of the first time instead of an EEXIST or a NOENT.
//
// A hit needs the same address (the port may change with a new connection), xid, procedure and checksum of the whole
// call with its credential, within 120 s. Replies are held to 8,192 and 8 MiB (kept-replies.ts). A call that is still
// being served is answered, both times, when it ends; it is no subject to these limits, for to forget it would be to do it
// twice, and how many there can be is limited where calls are read (rpc/limits.ts).
//
// What succeeded is also committed with the operation itself, in a ring of 4,096 REPLY rows (see reply-record.ts), so
// that the answer is there exactly when the effect is.

import type { Clock } from '../clock.ts';
import type { Eventual } from '../eventual.ts';
import type { Receipt } from '../fs/file-system.ts';
import { type AnsweredCall, KeptReplies, REPLY_AGE_MAX_MS } from './kept-replies.ts';
import { decodeReply, encodeReply, type ReplyRecord, RING_REPLY_BYTES_MAX } from './reply-record.ts';
import type { RpcCall } from './rpc/call.ts';
import { ServedCalls } from './served-calls.ts';

export const RING_SLOTS = 4096;

/** Makes the row for a successful reply, in the turn in which its operation is staged. */
export type ReceiptOf = (reply: Buffer) => Receipt | undefined;

export class DuplicateRequestCache {
  hits = 0;
  private readonly clock: Clock;
  private readonly kept: KeptReplies;
  /** What is still being served. */
  private readonly served = new ServedCalls();
  private nextSlot = 0;
  private nextSequence = 1;

  constructor(clock: Clock) {
    this.clock = clock;
    this.kept = new KeptReplies(clock);
  }

  /** Calls that would be answered from here. */
  get size(): number {
    return this.kept.size + this.served.size;
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
      this.nextSequence = newest.record.sequence + 1;
    }
    for (const { record } of found) {
      // A wall clock that was set back makes a row look as if it came from the future: it is new, then.
      const ageMs = Math.max(0, nowSeconds - record.seconds) * 1000;
      if (ageMs >= REPLY_AGE_MAX_MS) continue;
      this.kept.keep(record, record.checksum, record.reply, ageMs);
    }
  }

  /** Serves a call, or answers it as it was answered before. */
  run(call: RpcCall, procedure: number, serve: (receiptOf: ReceiptOf) => Eventual<Buffer>): Eventual<Buffer> {
    const answered = { address: call.peer.address, xid: call.xid, procedure };
    const checksum = call.checksum();
    const served = this.served.find(answered);
    const known = served?.checksum === checksum ? served.reply : this.kept.find(answered, checksum);
    if (known !== undefined) {
      this.hits++;
      return known;
    }
    const reply = serve((bytes) => this.receipt(answered, checksum, bytes));
    // Under the same xid as this one: its client has gone on.
    if (served) this.served.delete(served);
    if (reply instanceof Promise) return this.keepLater(answered, checksum, reply);
    this.kept.keep(answered, checksum, reply);
    return reply;
  }

  private keepLater(
    { address, xid, procedure }: AnsweredCall,
    checksum: number,
    answer: Promise<Buffer>,
  ): Promise<Buffer> {
    // Answered through the same promise as whoever asks again: each one more costs a turn of the queue and the collector.
    const reply = answer.then(
      (reply) => {
        if (this.served.delete(served)) this.kept.keep(served, checksum, reply);
        return reply;
      },
      (error: unknown) => {
        this.served.delete(served);
        throw error;
      },
    );
    const served = { address, xid, procedure, checksum, reply };
    this.served.add(served);
    return reply;
  }

  private receipt(
    { address, xid, procedure }: AnsweredCall,
    checksum: number,
    reply: Buffer,
  ): Receipt | undefined {
    if (reply.length > RING_REPLY_BYTES_MAX) return undefined;
    const slot = this.nextSlot;
    this.nextSlot = (slot + 1) % RING_SLOTS;
    const sequence = this.nextSequence++;
    const { seconds } = this.clock.now();
    return { slot, value: encodeReply({ sequence, seconds, address, xid, procedure, checksum, reply }) };
  }
}
