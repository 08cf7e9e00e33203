// One call: its header (RFC 5531 §9) and what a procedure may ask about it.
//
//   call := xid:u32 CALL=0:u32 rpcvers=2:u32 program:u32 version:u32 procedure:u32 credential verifier arguments
//
// Life of the bytes. Decoded arguments are views of the received record, and the call itself is used again for the
// next one: both are valid until the call is answered, in the same turn or later. What is kept for longer (a file's
// data, a name in a cache) goes through `retain`, which copies where the bytes lie in the connection's receive
// buffer and does nothing where a large record has a buffer of its own.

import { crc32 } from '@node-rs/crc32';
import type { XdrReader } from '../xdr/reader.ts';
import { Conversation } from './conversation.ts';
import { anonymous, type Credential, type CredentialReader, skipVerifier } from './credential.ts';
import { RpcError, StreamError } from './rpc-error.ts';
import { Slab } from './slab.ts';

const RPC_VERSION = 2;
const MESSAGE_CALL = 0;
export const MESSAGE_REPLY = 1;

/** xid and message type: without them there is nothing to answer to. */
const IDENTITY_BYTES = 8;
/** Up to the credential. */
const HEADER_BYTES = 24;

const NO_BYTES = Buffer.alloc(0);

const retained = new Slab();

/** The other end of a connection. */
export interface Peer {
  /** Without port, and IPv4 in its own notation also on an IPv6 socket. */
  readonly address: string;
  readonly port: number;
}

export class RpcCall {
  readonly peer: Peer;
  readonly conversation: Conversation;
  xid = 0;
  program = 0;
  version = 0;
  procedure = 0;
  credential: Credential = anonymous;
  /**
   * Memory that the reply takes, from the work on it until the client has taken it. A procedure whose reply may be long
   * says so, before it returns a promise of it.
   */
  replyBytes = 0;
  #bytes: Buffer = NO_BYTES;
  #start = 0;
  #argumentsStart = 0;
  #end = 0;
  #shared = false;

  constructor(peer: Peer, conversation = new Conversation(peer.address, peer.port)) {
    this.peer = peer;
    this.conversation = conversation;
  }

  /** The size of the record. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** The encoded arguments. */
  get body(): Buffer {
    return this.#bytes.subarray(this.#argumentsStart, this.#end);
  }

  /**
   * CRC-32 of the whole call with its credential, but without the xid: together with client, xid and procedure it
   * tells a retransmission from another call under the same xid.
   */
  checksum(): number {
    return crc32(this.#bytes.subarray(this.#start + 4, this.#end));
  }

  /** `data`, a view of this call's arguments, in a form that may be kept after the call is answered. */
  retain(data: Buffer): Buffer {
    return this.#shared ? retained.copy(data) : data;
  }

  /** Forgets its bytes. */
  letGo(): void {
    this.#bytes = NO_BYTES;
    this.#start = this.#argumentsStart = this.#end = 0;
  }

  /**
   * Takes the record from the reader, which is left at the arguments.
   *
   * @param shared the bytes are used again after the call is answered
   * @throws StreamError when it is no call; RpcError when it is one that must be refused
   */
  begin(from: XdrReader, credentials: CredentialReader, shared: boolean): void {
    const { view, position: start, end } = from;
    if (end - start < IDENTITY_BYTES)
      throw new StreamError(`a record of ${end - start} bytes is no RPC message`);
    const type = view.getUint32(start + 4);
    if (type === MESSAGE_REPLY) throw new StreamError('it sent a reply where only calls are expected');
    if (type !== MESSAGE_CALL) throw new StreamError(`it sent a message of unknown type ${type}`);
    if (end - start < HEADER_BYTES)
      throw new StreamError(`it sent a call of ${end - start} bytes without a header`);
    this.#bytes = from.bytes;
    this.#start = start;
    this.#end = end;
    this.#shared = shared;
    this.xid = view.getUint32(start);
    this.conversation.called(this.xid);
    this.program = view.getUint32(start + 12);
    this.version = view.getUint32(start + 16);
    this.procedure = view.getUint32(start + 20);
    this.credential = anonymous;
    this.replyBytes = 0;
    const rpcVersion = view.getUint32(start + 8);
    if (rpcVersion !== RPC_VERSION)
      throw new RpcError(
        'RPC_MISMATCH',
        `Cannot serve RPC version ${rpcVersion}: only ${RPC_VERSION} is known`,
        {
          low: RPC_VERSION,
          high: RPC_VERSION,
        },
      );
    from.position = start + HEADER_BYTES;
    this.credential = credentials.read(from);
    skipVerifier(from);
    this.#argumentsStart = from.position;
  }
}
