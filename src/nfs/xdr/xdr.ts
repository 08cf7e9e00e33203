// What a codec is (RFC 4506). A message is described once, as a table of codecs; encoder, decoder and TypeScript
// type all come from that one value, so they cannot disagree:
//
//   const nfstime3 = struct({ seconds: u32, nseconds: u32 });
//   type NfsTime3 = XdrOf<typeof nfstime3>;      // { readonly seconds: number; readonly nseconds: number }
//
// Decoding trusts nothing and throws XdrError and nothing else. Encoding trusts its caller's types and throws
// RangeError where a value does not fit its codec, for that is a bug of ours and not of the peer.

import type { FixedCode } from './compile.ts';
import type { XdrReader } from './reader.ts';
import type { XdrWriter } from './writer.ts';

export interface Xdr<T> {
  /** How to store and load it in generated code, when every value takes the same number of bytes. */
  readonly fixed: FixedCode | undefined;
  /** Bytes of the shortest encoding: bounds the count of an array before anything is allocated. */
  readonly bytesMin: number;
  encode(to: XdrWriter, value: T): void;
  /** @throws XdrError */
  decode(from: XdrReader): T;
}

export type XdrOf<C> = C extends Xdr<infer T> ? T : never;

/** The peer's bytes are not what the protocol says. */
export class XdrError extends Error {
  override readonly name = 'XdrError';
}

/** XDR items start at multiples of four bytes. */
export const padded = (bytes: number): number => (bytes + 3) & ~3;
