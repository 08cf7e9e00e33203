// Replies (RFC 5531 §9), each one record, written one behind the other for one write.
//
//   record   := last=1:bit length:u31 xid:u32 REPLY=1:u32 (accepted | denied)
//   accepted := MSG_ACCEPTED=0:u32 verifier:(AUTH_NONE=0:u32 0:u32) accept_stat:u32 (result | low:u32 high:u32 | nothing)
//   denied   := MSG_DENIED=1:u32 (RPC_MISMATCH=0:u32 low:u32 high:u32 | AUTH_ERROR=1:u32 auth_stat:u32)

import { XdrWriter } from '../xdr/writer.ts';
import type { Xdr } from '../xdr/xdr.ts';
import { MESSAGE_REPLY } from './call.ts';
import { REFUSALS, type RpcError } from './rpc-error.ts';

const LAST_FRAGMENT = 0x80000000;
/** Record mark, and everything up to the result. */
const ACCEPTED_BYTES = 28;
const MSG_DENIED = 1;
const RPC_MISMATCH = 0;
const AUTH_ERROR = 1;

export class ReplyWriter {
  readonly xdr = new XdrWriter();

  /** Writes nothing when the result cannot be encoded, and throws what its codec threw. */
  success<R>(xid: number, codec: Xdr<R>, result: R | Buffer): void {
    const { xdr } = this;
    const before = xdr.length;
    xdr.mark();
    const at = this.#accepted(xid, 0);
    const { view } = xdr;
    try {
      if (result instanceof Buffer) xdr.encoded(result);
      else codec.encode(xdr, result as R);
    } catch (error) {
      xdr.rewind();
      throw error;
    }
    // Result and header may be in different buffers: the mark is where the header is.
    view.setUint32(at, LAST_FRAGMENT | (xdr.length - before - 4));
  }

  refusal(xid: number, error: RpcError): void {
    const { xdr } = this;
    const before = xdr.length;
    const { accepted, status } = REFUSALS[error.code];
    const at = accepted ? this.#accepted(xid, status) : this.#denied(xid);
    const { view } = xdr;
    if (error.code === 'RPC_MISMATCH') xdr.u32(RPC_MISMATCH);
    else if (!accepted) {
      xdr.u32(AUTH_ERROR);
      xdr.u32(status);
    }
    if (error.code === 'RPC_MISMATCH' || error.code === 'PROG_MISMATCH') {
      xdr.u32(error.low);
      xdr.u32(error.high);
    }
    view.setUint32(at, LAST_FRAGMENT | (xdr.length - before - 4));
  }

  #accepted(xid: number, status: number): number {
    const at = this.xdr.reserve(ACCEPTED_BYTES);
    const { view } = this.xdr;
    view.setUint32(at + 4, xid);
    view.setUint32(at + 8, MESSAGE_REPLY);
    view.setUint32(at + 12, 0);
    view.setUint32(at + 16, 0);
    view.setUint32(at + 20, 0);
    view.setUint32(at + 24, status);
    return at;
  }

  #denied(xid: number): number {
    const at = this.xdr.reserve(16);
    const { view } = this.xdr;
    view.setUint32(at + 4, xid);
    view.setUint32(at + 8, MESSAGE_REPLY);
    view.setUint32(at + 12, MSG_DENIED);
    return at;
  }
}
