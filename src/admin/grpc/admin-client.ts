// Calls of the admin service on a UNIX socket.

import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../clock.ts';
import type { AdminMethods, CheckMessage, CheckRequest } from './admin-messages.ts';
import { adminService } from './admin-proto.ts';
import type { DiffMessage, DiffRequestMessage } from './diff-messages.ts';

/** A server that has not answered by then will not. */
const CALL_MS = 60_000;

/** Failures of its calls are gRPC's {@link ServiceError}. */
export class AdminClient {
  readonly #clock: Clock;
  readonly #client: Client;

  constructor(socket: string, clock: Clock) {
    this.#clock = clock;
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure(), {
      // Of the server that the user has chosen: a list of many thousand datasets is longer than gRPC's 4 MiB.
      'grpc.max_receive_message_length': -1,
    });
  }

  async call<Method extends keyof AdminMethods>(
    method: Method,
    request: AdminMethods[Method]['request'],
  ): Promise<AdminMethods[Method]['answer']> {
    const { path, requestSerialize, responseDeserialize } = adminService[method];
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        { deadline: this.#clock.now().seconds * 1000 + CALL_MS },
        (error: ServiceError | null, answer?: object) => {
          if (error) reject(error);
          else resolve(answer as AdminMethods[Method]['answer']);
        },
      );
    });
  }

  /** Takes as long as it takes. */
  check(request: CheckRequest): AsyncIterable<CheckMessage> {
    const { path, requestSerialize, responseDeserialize } = adminService.Check;
    return this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
  }

  diff(request: DiffRequestMessage): AsyncIterable<DiffMessage> {
    const { path, requestSerialize, responseDeserialize } = adminService.Diff;
    return this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
  }

  close(): void {
    this.#client.close();
  }
}
