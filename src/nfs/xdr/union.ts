// Discriminated unions (RFC 4506 §4.15, 4.19). A union's value is flat: the discriminant is a property beside the
// fields of its arm, which is also how TypeScript narrows it.

import { Code } from './compile.ts';
import { u32 } from './primitives.ts';
import {
  bytesMinOf,
  type Fields,
  literalOf,
  loadFields,
  type Struct,
  storedFields,
  type ValueOf,
} from './struct.ts';
import type { Xdr } from './xdr.ts';

type Arms = Readonly<Record<number, Fields>>;

/** `{ readonly how: 0; … } | { readonly how: 1; … }` */
export type UnionOf<D extends string, A extends Arms> = {
  [K in keyof A & number]: { readonly [P in D]: K } & ValueOf<A[K]>;
}[keyof A & number];

/**
 * union switch (discriminant). An arm is the fields that follow its value: `{}` is void.
 *
 *   union('how', { 0: { attributes: sattr3 }, 1: { attributes: sattr3 }, 2: { verifier: fixedOpaque(8) } })
 */
export function union<const D extends string, const A extends Arms>(
  discriminant: D,
  arms: A,
): Xdr<UnionOf<D, A>> {
  return compile(discriminant, Object.entries(arms), undefined);
}

/**
 * union switch (status) { case 0: ok; default: fail; }: the shape of every NFS and MOUNT result. A value to encode that
 * has no status is a success: to copy a result for its sake would cost more than to encode it.
 */
export type ReplyOf<O extends Fields, F extends Fields, S extends number> =
  | ({ readonly status?: 0 } & ValueOf<O>)
  | ({ readonly status: S } & ValueOf<F>);

export function reply<O extends Fields, F extends Fields, S extends number = number>(
  ok: Struct<O>,
  fail: Struct<F>,
): Xdr<ReplyOf<O, F, S>> {
  return compile('status', [['0', ok.fields]], fail.fields, 'v.status ?? 0');
}

/** bool followed by the value when true: XDR's optional-data, and unions on a bool. */
export function optional<T>(item: Xdr<T>): Xdr<T | undefined> {
  const code = new Code();
  const present = code.store([
    { value: '1', codec: u32 },
    { value: 'v', codec: item },
  ]);
  const encode = `if (v === undefined) return w.u32(0);\n${present}`;
  const decode = `if (!flag(r.u32())) return undefined;\n${code.load([{ name: 'value', codec: item }])}return value;`;
  return code.codec(encode, decode, 4);
}

function compile<T>(
  name: string,
  arms: [string, Fields][],
  otherwise: Fields | undefined,
  discriminant = `v.${name}`,
): Xdr<T> {
  const code = new Code();
  const cases = arms.map(([value, fields]) => ({ label: `case ${value}`, fields }));
  if (otherwise) cases.push({ label: 'default', fields: otherwise });
  const stores = cases.map(
    ({ label, fields }) =>
      `${label}: {\n${code.store([{ value: 'arm', codec: u32 }, ...storedFields(fields)])}return;\n}`,
  );
  const loads = cases.map(
    ({ label, fields }) =>
      `${label}: {\n${loadFields(code, fields)}return ${literalOf(fields, `${name}: arm, `)};\n}`,
  );
  const encode = `const arm = ${discriminant};\nswitch (arm) {\n${stores.join('\n')}\n}\nthrow noArmToEncode('${name}', arm);`;
  const decode = `const arm = r.u32();\nswitch (arm) {\n${loads.join('\n')}\n}\nthrow noArm('${name}', arm);`;
  return code.codec(encode, decode, 4 + Math.min(...cases.map(({ fields }) => bytesMinOf(fields))));
}
