// The admin service over its UNIX socket, from the .proto file alone.

import path from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { PROJECT } from './places.mjs';

const CALL_MS = 60_000;
const READY_MS = 10_000;
const { 'cairn.admin.v1.AdminService': service } = loadSync('cairn/admin/v1/admin.proto', {
  includeDirs: [path.join(PROJECT, 'proto')],
  longs: Number,
  enums: String,
  defaults: true,
});

export class AdminClient {
  #client;

  constructor({ socket }) {
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure());
  }

  /** The socket is there a little later than the NFS port. */
  async ready() {
    await new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + READY_MS, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Answers what the server answers; a refusal, or a server that ends meanwhile, is an error with a gRPC `code`. */
  call(method, request = {}) {
    const { path: name, requestSerialize, responseDeserialize } = service[method];
    const deadline = Date.now() + CALL_MS;
    return new Promise((resolve, reject) => {
      const done = (error, answer) => (error ? reject(error) : resolve(answer));
      this.#client.makeUnaryRequest(name, requestSerialize, responseDeserialize, request, { deadline }, done);
    });
  }

  /** What `cairn check` says of the volume while it is served. */
  async findings() {
    const { path: name, requestSerialize, responseDeserialize } = service.Check;
    const found = [];
    const stream = this.#client.makeServerStreamRequest(name, requestSerialize, responseDeserialize, {});
    for await (const { finding } of stream) if (finding) found.push(finding);
    return found;
  }

  close() {
    this.#client.close();
  }
}
