// The scalar types (RFC 4506 §4.1-4.5, 4.16).

import { at, fixedCodec } from './compile.ts';
import type { Xdr } from './xdr.ts';

/** unsigned int, and every enum of ours: unknown values are for the procedure to judge. */
export const u32: Xdr<number> = fixedCodec({
  bytes: 4,
  store: (value, place) => `${place.view}.setUint32(${at(place)}, ${value});`,
  load: (place) => `${place.view}.getUint32(${at(place)})`,
});

/** int */
export const i32: Xdr<number> = fixedCodec({
  bytes: 4,
  store: (value, place) => `${place.view}.setInt32(${at(place)}, ${value});`,
  load: (place) => `${place.view}.getInt32(${at(place)})`,
});

/**
 * unsigned hyper as a safe integer. Decoding saturates at 2^53-1, which is above every limit we advertise: a READ out
 * there is end of file and a WRITE is too big, without a special case. Eight bytes that are only echoed (verifiers)
 * are `fixedOpaque(8)`; cookies are two u32.
 */
export const u64: Xdr<number> = fixedCodec({
  bytes: 8,
  store: (value, place) =>
    `${place.view}.setUint32(${at(place)}, ${value} / 4294967296); ` +
    `${place.view}.setUint32(${at({ ...place, offset: place.offset + 4 })}, ${value});`,
  load: (place) => `loadU64(${place.view}, ${at(place)})`,
});

/** bool: nothing but 0 and 1. */
export const bool: Xdr<boolean> = fixedCodec({
  bytes: 4,
  store: (value, place) => `${place.view}.setUint32(${at(place)}, ${value} ? 1 : 0);`,
  load: (place) => `flag(${place.view}.getUint32(${at(place)}))`,
});

/** void: no bytes. */
export const nothing: Xdr<undefined> = fixedCodec({
  bytes: 0,
  store: () => '',
  load: () => 'undefined',
});

/** Whatever is left of the message, unread. */
export const rest: Xdr<undefined> = {
  fixed: undefined,
  bytesMin: 0,
  encode() {},
  decode(from) {
    from.position = from.end;
    return undefined;
  },
};
