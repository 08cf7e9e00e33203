// Values whose body is a MessagePack map, in the envelope of checked-value.ts.

import { Packr } from 'msgpackr';
import { CHECKED_BODY_AT, checkedBody, checkedValue, sealChecked } from './checked-value.ts';
import { DamageError } from './versioned-value.ts';

// Plain maps: a record structure of msgpackr's own would need the table of structures to be read again.
const packr = new Packr({ useRecords: false, variableMapSize: true });

/** @param record its fields in the order that they are to have on disk */
export function packedValue(format: number, record: object): Buffer {
  const body = packr.pack(record);
  const value = checkedValue(format, body.length);
  value.set(body, CHECKED_BODY_AT);
  return sealChecked(value);
}

/** @throws DamageError naming `what` */
export function unpackedBody(value: Buffer, format: number, what: string): unknown {
  const body = checkedBody(value, format, 1, what);
  try {
    return packr.unpack(body);
  } catch (error) {
    throw new DamageError(`Cannot read ${what}: its body is no MessagePack`, { cause: error });
  }
}

export function isTexts(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((text) => typeof text === 'string')
  );
}
