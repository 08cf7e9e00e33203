// Replies to calls that must not be done twice. A client that misses a reply sends the call again, after a restart of
// the server too; then it gets the reply of the first time instead of an EEXIST or a NOENT.
//
// A hit needs the same address, xid, procedure and checksum of the whole call with its credential, within 120 s. The port
// may change with a new connection, for the clients that do not keep it; then the call must be one that can be waiting for
// its reply still (rpc/conversation.ts). Replies are held to 8,192 and 8 MiB (kept-replies.ts). A call that is still
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
import { Conversation } from './rpc/conversation.ts';
import { type ServedCall, ServedCalls } from './served-calls.ts';

export const RING_SLOTS = 4096;

/** Of connections of an earlier run. */
const NO_PORT = 0;

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
    const conversations = new Map<string, Conversation>();
    for (const { record } of found) {
      // A wall clock that was set back makes a row look as if it came from the future: it is new, then.
      const ageMs = Math.max(0, nowSeconds - record.seconds) * 1000;
      if (ageMs >= REPLY_AGE_MAX_MS) continue;
      const { address, xid, procedure } = record;
      // The run ended behind each of them: any one may be what a client still waits for.
      const conversation = conversations.get(address) ?? new Conversation(address, NO_PORT);
      conversations.set(address, conversation);
      this.kept.keep({ conversation, xid, procedure }, record.checksum, record.reply, ageMs);
    }
  }

  /** Serves a call, or answers it as it was answered before. */
  run(call: RpcCall, procedure: number, serve: (receiptOf: ReceiptOf) => Eventual<Buffer>): Eventual<Buffer> {
    const answered = { conversation: call.conversation, xid: call.xid, procedure };
    const checksum = call.checksum();
    const served = this.served.find(answered);
    const known = replyOf(served, answered, checksum) ?? this.kept.find(answered, checksum);
    if (known !== undefined) {
      this.hits++;
      return known;
    }
    const reply = serve((bytes) => this.receipt(answered, checksum, bytes));
    // Under the same xid as this one: its client has gone on. Another program behind the address has not.
    for (const one of served) if (one.conversation.isSameAs(answered.conversation)) this.served.delete(one);
    if (reply instanceof Promise) return this.keepLater(answered, checksum, reply);
    this.kept.keep(answered, checksum, reply);
    return reply;
  }

  private keepLater(
    { conversation, xid, procedure }: AnsweredCall,
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
    const served = { conversation, xid, procedure, checksum, reply };
    this.served.add(served);
    return reply;
  }

  private receipt(
    { conversation: { address }, xid, procedure }: AnsweredCall,
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

/** What the call will be answered, if it is one of those that are being served. */
function replyOf(
  served: readonly ServedCall[],
  { conversation }: AnsweredCall,
  checksum: number,
): Promise<Buffer> | undefined {
  for (const { conversation: answered, checksum: known, reply } of served) {
    if (known === checksum && conversation.mayRepeat(answered, answered.turn)) return reply;
  }
  if (served.some((one) => !conversation.isSameAs(one.conversation))) conversation.numbersAnew = true;
  return undefined;
}
