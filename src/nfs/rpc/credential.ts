// Who a call says it is from (RFC 5531 §8.2, appendix A).
//
//   opaque_auth := flavor:u32 length:u32 body padding       the body is at most 400 bytes
//   AUTH_SYS    := stamp:u32 machine:string<255> uid:u32 gid:u32 groups:u32<16>
//
// A client sends the same credential with call after call, so a connection keeps the last one: a Credential is
// immutable and stays the same object while its bytes stay the same, and may be the key of a WeakMap.

import { string } from '../xdr/opaque.ts';
import { u32 } from '../xdr/primitives.ts';
import type { XdrReader } from '../xdr/reader.ts';
import { array } from '../xdr/sequence.ts';
import { struct } from '../xdr/struct.ts';
import { padded, XdrError } from '../xdr/xdr.ts';
import { RpcError } from './rpc-error.ts';

export const AUTH_NONE = 0;
export const AUTH_SYS = 1;

const AUTH_BYTES_MAX = 400;
const MACHINE_BYTES_MAX = 255;
const GROUPS_MAX = 16;

export interface Credential {
  readonly flavor: typeof AUTH_NONE | typeof AUTH_SYS;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** The client's own word for itself. */
  readonly machine: string;
}

/** The uid and gid that NFS servers give to nobody. */
export const NOBODY = 65534;
/** "-1", which is no uid and no gid: systems mean "leave it" by it, and a Linux client cannot read a file's owner so. */
export const NO_ID = 0xffff_ffff;

/** Who an AUTH_NONE call comes from. */
export const anonymous: Credential = { flavor: AUTH_NONE, uid: NOBODY, gid: NOBODY, groups: [], machine: '' };

const authSys = struct({
  stamp: u32,
  machine: string(MACHINE_BYTES_MAX),
  uid: u32,
  gid: u32,
  groups: array(u32, GROUPS_MAX),
});

export class CredentialReader {
  #last: Credential = anonymous;
  #lastLength = -1;
  #lastWords: Uint32Array = new Uint32Array(0);

  /** Reads a call's credential. @throws RpcError of the AUTH kind */
  read(from: XdrReader): Credential {
    const flavor = authWord(from, 'AUTH_BADCRED');
    const length = authLength(from, 'AUTH_BADCRED');
    if (flavor === AUTH_NONE) {
      from.position += padded(length);
      return anonymous;
    }
    if (flavor !== AUTH_SYS)
      throw new RpcError('AUTH_REJECTEDCRED', `Cannot accept credential: flavor ${flavor}`);
    const end = from.position + padded(length);
    if (!this.#isLast(from, length)) this.#decode(from, length);
    from.position = end;
    return this.#last;
  }

  #isLast(from: XdrReader, length: number): boolean {
    if (length !== this.#lastLength) return false;
    const words = this.#lastWords;
    const { view, position } = from;
    for (let i = 0; i < words.length; i++) if (view.getUint32(position + 4 * i) !== words[i]) return false;
    return true;
  }

  #decode(from: XdrReader, length: number): void {
    const start = from.position;
    const messageEnd = from.end;
    from.end = start + length;
    try {
      const { machine, uid, gid, groups } = authSys.decode(from);
      from.finish();
      this.#last = Object.freeze({ flavor: AUTH_SYS, uid, gid, groups, machine: machine.toString() });
    } catch (error) {
      if (!(error instanceof XdrError)) throw error;
      throw new RpcError('AUTH_BADCRED', error.message);
    } finally {
      from.end = messageEnd;
    }
    const words = new Uint32Array(padded(length) / 4);
    for (let i = 0; i < words.length; i++) words[i] = from.view.getUint32(start + 4 * i);
    this.#lastWords = words;
    this.#lastLength = length;
  }
}

/** Steps over the verifier, which neither flavor uses. @throws RpcError `AUTH_BADVERF` */
export function skipVerifier(from: XdrReader): void {
  const flavor = authWord(from, 'AUTH_BADVERF');
  const length = authLength(from, 'AUTH_BADVERF');
  if (flavor !== AUTH_NONE) throw new RpcError('AUTH_BADVERF', `Cannot accept verifier: flavor ${flavor}`);
  from.position += padded(length);
}

function authWord(from: XdrReader, code: 'AUTH_BADCRED' | 'AUTH_BADVERF'): number {
  if (from.remaining < 4) throw new RpcError(code, 'Cannot read authentication: the call ends before it');
  return from.u32();
}

/** The length of a body that is at most as long as allowed, and is all there. */
function authLength(from: XdrReader, code: 'AUTH_BADCRED' | 'AUTH_BADVERF'): number {
  const length = authWord(from, code);
  if (length > AUTH_BYTES_MAX)
    throw new RpcError(
      code,
      `Cannot accept authentication of ${length} bytes: at most ${AUTH_BYTES_MAX} are allowed`,
    );
  if (padded(length) > from.remaining)
    throw new RpcError(
      code,
      `Cannot read authentication of ${length} bytes: only ${from.remaining} are left`,
    );
  return length;
}
