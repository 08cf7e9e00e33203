// Whole messages in buffers of their own, for everything that is not answered on the spot.

import { XdrReader } from './reader.ts';
import { XdrWriter } from './writer.ts';
import type { Xdr } from './xdr.ts';

/** @throws XdrError also when bytes follow the message. */
export function decodeMessage<T>(codec: Xdr<T>, bytes: Buffer): T {
  const from = new XdrReader(bytes);
  const value = codec.decode(from);
  from.finish();
  return value;
}

/** A copy, payloads included: the caller may keep it. */
export function encodeMessage<T>(codec: Xdr<T>, value: T): Buffer {
  try {
    codec.encode(scratch, value);
    const pieces = scratch.take();
    return pieces.length === 1 ? Buffer.from(pieces[0]!) : Buffer.concat(pieces);
  } finally {
    scratch.take();
    scratch.reuse();
  }
}

const scratch = new XdrWriter();
