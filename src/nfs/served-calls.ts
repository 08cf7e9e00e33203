// Calls that are being served, by what a retransmission of them has in common with them. The keys are small numbers: a
// string of address, xid and procedure would be made and hashed for each call.

import type { AnsweredCall } from './kept-replies.ts';

export interface ServedCall extends AnsweredCall {
  readonly checksum: number;
  readonly reply: Promise<Buffer>;
}

const NONE: readonly ServedCall[] = [];

interface Link {
  readonly call: ServedCall;
  /** Of another client, or another procedure, whose key is the same. */
  next: Link | undefined;
}

export class ServedCalls {
  size = 0;
  private readonly chains = new Map<number, Link>();

  /** Those of the address with this number: several where programs behind one address number alike. */
  find(call: AnsweredCall): readonly ServedCall[] {
    let found: ServedCall[] | undefined;
    for (let link = this.chains.get(keyOf(call)); link; link = link.next) {
      if (!isSame(link.call, call)) continue;
      found ??= [];
      found.push(link.call);
    }
    return found ?? NONE;
  }

  add(call: ServedCall): void {
    const key = keyOf(call);
    this.chains.set(key, { call, next: this.chains.get(key) });
    this.size++;
  }

  /** False when it was not there. */
  delete(call: ServedCall): boolean {
    const key = keyOf(call);
    let before: Link | undefined;
    let link = this.chains.get(key);
    for (; link && link.call !== call; link = link.next) before = link;
    if (!link) return false;
    if (before) before.next = link.next;
    else if (link.next) this.chains.set(key, link.next);
    else this.chains.delete(key);
    this.size--;
    return true;
  }
}

function isSame(one: AnsweredCall, other: AnsweredCall): boolean {
  return (
    one.xid === other.xid &&
    one.procedure === other.procedure &&
    one.conversation.address === other.conversation.address
  );
}

function keyOf({ xid, procedure }: AnsweredCall): number {
  return (xid ^ (procedure << 24)) | 0;
}
