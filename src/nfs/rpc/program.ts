// Programs and procedures, the seam between RPC and the protocols on top of it. A procedure is two codecs and one
// function:
//
//   const getattr = procedure({
//     name: 'GETATTR',
//     args: struct({ object: nfsFh3 }),
//     result: reply(struct({ attributes: fattr3 }), struct({})),
//     run(call, { object }) {
//       return attributesOf(object, call.credential);      // a result; a promise of one; or a Buffer
//     },
//   });
//   const nfs3: RpcProgram = { program: 100003, version: 3, name: 'NFS', procedures: [nullProcedure, getattr] };
//
// - A result that is there in the same turn is encoded straight into the connection's reply buffer; nothing is
//   allocated per call except what decoding `args` makes. Test for a promise with `instanceof`, do not `await`.
// - A promise is answered when it settles; other calls of the connection go on meanwhile and may be answered first.
// - A Buffer is the result's XDR bytes, made earlier by `encodeMessage(result, value)`: in the turn of the stage, or
//   by the call that this one repeats. It must not change afterwards.
// - Long opaque data in a result (`opaque`, `opaqueParts`) is sent from where it is, not copied: it must not change
//   afterwards either, and a part of `args` goes through `call.retain`.
// - RpcError and XdrError refuse the call with their status. Anything else thrown is a bug: it is logged with the call
//   and answered SYSTEM_ERR.

import type { Eventual } from '../../eventual.ts';
import { nothing, rest } from '../xdr/primitives.ts';
import type { Xdr } from '../xdr/xdr.ts';
import type { RpcCall } from './call.ts';

export interface Procedure<A, R> {
  readonly name: string;
  readonly args: Xdr<A>;
  readonly result: Xdr<R>;
  /** @see RpcCall for how long `call` and `args` may be used */
  run(call: RpcCall, args: A): Eventual<R | Buffer>;
}

/** A procedure among others, its types forgotten. */
export type AnyProcedure = Procedure<unknown, unknown>;

export interface RpcProgram {
  readonly program: number;
  readonly version: number;
  readonly name: string;
  /** By number; what is missing is PROC_UNAVAIL. */
  readonly procedures: readonly (AnyProcedure | undefined)[];
}

/** Checks a definition against its own codecs. */
export function procedure<A, R>(definition: Procedure<A, R>): AnyProcedure {
  return definition;
}

/** Procedure 0 of every program: answers whoever asks that it is there, whatever else the call says. */
export const nullProcedure: AnyProcedure = procedure({
  name: 'NULL',
  args: rest,
  result: nothing,
  run: () => undefined,
});
