// What the server's own code takes of a call, and nothing else: from the bytes of a record to those of its reply, in one
// process, with the store and its journal on a memory file system. No socket, no client, no disk. What a step of
// `npm run bench` takes beyond this is the system's, or waiting.
//
//   node bench/limit-code.mjs
//
// Figures: microseconds of the main thread for a call (Linux' schedstat), sixteen calls a turn as at depth 16. Each kind
// is measured in rounds; the first is left out, in which V8 has not compiled the code yet.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  create,
  getattr,
  link,
  lookup,
  mkdir,
  read,
  remove,
  rename,
  setattr,
  write,
} from '../test/rig/nfs-calls.mjs';
import { decodeReply } from '../test/rig/nfs-client.mjs';
import { needBuild, temporaryDirectory } from '../test/rig/places.mjs';
import { runSuite } from '../test/rig/report.mjs';
import { callRecord } from '../test/rig/rpc-connection.mjs';
import { median } from './verdicts.mjs';

const NFS = { program: 100003, version: 3 };
const CALLS = 10_000;
const FILES_A_DIRECTORY = 1000;
const ROUNDS = 5;
const DEPTH = 16;
const PEER = { address: '127.0.0.1', port: 999 };
const BLOCK = Buffer.alloc(4096, 5);
const LARGE_BYTES = 64 * 2 ** 20;
const MEMORY = '/dev/shm';

/** The store as server.ts opens it, and the calls that it serves in place. */
class InProcess {
  #modules;
  #volume;
  #service;
  #conversation;
  #call;
  #credentials;
  #out;
  #region = Buffer.allocUnsafeSlow(128 * 1024);
  #reader;
  #xid = 1;

  static async open(directory) {
    const self = new InProcess();
    await self.#open(directory);
    return self;
  }

  async #open(directory) {
    const dist = path.dirname(needBuild());
    const load = (file) => import(path.join(dist, file));
    this.#modules = Object.assign({}, ...(await Promise.all(MODULES.map(load))));
    const m = this.#modules;
    const log = { error: console.error, warn() {}, info() {}, debug() {} };
    const [cacheBytes, dirtyBytesMax, diskReserveBytes] = [32 << 20, 128 << 20, 1 << 20];
    const opened = { warmBytesMax: 2 ** 32, cacheBytes, repair: false, isThreadFree: () => true };
    const { format, ...stores } = await m.openDataDirectory(directory, opened, m.systemRandom, m.systemClock);
    const settings = { durability: 'strict', relaxedSyncMs: 1000, autoDetach: false };
    this.#volume = await m.openVolume({
      ...{ ...stores, format, clock: m.systemClock, random: m.systemRandom, log },
      settings: { ...settings, cacheBytes, dirtyBytesMax, diskReserveBytes },
    });
    const { datasets, snapshots } = this.#volume;
    const handles = new m.Handles(format);
    const rule = { networks: ['127.0.0.0/8'], datasets: ['*'], access: 'rw', squash: 'none', secure: false };
    const context = {
      ...{ datasets, snapshots, handles, clock: m.systemClock, log, writeVerifier: Buffer.alloc(8) },
      exports: new m.Exports([{ ...rule, anonUid: 65534, anonGid: 65534 }], { log, clock: m.systemClock }),
      duplicates: new m.DuplicateRequestCache(m.systemClock),
      volumeNumber: format.uuid.readUInt32BE(0),
    };
    this.#service = new m.RpcService([m.nfs3Program(context)], log);
    this.#conversation = new m.Conversation(PEER.address, PEER.port);
    this.#call = new m.RpcCall(PEER, this.#conversation);
    this.#credentials = new m.CredentialReader();
    this.#out = new m.ReplyWriter();
    this.#reader = new m.XdrReader(this.#region, 0, 0);
    const dataset = datasets.defaultDataset();
    this.root = handles.encode(dataset.id, await dataset.fileSystem.root());
  }

  /** A promise when the reply has to wait. */
  #serve(record) {
    const call = this.#call;
    record.writeUInt32BE(this.#xid++, 0);
    record.copy(this.#region);
    this.#reader.reset(this.#region, 0, record.length);
    call.begin(this.#reader, this.#credentials, true);
    const served = this.#service.find(call);
    const { result } = served.procedure;
    const reply = this.#service.run(served, call, this.#reader);
    if (!(reply instanceof Promise)) return this.#out.success(call.xid, result, reply);
    this.#call = new this.#modules.RpcCall(PEER, this.#conversation);
    return reply.then((bytes) => this.#out.success(call.xid, result, bytes));
  }

  #replies() {
    const bytes = Buffer.concat(this.#out.xdr.take());
    for (const owed of this.#out.xdr.takeOwed()) this.#modules.lentBuffers.giveBack(owed);
    this.#out.xdr.reuse();
    return bytes;
  }

  async must(call) {
    await this.#serve(recordOf(call));
    const reply = decodeReply(call, this.#replies().subarray(4));
    if (reply.status !== 0) throw new Error(`procedure ${call.procedure} answered status ${reply.status}`);
    return reply;
  }

  /** Microseconds of this thread a call. */
  async measure(records) {
    const before = threadNs();
    for (let at = 0; at < records.length; ) {
      this.#conversation.wentOn(at, DEPTH);
      const waiting = [];
      for (const end = Math.min(records.length, at + DEPTH); at < end; at++) {
        const reply = this.#serve(records[at]);
        if (reply) waiting.push(reply);
      }
      await Promise.all(waiting);
      this.#replies();
    }
    return (threadNs() - before) / 1000 / records.length;
  }

  close() {
    return this.#volume.close();
  }
}

const MODULES = [
  'clock.js',
  'lent-buffers.js',
  'volume.js',
  'kv/data-directory.js',
  'nfs/duplicate-request-cache.js',
  'nfs/exports.js',
  'nfs/handle.js',
  'nfs/nfs3/program.js',
  'nfs/rpc/call.js',
  'nfs/rpc/conversation.js',
  'nfs/rpc/credential.js',
  'nfs/rpc/reply.js',
  'nfs/rpc/service.js',
  'nfs/xdr/reader.js',
];

function recordOf({ procedure, args }) {
  return callRecord({ xid: 0, ...NFS, procedure, args });
}

/** CPU time of the main thread. */
function threadNs() {
  const [ns] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ');
  return Number(ns);
}

/** One round: `{ what: microseconds }`. */
async function round(server, number, large) {
  const figures = {};
  const numbers = Array.from({ length: CALLS }, (_, at) => at);
  const step = async (what, callOf) => {
    figures[what] = await server.measure(numbers.map((at) => recordOf(callOf(at))));
  };
  const directories = [];
  for (let at = 0; at < CALLS; at += FILES_A_DIRECTORY)
    directories.push((await server.must(mkdir(server.root, `d${number}-${at}`))).file);
  const around = (at) => directories[Math.floor(at / FILES_A_DIRECTORY)];
  const name = (at) => `f${String(at).padStart(7, '0')}`;
  await step('CREATE', (at) => create(around(at), name(at)));
  const files = [];
  for (const at of numbers) files.push((await server.must(lookup(around(at), name(at)))).file);
  const spread = (at) => (at * 7) % CALLS;
  await step('GETATTR', (at) => getattr(files[spread(at)]));
  await step('LOOKUP', (at) => lookup(around(spread(at)), name(spread(at))));
  await step('LOOKUP of an absent name', (at) => lookup(around(spread(at)), `absent${at}`));
  await step('SETATTR', (at) => setattr(files[at], { mode: 0o600 }));
  await step('LINK', (at) => link(files[at], around(at), `l${at}`));
  await step('RENAME', (at) => rename(around(at), name(at), around(at), `r${at}`));
  await step('MKDIR', (at) => mkdir(around(at), `m${at}`));
  await step('REMOVE', (at) => remove(around(at), `r${at}`));
  await step('WRITE of 4 KiB, FILE_SYNC', (at) => write(files[at], 0, BLOCK, 2));
  const blocks = LARGE_BYTES / BLOCK.length;
  await step('READ of 4 KiB', (at) => read(large, ((at * 7919) % blocks) * BLOCK.length, BLOCK.length));
  await step('WRITE of 4 KiB', (at) => write(large, ((at * 7919) % blocks) * BLOCK.length, BLOCK, 0));
  return figures;
}

await runSuite(async (report, undo) => {
  const directory = temporaryDirectory(undo, 'limit-code', existsSync(MEMORY) ? MEMORY : undefined);
  const server = await InProcess.open(directory);
  const { file: large } = await server.must(create(server.root, 'large'));
  const piece = Buffer.alloc(64 * 1024, 7);
  for (let at = 0; at < LARGE_BYTES; at += piece.length) await server.must(write(large, at, piece, 2));
  const rounds = [];
  for (let number = 0; number <= ROUNDS; number++) rounds.push(await round(server, number, large));
  for (const what of Object.keys(rounds[0])) {
    await report.check(what, () => {
      const [first, ...warm] = rounds.map((figures) => figures[what]);
      return `${median(warm).toFixed(1)} us a call, ${first.toFixed(1)} in the first round`;
    });
  }
  await server.close();
});
