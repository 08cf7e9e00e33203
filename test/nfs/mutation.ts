// Hostile records from honest ones, by a seed.

import { RECORD_BYTES_MAX } from '../../src/nfs/rpc/record.ts';

/** A number from 0 to below `limit`. */
export type Random = (limit: number) => number;

/** mulberry32 */
export function generator(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

/** Lengths, counts, discriminants and marks where off-by-one errors live. */
export const EDGES: readonly number[] = [
  0,
  1,
  2,
  3,
  4,
  5,
  16,
  17,
  64,
  65,
  255,
  256,
  400,
  404,
  RECORD_BYTES_MAX,
  0x7fffffff,
  0x80000000,
  0xfffffffc,
  0xffffffff,
];
/** Words of a call in front of an AUTH_SYS name. */
const HEADER_WORDS = 11;

/** Words at their edges, bits flipped, ends cut off or added, parts doubled or left out: one to four of these. */
export function mutate(random: Random, original: Buffer): Buffer {
  let bytes: Buffer = Buffer.from(original);
  const edge = () => EDGES[random(EDGES.length)]!;
  for (let times = random(4); times >= 0; times--) {
    const at = random(bytes.length + 1);
    const kind = random(7);
    if (kind <= 1 && bytes.length >= 4) bytes.writeUInt32BE(edge(), Math.min(at & ~3, bytes.length - 4));
    if (kind === 2 && bytes.length >= 4 * HEADER_WORDS) bytes.writeUInt32BE(edge(), 4 * random(HEADER_WORDS));
    if (kind === 3 && at < bytes.length) bytes[at]! ^= 1 << random(8);
    if (kind === 4) bytes = bytes.subarray(0, at);
    if (kind === 5) bytes = Buffer.concat([bytes, Buffer.alloc(random(64), random(256))]);
    if (kind === 6) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(bytes.length + 1))]);
  }
  return bytes;
}

/** What is no call ends its connection, and with it the calls behind: mostly give the message the identity of one. */
export function mutateCall(random: Random, original: Buffer): Buffer {
  const bytes = mutate(random, original);
  if (random(100) === 0) return bytes;
  const whole = bytes.length < 24 ? Buffer.concat([bytes, Buffer.alloc(24 - bytes.length)]) : bytes;
  whole.writeUInt32BE(0, 4);
  return whole;
}
