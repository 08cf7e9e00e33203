// Structures (RFC 4506 §4.14).

import { Code, type FixedCode, identifier, type Stored, shift } from './compile.ts';
import type { Xdr, XdrOf } from './xdr.ts';

export type Fields = Readonly<Record<string, Xdr<unknown>>>;
export type ValueOf<F extends Fields> = { readonly [K in keyof F]: XdrOf<F[K]> };

/** A structure keeps its fields, so that a union can put its discriminant beside them. */
export interface Struct<F extends Fields> extends Xdr<ValueOf<F>> {
  readonly fields: F;
}

/** Fields in wire order: the property order of `fields` is the protocol. */
export function struct<F extends Fields>(fields: F): Struct<F> {
  const code = new Code();
  const encode = code.store(storedFields(fields));
  const decode = `${loadFields(code, fields)}return ${literalOf(fields)};`;
  const codec = code.codec<ValueOf<F>>(encode, decode, bytesMinOf(fields), fixedOf(fields));
  return { ...codec, fields };
}

/** The fields of `v`, to be encoded. */
export function storedFields(fields: Fields): Stored[] {
  return Object.entries(fields).map(([name, codec]) => ({ value: `v.${identifier(name)}`, codec }));
}

/** Statements that decode the fields into constants, which {@link literalOf} makes an object of. */
export function loadFields(code: Code, fields: Fields): string {
  return code.load(Object.entries(fields).map(([name, codec]) => ({ name: local(name), codec })));
}

/** An object literal of decoded fields: one literal, so that all values of a type have one shape. */
export function literalOf(fields: Fields, first = ''): string {
  return `{ ${first}${Object.keys(fields)
    .map((name) => `${name}: ${local(name)}`)
    .join(', ')} }`;
}

export function bytesMinOf(fields: Fields): number {
  return Object.values(fields).reduce((sum, codec) => sum + codec.bytesMin, 0);
}

/** Prefixed, so that a field can be called `r` or `default`. */
const local = (name: string): string => `$${identifier(name)}`;

/** A structure of fixed fields is itself fixed, and lies in its owner's run. */
function fixedOf(fields: Fields): FixedCode | undefined {
  const parts: { name: string; offset: number; fixed: FixedCode }[] = [];
  let bytes = 0;
  for (const [name, { fixed }] of Object.entries(fields)) {
    if (!fixed) return undefined;
    parts.push({ name, offset: bytes, fixed });
    bytes += fixed.bytes;
  }
  return {
    bytes,
    store: (value, place) =>
      parts.map((part) => part.fixed.store(`${value}.${part.name}`, shift(place, part.offset))).join(' '),
    load: (place) =>
      `{ ${parts.map((part) => `${part.name}: ${part.fixed.load(shift(place, part.offset))}`).join(', ')} }`,
  };
}
