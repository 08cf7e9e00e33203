// The value of a REPLY key: a call and the reply that it got, in the envelope of checked-value.ts.
//
//   body := sequence:u64 seconds:u64 xid:u32 checksum:u32 procedure:u8 addressBytes:u8 address reply
//
// `sequence` orders the rows of the ring: the one with the greatest is the newest.

import { getU32, getU64, putU32, putU64 } from '../fs/big-endian.ts';
import { CHECKED_BODY_AT, checkedBody, sealChecked, unfilledValue } from '../fs/checked-value.ts';
import { DamageError } from '../fs/versioned-value.ts';

/** On disk: never renumber. */
const FORMAT = 1;
const ADDRESS_AT = 26;
/** Results of the procedures that are kept have at most 400 bytes; a longer reply is kept in memory alone. */
export const RING_REPLY_BYTES_MAX = 1024;

export interface ReplyRecord {
  readonly sequence: number;
  /** Wall clock: when it was answered. */
  readonly seconds: number;
  readonly address: string;
  readonly xid: number;
  readonly procedure: number;
  readonly checksum: number;
  readonly reply: Buffer;
}

export function encodeReply(record: ReplyRecord): Buffer {
  const { address, reply } = record;
  const value = unfilledValue(FORMAT, ADDRESS_AT + address.length + reply.length);
  const body = CHECKED_BODY_AT;
  putU64(value, body, record.sequence);
  putU64(value, body + 8, record.seconds);
  putU32(value, body + 16, record.xid);
  putU32(value, body + 20, record.checksum);
  value[body + 24] = record.procedure;
  value[body + 25] = address.length;
  // Not write(): it takes twice as long.
  for (let at = 0; at < address.length; at++) value[body + ADDRESS_AT + at] = address.charCodeAt(at);
  value.set(reply, body + ADDRESS_AT + address.length);
  return sealChecked(value);
}

/** Undefined for a damaged row: then a retransmission is served as a new call. */
export function decodeReply(value: Buffer): ReplyRecord | undefined {
  try {
    const body = checkedBody(value, FORMAT, ADDRESS_AT, 'a kept reply');
    const replyAt = ADDRESS_AT + body[25]!;
    if (replyAt > body.length) return undefined;
    return {
      sequence: getU64(body, 0),
      seconds: getU64(body, 8),
      xid: getU32(body, 16),
      checksum: getU32(body, 20),
      procedure: body[24]!,
      address: body.toString('latin1', ADDRESS_AT, replyAt),
      reply: body.subarray(replyAt),
    };
  } catch (error) {
    if (error instanceof DamageError) return undefined;
    throw error;
  }
}
