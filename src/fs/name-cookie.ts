// A name's place in its directory. The key of a DIR_ENTRY holds the *bucket*: 63 bits of the keyed hash of the name,
// low 4 bits zero. Names of one bucket share a record and are told apart by an index of 0..15 in those low bits, so
// bucket + index is the entry's READDIR cookie: increasing along a listing, and the same for as long as the name is.
//
// Cookies 0..15 are reserved (0 start, 1 `.`, 2 `..`, 3 `.snapshots`): what hashes to bucket 0 goes to bucket 16.
// 63 bits, because clients keep a cookie in a signed off_t.

import type { Cookie } from './file-system.ts';
import { type Hash64, sipHash } from './siphash.ts';

/** Names that one bucket holds. On disk: never change. */
export const BUCKET_ENTRIES_MAX = 16;
const INDEX_BITS = BUCKET_ENTRIES_MAX - 1;

/** The bucket of a name. */
export type NameCookie = (name: Buffer) => Cookie;

/** Buckets under a volume's key of 16 bytes. Tests give a `hash` of their own to force collisions. */
export function nameCookie(key: Uint8Array, hash: (name: Buffer) => Hash64 = sipHash(key)): NameCookie {
  return (name) => {
    const hashed = hash(name);
    const high = hashed.high & 0x7fff_ffff;
    const low = (hashed.low & ~INDEX_BITS) >>> 0;
    return { high, low: high === 0 && low === 0 ? BUCKET_ENTRIES_MAX : low };
  };
}

/** The cookie of an entry, from its bucket and its index there. */
export function entryCookie(bucket: Cookie, index: number): Cookie {
  return { high: bucket.high, low: bucket.low + index };
}

/** The bucket that an entry's cookie lies in. */
export function bucketOf(cookie: Cookie): Cookie {
  return { high: cookie.high, low: (cookie.low & ~INDEX_BITS) >>> 0 };
}
