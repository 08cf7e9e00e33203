// Replies by the call that they answered, in the order of the answers: the oldest go when there are too many.
//
// Every change leaves one, and each lives for thousands of others: as objects in a Map they were a third of what V8's
// collector had to carry from one space to the next. So they are bytes and numbers in a ring, and a chained hash table
// finds them.

import type { Clock } from '../clock.ts';

export const REPLY_AGE_MAX_MS = 120_000;
export const REPLIES_MAX = 8192;
export const REPLY_BYTES_MAX = 8 * 2 ** 20;

/** In the ring itself. Results of the procedures that are kept have at most 400 bytes. */
const SLOT_BYTES = 512;
const CHAINS = 2 * REPLIES_MAX;
const NONE = -1;

export interface AnsweredCall {
  readonly address: string;
  readonly xid: number;
  readonly procedure: number;
}

export class KeptReplies {
  private readonly clock: Clock;
  private readonly addresses = new Array<string | undefined>(REPLIES_MAX).fill(undefined);
  private readonly xids = new Uint32Array(REPLIES_MAX);
  private readonly procedures = new Uint32Array(REPLIES_MAX);
  private readonly checksums = new Uint32Array(REPLIES_MAX);
  /** Monotonic: when it was answered. */
  private readonly atMs = new Float64Array(REPLIES_MAX);
  private readonly lengths = new Uint32Array(REPLIES_MAX);
  private readonly bytes = Buffer.alloc(REPLIES_MAX * SLOT_BYTES);
  /** Those that are longer than a slot. */
  private readonly long = new Map<number, Buffer>();
  /** The first slot of each chain, and the one behind each slot. */
  private readonly first = new Int32Array(CHAINS).fill(NONE);
  private readonly behind = new Int32Array(REPLIES_MAX).fill(NONE);
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

  /** A copy of the reply to the call, unless it is too old or the call was another one. */
  find(call: AnsweredCall, checksum: number): Buffer | undefined {
    const slot = this.slotOf(call);
    if (slot === NONE || this.checksums[slot] !== checksum || !this.isYoung(slot)) return undefined;
    const long = this.long.get(slot);
    if (long) return long;
    const start = slot * SLOT_BYTES;
    return Buffer.from(this.bytes.subarray(start, start + this.lengths[slot]!));
  }

  /** In place of what was kept for the call. */
  keep(call: AnsweredCall, checksum: number, reply: Buffer, ageMs = 0): void {
    const before = this.slotOf(call);
    if (before !== NONE) this.drop(before);
    while (this.used > 0 && this.hasToGo(this.oldest, reply.length)) this.dropOldest();
    const slot = (this.oldest + this.used++) % REPLIES_MAX;
    const { address, xid, procedure } = call;
    this.addresses[slot] = address;
    this.xids[slot] = xid;
    this.procedures[slot] = procedure;
    this.checksums[slot] = checksum;
    this.atMs[slot] = this.clock.elapsedMs() - ageMs;
    this.lengths[slot] = reply.length;
    if (reply.length > SLOT_BYTES) this.long.set(slot, reply);
    else this.bytes.set(reply, slot * SLOT_BYTES);
    const chain = chainOf(xid, procedure);
    this.behind[slot] = this.first[chain]!;
    this.first[chain] = slot;
    this.kept++;
    this.keptBytes += reply.length;
  }

  private hasToGo(slot: number, newBytes: number): boolean {
    return (
      this.used === REPLIES_MAX ||
      this.keptBytes + newBytes > REPLY_BYTES_MAX ||
      this.addresses[slot] === undefined ||
      !this.isYoung(slot)
    );
  }

  private dropOldest(): void {
    if (this.addresses[this.oldest] !== undefined) this.drop(this.oldest);
    this.oldest = (this.oldest + 1) % REPLIES_MAX;
    this.used--;
  }

  /** Its slot is used again when it is the oldest. */
  private drop(slot: number): void {
    const chain = chainOf(this.xids[slot]!, this.procedures[slot]!);
    if (this.first[chain] === slot) this.first[chain] = this.behind[slot]!;
    else {
      let before = this.first[chain]!;
      while (this.behind[before] !== slot) before = this.behind[before]!;
      this.behind[before] = this.behind[slot]!;
    }
    this.addresses[slot] = undefined;
    this.long.delete(slot);
    this.kept--;
    this.keptBytes -= this.lengths[slot]!;
  }

  private slotOf({ address, xid, procedure }: AnsweredCall): number {
    let slot = this.first[chainOf(xid, procedure)]!;
    while (
      slot !== NONE &&
      (this.xids[slot] !== xid || this.procedures[slot] !== procedure || this.addresses[slot] !== address)
    )
      slot = this.behind[slot]!;
    return slot;
  }

  private isYoung(slot: number): boolean {
    return this.clock.elapsedMs() - this.atMs[slot]! < REPLY_AGE_MAX_MS;
  }
}

/** A client counts its xids up: those of one at least are spread evenly. */
function chainOf(xid: number, procedure: number): number {
  return (xid + Math.imul(procedure, 0x9e37)) & (CHAINS - 1);
}
