// RPC over UDP, a call and its reply in a datagram each (RFC 5531 §10), for the port mapper alone: showmount, rpcinfo and
// BSD's mount ask it over UDP even when they go on over TCP. Replies are short, so that a forged sender gains little.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { XdrReader } from '../xdr/reader.ts';
import { RpcCall } from './call.ts';
import { CredentialReader } from './credential.ts';
import { type Endpoint, ListenError, plainAddress } from './endpoint.ts';
import type { RpcLog } from './log.ts';
import type { RpcProgram } from './program.ts';
import { ReplyWriter } from './reply.ts';
import { StreamError } from './rpc-error.ts';
import { RpcService, type Served } from './service.ts';

/** In front of every reply that a {@link ReplyWriter} writes; datagrams have none. */
const MARK_BYTES = 4;

export interface UdpServerOptions {
  readonly programs: readonly RpcProgram[];
  readonly log: RpcLog;
}

export class UdpServer {
  readonly endpoint: Endpoint;
  readonly #socket: Socket;
  readonly #service: RpcService;
  readonly #log: RpcLog;
  readonly #credentials = new CredentialReader();
  readonly #out = new ReplyWriter();

  /** @throws ListenError */
  static async listen(options: UdpServerOptions, endpoint: Endpoint): Promise<UdpServer> {
    const socket = createSocket({ type: isIPv6(endpoint.host) ? 'udp6' : 'udp4' });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => reject(new ListenError(endpoint, error)));
      socket.bind(endpoint.port, endpoint.host, resolve);
    });
    return new UdpServer(options, socket, endpoint.host);
  }

  private constructor({ programs, log }: UdpServerOptions, socket: Socket, host: string) {
    this.endpoint = { host, port: socket.address().port };
    this.#socket = socket;
    this.#service = new RpcService(programs, log);
    this.#log = log;
    socket.removeAllListeners('error');
    socket.on('error', (error) => log.error({ err: error }, 'Cannot receive datagrams'));
    socket.on('message', (bytes, from) => this.#received(bytes, from));
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(resolve));
  }

  #received(bytes: Buffer, from: RemoteInfo): void {
    const call = new RpcCall({ address: plainAddress(from.address), port: from.port });
    const reader = new XdrReader(bytes);
    let served: Served | undefined;
    try {
      call.begin(reader, this.#credentials, false);
      served = this.#service.find(call);
      const result = this.#service.run(served, call, reader);
      if (result instanceof Promise) throw new Error('Cannot answer later over UDP');
      this.#out.success(call.xid, served.procedure.result, result);
    } catch (error) {
      if (error instanceof StreamError) {
        this.#log.debug({ ...call.peer }, `Ignored datagram of ${call.peer.address}: ${error.message}`);
        return;
      }
      this.#service.failed(served, call, error, this.#out);
    }
    // A copy: the socket sends later, and the reply buffer is used again by the next datagram.
    const reply = Buffer.concat(this.#out.xdr.take()).subarray(MARK_BYTES);
    this.#out.xdr.reuse();
    this.#socket.send(reply, from.port, from.address);
  }
}
