// Opaque data and strings (RFC 4506 §4.9-4.11). Both are bytes here: names in NFS are bytes, not UTF-8. Decoded data
// is a subarray of the received record and lives as long as that does (rpc/call.ts says how long, and how to keep it).

import { at, fixedCodec } from './compile.ts';
import { EXTERNAL_BYTES_MIN } from './writer.ts';
import type { Xdr } from './xdr.ts';
import { padded } from './xdr.ts';

/** opaque[bytes] */
export function fixedOpaque(bytes: number): Xdr<Buffer> {
  return fixedCodec({
    bytes: padded(bytes),
    store: (value, place) => `fixedOpaqueTo(w, ${at(place)}, ${value}, ${bytes});`,
    load: (place) => `opaqueAt(r, ${at(place)}, ${bytes})`,
  });
}

/** opaque<bytesMax>; encoding attaches long data by reference. */
export function opaque(bytesMax: number): Xdr<Buffer> {
  return {
    fixed: undefined,
    bytesMin: 4,
    encode(to, value) {
      if (value.length > bytesMax) throw tooLong(value.length, bytesMax);
      to.opaque(value);
    },
    decode: (from) => from.opaque(bytesMax),
  };
}

/** string<bytesMax>, as bytes: what they mean is for the reader to say. */
export function string(bytesMax: number): Xdr<Buffer> {
  return opaque(bytesMax);
}

/**
 * opaque<bytesMax> that is in several buffers, as READ data often is; decodes to one. Buffers that are lent may be given
 * back once they are sent: nobody else uses them.
 */
export function opaqueParts(bytesMax: number): Xdr<readonly Buffer[]> {
  return {
    fixed: undefined,
    bytesMin: 4,
    encode(to, parts) {
      let count = 0;
      for (const part of parts) count += part.length;
      if (count > bytesMax) throw tooLong(count, bytesMax);
      to.u32(count);
      to.owe(parts);
      for (const part of parts) {
        if (part.length >= EXTERNAL_BYTES_MIN) to.attach(part);
        else to.encoded(part);
      }
      to.pad(count);
    },
    decode: (from) => [from.opaque(bytesMax)],
  };
}

function tooLong(count: number, bytesMax: number): RangeError {
  return new RangeError(`Cannot encode ${count} bytes: at most ${bytesMax} fit here`);
}
