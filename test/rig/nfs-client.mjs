// A raw NFSv3 client: calls go out as they are made, any number at once, over one connection.

import { readdirplus, Status } from './nfs-calls.mjs';
import { acceptedReply, callRecord, RpcConnection } from './rpc-connection.mjs';
import { XdrWriter } from './xdr.mjs';

const NFS = { program: 100003, version: 3 };
const MOUNT = { program: 100005, version: 3 };

/** A reply with a status that the caller did not expect. */
class NfsStatusError extends Error {
  constructor(call, status) {
    super(`procedure ${call.procedure} answered status ${status}`);
    this.status = status;
  }
}

export class NfsClient {
  #connection;
  #xid = Math.floor(Math.random() * 0x7fffffff);
  #who;

  constructor(connection, who = {}) {
    this.#connection = connection;
    this.#who = who;
  }

  /** @param server `{ port, mountPort, exportPath }`; answers the client and the root's handle */
  static async mount(server, { reserved = process.getuid() === 0, ...who } = {}) {
    const root = await mountedRoot(server, reserved);
    const connection = await RpcConnection.connect({ port: server.port, reserved });
    return { client: new NfsClient(connection, who), root };
  }

  get connection() {
    return this.#connection;
  }

  /** The call's record, ready to be sent once or, with the same xid, again. */
  record(call) {
    this.#xid = (this.#xid + 1) >>> 0;
    return callRecord({ xid: this.#xid, ...NFS, procedure: call.procedure, args: call.args, ...this.#who });
  }

  /** Answers `{ status, ...results }`; the results are there only when the status is 0. */
  async send(call, record = this.record(call)) {
    return decodeReply(call, await this.#connection.exchange(record));
  }

  /** As `send`, but a status other than 0 is an NfsStatusError. */
  async must(call) {
    const reply = await this.send(call);
    if (reply.status !== Status.ok) throw new NfsStatusError(call, reply.status);
    return reply;
  }

  /** Every entry of a directory but `.` and `..`, with attributes and handle. */
  async list(directory) {
    const entries = [];
    let cookie = Buffer.alloc(8);
    let verifier = Buffer.alloc(8);
    for (;;) {
      const page = await this.must(readdirplus(directory, cookie, verifier));
      entries.push(...page.entries.filter(({ name }) => name !== '.' && name !== '..'));
      if (page.end) return entries;
      cookie = page.entries.at(-1).cookie;
      verifier = page.verifier;
    }
  }

  close() {
    this.#connection.close();
  }
}

export function decodeReply(call, bytes) {
  const reader = acceptedReply(bytes);
  const status = reader.u32();
  return status === Status.ok ? { status, ...call.decode(reader) } : { status };
}

async function mountedRoot({ port, mountPort = port, exportPath = '/' }, reserved) {
  const connection = await RpcConnection.connect({ port: mountPort, reserved });
  try {
    const args = new XdrWriter().string(exportPath).finish();
    const reader = acceptedReply(
      await connection.exchange(callRecord({ xid: 1, ...MOUNT, procedure: 1, args })),
    );
    const status = reader.u32();
    if (status !== Status.ok) throw new Error(`MOUNT of ${exportPath} answered status ${status}`);
    return Buffer.from(reader.opaque());
  } finally {
    connection.close();
  }
}

/** True when a server answers the NULL procedure. */
export async function answersNull(port) {
  let connection;
  try {
    connection = await RpcConnection.connect({ port });
    const args = Buffer.alloc(0);
    await connection.exchange(callRecord({ xid: 1, ...NFS, procedure: 0, args }));
    return true;
  } catch {
    return false;
  } finally {
    connection?.close();
  }
}
