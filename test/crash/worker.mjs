// One worker of the load: a connection, a directory of its own, and one operation after the other in it (only the
// WRITEs between two COMMITs go out together). What it knows of each reply goes into its model.
//
// A strict server promises each change of names with its reply. A relaxed one does with the next COMMIT or stable
// WRITE; until then a crash may take back changes, the last ones first.

import * as calls from '../rig/nfs-calls.mjs';
import { decodeReply, NfsClient } from '../rig/nfs-client.mjs';
import { Disconnected, RpcConnection } from '../rig/rpc-connection.mjs';
import { FileModel } from './file-model.mjs';
import { add, addLink, DirectoryModel, drop, isBelow, move, SymlinkModel, walk } from './tree-model.mjs';

const NODES_MAX = 40;
const FILE_BYTES_MAX = 400_000;
const WRITE_BYTES = [1, 100, 4096, 5000, 16_384, 33_000, 65_536, 150_000];

const WEIGHTS = {
  create: 14,
  writeUnstable: 22,
  commit: 14,
  writeStable: 14,
  rename: 12,
  remove: 8,
  link: 5,
  mkdir: 4,
  rmdir: 2,
  symlink: 3,
  truncate: 5,
  chmod: 3,
  read: 5,
};

/** A relaxed server may lose a SETATTR, of which the model keeps no history. */
const RELAXED_WEIGHTS = { ...WEIGHTS, truncate: 0, chmod: 0 };

/** The server answered what it must not: found while the load runs, not after the crash. */
class LoadError extends Error {}

export class Worker {
  acknowledged = 0;
  /** The non-idempotent call in flight: `{ call, record, apply }`. */
  inFlight = undefined;
  /** The last one that was answered: `{ call, record, reply }`. */
  answered = undefined;
  flushRequested = false;
  /** How to undo what the server has answered but not promised yet, in order. */
  unpromised = [];
  #relaxed;
  #client;
  #random;
  #serial = 0;

  constructor(name, random, { relaxed }) {
    this.name = name;
    this.#relaxed = relaxed;
    this.home = new DirectoryModel();
    this.#random = random;
  }

  /** Connects, and makes the worker's own directory in `root` when it is new. */
  async begin(server, root) {
    this.#client = new NfsClient(await RpcConnection.connect({ port: server.port }));
    this.home.file ??= (await this.#client.must(calls.mkdir(root, this.name))).file;
  }

  /** Works until the connection ends or `isOver` says so. */
  async work(isOver) {
    try {
      while (!isOver()) {
        if (this.flushRequested) await this.#flush();
        else await this.#step();
      }
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
    } finally {
      this.#client.close();
    }
  }

  async #step() {
    const nodes = [...walk(this.home)];
    const weights = this.#relaxed ? RELAXED_WEIGHTS : WEIGHTS;
    const many = nodes.length > NODES_MAX ? { remove: 60, rmdir: 20 } : {};
    await this[this.#random.weighted({ ...weights, ...many })](nodes);
  }

  async #flush() {
    for (const { node } of walk(this.home)) if (node.kind === 'file') await this.#commit(node);
    this.flushRequested = false;
  }

  async #must(call) {
    const reply = await this.#client.send(call);
    if (reply.status !== 0)
      throw new LoadError(`${this.name}: procedure ${call.procedure} answered ${reply.status}`);
    this.acknowledged += 1;
    return reply;
  }

  /** Sends a call that changes names; `apply` changes the model as its success does, and answers how to undo it. */
  async #change(call, apply) {
    const record = this.#client.record(call);
    this.inFlight = { call, record, apply };
    const reply = await this.#client.connection.exchange(record);
    const decoded = decodeReply(call, reply);
    if (decoded.status !== 0)
      throw new LoadError(`${this.name}: procedure ${call.procedure} answered ${decoded.status}`);
    this.inFlight = undefined;
    this.answered = { call, record, reply: Buffer.from(reply) };
    this.acknowledged += 1;
    const undo = apply(decoded);
    if (this.#relaxed) this.unpromised.push(undo);
  }

  #directory(nodes) {
    return this.#random.pick([
      this.home,
      ...nodes.map(({ node }) => node).filter(({ kind }) => kind === 'directory'),
    ]);
  }

  #file(nodes) {
    const files = nodes.filter(({ node }) => node.kind === 'file');
    return files.length > 0 ? this.#random.pick(files).node : undefined;
  }

  #newName() {
    this.#serial += 1;
    return `${this.#random.pick(['f', 'name-', 'ä', 'x'.repeat(60)])}${this.#serial}`;
  }

  async create(nodes) {
    const [directory, name, node] = [this.#directory(nodes), this.#newName(), new FileModel(0o644)];
    await this.#change(calls.create(directory.file, name, 0o644), (made) =>
      place(directory, name, node, made),
    );
  }

  async mkdir(nodes) {
    const [directory, name, node] = [this.#directory(nodes), this.#newName(), new DirectoryModel()];
    await this.#change(calls.mkdir(directory.file, name), (made) => place(directory, name, node, made));
  }

  async symlink(nodes) {
    const [directory, name] = [this.#directory(nodes), this.#newName()];
    const node = new SymlinkModel(`../${name}/${'t'.repeat(this.#random.below(300))}`);
    await this.#change(calls.symlink(directory.file, name, node.target), (made) =>
      place(directory, name, node, made),
    );
  }

  async link(nodes) {
    const [directory, name, node] = [this.#directory(nodes), this.#newName(), this.#file(nodes)];
    if (!node) return;
    await this.#change(calls.link(node.file, directory.file, name), () => addLink(directory, name, node));
  }

  async remove(nodes) {
    const names = nodes.filter(({ node }) => node.kind !== 'directory');
    if (names.length === 0) return;
    const { directory, name } = this.#random.pick(names);
    await this.#change(calls.remove(directory.file, name), () => drop(directory, name));
  }

  async rmdir(nodes) {
    const empty = nodes.filter(({ node }) => node.kind === 'directory' && node.children.size === 0);
    if (empty.length === 0) return;
    const { directory, name } = this.#random.pick(empty);
    await this.#change(calls.rmdir(directory.file, name), () => drop(directory, name));
  }

  /** To a new name, or (a third of them) over an existing one of a fitting type. */
  async rename(nodes) {
    if (nodes.length === 0) return;
    const { directory: from, name: fromName, node } = this.#random.pick(nodes);
    const fits = nodes.filter(({ node: other }) => node.kind !== 'directory' && other.kind !== 'directory');
    const over = fits.length > 0 && this.#random.below(3) === 0 ? this.#random.pick(fits) : undefined;
    const [to, toName] = over ? [over.directory, over.name] : [this.#directory(nodes), this.#newName()];
    if (node.kind === 'directory' && isBelow(to, node)) return;
    await this.#change(calls.rename(from.file, fromName, to.file, toName), () =>
      move(from, fromName, to, toName),
    );
  }

  async writeUnstable(nodes) {
    const node = this.#file(nodes);
    if (!node) return;
    let offset = this.#offset(node);
    const writes = [];
    for (let count = 1 + this.#random.below(5); count > 0 && offset < FILE_BYTES_MAX; count--) {
      const data = this.#random.bytes(this.#random.pick(WRITE_BYTES));
      writes.push(this.#write(node, offset, data, calls.Stable.unstable));
      offset += data.length + (this.#random.below(3) === 0 ? this.#random.below(9000) : 0);
    }
    await settleAll(writes);
  }

  async writeStable(nodes) {
    const node = this.#file(nodes);
    if (!node) return;
    await this.#write(
      node,
      this.#offset(node),
      this.#random.bytes(this.#random.pick(WRITE_BYTES)),
      calls.Stable.fileSync,
    );
  }

  /** The end of the file, somewhere in it, or a little behind it. */
  #offset(node) {
    const size = node.current.length;
    const limit = Math.max(1, Math.min(FILE_BYTES_MAX, size));
    return [
      size % FILE_BYTES_MAX,
      this.#random.below(limit),
      Math.min(FILE_BYTES_MAX, size + this.#random.below(20_000)),
    ][this.#random.below(3)];
  }

  async #write(node, offset, data, stable) {
    const write = node.sent(offset, data);
    const reply = await this.#must(calls.write(node.file, offset, data, stable));
    if (reply.count !== data.length)
      throw new LoadError(`${this.name}: WRITE of ${data.length} took ${reply.count}`);
    if (reply.committed < stable)
      throw new LoadError(`${this.name}: WRITE asked for ${stable}, got ${reply.committed}`);
    write.acknowledged = true;
    write.verifier = reply.verifier;
    if (reply.committed !== calls.Stable.fileSync) return;
    node.settled(write);
    this.unpromised = [];
  }

  async commit(nodes) {
    const node = this.#file(nodes.filter(({ node: one }) => one.kind === 'file' && one.pending.length > 0));
    if (node) await this.#commit(node);
  }

  async #commit(node) {
    const covered = node.pending.filter(({ acknowledged }) => acknowledged);
    const { verifier } = await this.#must(calls.commit(node.file));
    const other = covered.find((write) => write.verifier !== verifier);
    if (other)
      throw new LoadError(`${this.name}: COMMIT's verifier ${verifier} is not the WRITE's ${other.verifier}`);
    node.committed(covered);
    this.unpromised = [];
    this.verifier = verifier;
  }

  async truncate(nodes) {
    const node = this.#file(nodes);
    if (!node) return;
    const size = this.#random.below(3) === 0 ? 0 : this.#random.below(node.current.length + 10_000);
    node.askedSize = size;
    await this.#must(calls.setattr(node.file, { size }));
    node.truncated(size);
  }

  async chmod(nodes) {
    const node = this.#file(nodes);
    if (!node) return;
    node.askedMode = 0o600 + this.#random.below(64);
    await this.#must(calls.setattr(node.file, { mode: node.askedMode }));
    node.mode = node.askedMode;
    node.askedMode = undefined;
  }

  async read(nodes) {
    const node = this.#file(nodes);
    if (!node || node.current.length === 0) return;
    const offset = this.#random.below(node.current.length);
    const { data } = await this.#must(calls.read(node.file, offset, 65_536));
    const want = node.current.subarray(offset, offset + data.length);
    if (data.length === 0 || !data.equals(want))
      throw new LoadError(`${this.name}: READ shows other bytes at ${offset}`);
  }
}

function place(directory, name, node, { file, attributes }) {
  node.file = file === undefined ? undefined : Buffer.from(file);
  node.fileid = attributes?.fileid;
  return add(directory, name, node);
}

/** Waits for all, then throws the first failure: none may be left behind unobserved. */
async function settleAll(promises) {
  const results = await Promise.allSettled(promises);
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
}
