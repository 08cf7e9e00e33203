// Arrays and linked lists (RFC 4506 §4.13, 4.19). Both are loops and both are arrays here; a list has a `true` before
// each item and a `false` behind the last, where an array has its count in front.

import { type Xdr, XdrError } from './xdr.ts';

/** item<countMax> */
export function array<T>(item: Xdr<T>, countMax: number): Xdr<readonly T[]> {
  if (item.bytesMin === 0)
    throw new RangeError('Cannot make array: its items may be empty, so a count costs nothing');
  return {
    fixed: undefined,
    bytesMin: 4,
    encode(to, values) {
      if (values.length > countMax) throw tooMany(values.length, countMax);
      to.u32(values.length);
      for (const value of values) item.encode(to, value);
    },
    decode(from) {
      const count = from.u32();
      if (count > countMax)
        throw new XdrError(`Cannot read ${count} items: at most ${countMax} are allowed here`);
      if (count * item.bytesMin > from.remaining)
        throw new XdrError(`Cannot read ${count} items: only ${from.remaining} bytes are left`);
      const values: T[] = [];
      for (let i = 0; i < count; i++) values.push(item.decode(from));
      return values;
    },
  };
}

/** *item with a pointer to the next one as its last field. */
export function list<T>(item: Xdr<T>, countMax: number): Xdr<readonly T[]> {
  return {
    fixed: undefined,
    bytesMin: 4,
    encode(to, values) {
      if (values.length > countMax) throw tooMany(values.length, countMax);
      for (const value of values) {
        to.u32(1);
        item.encode(to, value);
      }
      to.u32(0);
    },
    decode(from) {
      const values: T[] = [];
      while (from.flag()) {
        if (values.length === countMax)
          throw new XdrError(`Cannot read list: it has more than ${countMax} items`);
        values.push(item.decode(from));
      }
      return values;
    },
  };
}

function tooMany(count: number, countMax: number): RangeError {
  return new RangeError(`Cannot encode ${count} items: at most ${countMax} fit here`);
}
