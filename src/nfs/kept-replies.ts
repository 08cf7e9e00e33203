// Replies by the call that they answered, in the order of the answers: the oldest go when there are too many.
//
// Every change leaves one, and each lives for thousands of others. So they are bytes and numbers in a ring, which V8's
// collector need not carry from one space to the next, and a chained hash table finds them.

import type { Clock } from '../clock.ts';
import type { Conversation } from './rpc/conversation.ts';

export const REPLY_AGE_MAX_MS = 120_000;
export const REPLIES_MAX = 8192;
export const REPLY_BYTES_MAX = 8 * 2 ** 20;

/** In the ring itself. Results of the procedures that are kept have at most 400 bytes. */
const SLOT_BYTES = 512;
const CHAINS = 2 * REPLIES_MAX;
const NONE = -1;
/** Replies of one address under one number: to programs that number alike, each on a connection of its own. */
const ALIKE_MAX = 4;

/** What a slot says of its call: 32 bytes, so that a look at one is one trip to memory. */
const FIELDS = 8;
const XID = 0;
const PROCEDURE = 1;
const CHECKSUM = 2;
const LENGTH = 3;
/** The next slot of the chain. */
const BEHIND = 4;
/** When its client was answered, see {@link Conversation}. */
const TURN = 5;

export interface AnsweredCall {
  readonly conversation: Conversation;
  readonly xid: number;
  readonly procedure: number;
}

export class KeptReplies {
  private readonly clock: Clock;
  /** Undefined where nothing is kept any more. */
  private readonly conversations = new Array<Conversation | undefined>(REPLIES_MAX).fill(undefined);
  private readonly slots = new Int32Array(REPLIES_MAX * FIELDS);
  /** Monotonic: when each was answered. */
  private readonly atMs = new Float64Array(REPLIES_MAX);
  private readonly bytes = Buffer.alloc(REPLIES_MAX * SLOT_BYTES);
  /** Those that are longer than a slot. */
  private readonly long = new Map<number, Buffer>();
  /** The first slot of each chain. */
  private readonly first = new Int32Array(CHAINS).fill(NONE);
  /** The oldest slot, and how many are in use from there on, those among them that were dropped included. */
  private oldest = 0;
  private used = 0;
  private kept = 0;
  private keptBytes = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get size(): number {
    return this.kept;
  }

  /** A copy of the reply to the call, unless it is too old or the call is another one. */
  find({ conversation, xid, procedure }: AnsweredCall, checksum: number): Buffer | undefined {
    const { slots, conversations } = this;
    let isElsewhere = false;
    let slot = this.first[chainOf(xid)]!;
    for (; slot !== NONE; slot = slots[slot * FIELDS + BEHIND]!) {
      const fields = slot * FIELDS;
      if (slots[fields + XID] !== (xid | 0)) continue;
      const answered = conversations[slot]!;
      if (answered.address !== conversation.address || !this.isYoung(slot)) continue;
      const isAlike = slots[fields + PROCEDURE] === procedure && slots[fields + CHECKSUM] === (checksum | 0);
      if (isAlike && conversation.mayRepeat(answered, slots[fields + TURN]!)) return this.replyIn(slot);
      isElsewhere ||= !conversation.isSameAs(answered);
    }
    // Another call under a number that its client has used for one before.
    if (isElsewhere) conversation.numbersAnew = true;
    return undefined;
  }

  private replyIn(slot: number): Buffer {
    const start = slot * SLOT_BYTES;
    const end = start + this.slots[slot * FIELDS + LENGTH]!;
    return Buffer.from(this.long.get(slot) ?? this.bytes.subarray(start, end));
  }

  /** In place of what was kept for the call, or for others under its number once there are many. */
  keep(call: AnsweredCall, checksum: number, reply: Buffer, ageMs = 0): void {
    const before = this.slotOf(call);
    if (before !== NONE) this.drop(before);
    while (this.used > 0 && this.hasToGo(this.oldest, reply.length)) this.dropOldest();
    const slot = (this.oldest + this.used++) % REPLIES_MAX;
    const { conversation, xid, procedure } = call;
    const chain = chainOf(xid);
    const fields = slot * FIELDS;
    this.conversations[slot] = conversation;
    this.slots[fields + XID] = xid;
    this.slots[fields + PROCEDURE] = procedure;
    this.slots[fields + CHECKSUM] = checksum;
    this.slots[fields + LENGTH] = reply.length;
    this.slots[fields + BEHIND] = this.first[chain]!;
    this.slots[fields + TURN] = conversation.turn;
    this.first[chain] = slot;
    this.atMs[slot] = this.clock.elapsedMs() - ageMs;
    if (reply.length > SLOT_BYTES) this.long.set(slot, reply);
    else this.bytes.set(reply, slot * SLOT_BYTES);
    this.kept++;
    this.keptBytes += reply.length;
  }

  private hasToGo(slot: number, newBytes: number): boolean {
    return (
      this.used === REPLIES_MAX ||
      this.keptBytes + newBytes > REPLY_BYTES_MAX ||
      this.conversations[slot] === undefined ||
      !this.isYoung(slot)
    );
  }

  private dropOldest(): void {
    if (this.conversations[this.oldest] !== undefined) this.drop(this.oldest);
    this.oldest = (this.oldest + 1) % REPLIES_MAX;
    this.used--;
  }

  /** Its slot is used again when it is the oldest. */
  private drop(slot: number): void {
    const { slots, first } = this;
    const fields = slot * FIELDS;
    const chain = chainOf(slots[fields + XID]!);
    const next = slots[fields + BEHIND]!;
    if (first[chain] === slot) first[chain] = next;
    else {
      let before = first[chain]!;
      while (slots[before * FIELDS + BEHIND] !== slot) before = slots[before * FIELDS + BEHIND]!;
      slots[before * FIELDS + BEHIND] = next;
    }
    this.conversations[slot] = undefined;
    this.long.delete(slot);
    this.kept--;
    this.keptBytes -= slots[fields + LENGTH]!;
  }

  private slotOf({ conversation, xid, procedure }: AnsweredCall): number {
    const { slots, conversations } = this;
    const wanted = xid | 0;
    let alike = 0;
    let slot = this.first[chainOf(xid)]!;
    for (; slot !== NONE; slot = slots[slot * FIELDS + BEHIND]!) {
      const fields = slot * FIELDS;
      if (slots[fields + XID] !== wanted || slots[fields + PROCEDURE] !== procedure) continue;
      const answered = conversations[slot]!;
      if (answered.address !== conversation.address) continue;
      if (answered.isSameAs(conversation) || ++alike === ALIKE_MAX) break;
    }
    return slot;
  }

  private isYoung(slot: number): boolean {
    return this.clock.elapsedMs() - this.atMs[slot]! < REPLY_AGE_MAX_MS;
  }
}

/** All bits count: clients count their xids up, and those of Linux in the byte order of the client. */
export function chainOf(xid: number): number {
  let hash = Math.imul(xid ^ (xid >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & (CHAINS - 1);
}
