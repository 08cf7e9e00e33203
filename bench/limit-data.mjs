// What file data costs a Node process that does nothing else: no file system, no RPC, nothing looked up. A client in a
// process of its own asks for units of data, or sends them, some at a time; the server takes them from a file and sends
// them, or takes them from the socket and puts them into one. What is between this and the server is ours to save.
//
//   node bench/limit-data.mjs
//
//   read          from a file in the system's cache, in the thread pool, into a buffer that is used again
//   read, sums    the same, and a CRC32 of each 4 KiB, as the server checks what it has read
//   overwrite     over pages that the system's cache has, as nfs-ganesha does with a file that is written again
//   write         behind what was written before, as a log does: each page is new. Both with an fdatasync each 64 MiB
//
// Figures: MiB a second, and milliseconds of the server's CPU for a MiB, the thread pool and the kernel's share included.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasync, ftruncateSync, openSync, read, write, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { crc32 } from '@node-rs/crc32';
import { needBuild, temporaryDirectory } from '../test/rig/places.mjs';
import { runSuite } from '../test/rig/report.mjs';

const MIB = 2 ** 20;
const SECONDS = 3;
const FILE_BYTES = 256 * MIB;
const SYNC_BYTES = 64 * MIB;
const SUM_BYTES = 4096;
const ASK_BYTES = 16;
const KINDS = ['read', 'read, sums', 'overwrite', 'write'];
const SHAPES = [
  { unit: MIB, depth: 1 },
  { unit: MIB, depth: 4 },
  { unit: MIB / 16, depth: 16 },
];
const [readLater, writeLater, syncLater] = [read, write, fdatasync].map((call) => promisify(call));

/** Serves one kind of one size to whoever connects; answers with the port. */
async function serve({ kind, unit, directory }) {
  const main = needBuild();
  const { readDirectly } = await import(path.join(path.dirname(main), 'nfs/rpc/direct-read.js'));
  const file = openSync(path.join(directory, 'data'), 'w+');
  for (let at = 0; at < FILE_BYTES; at += MIB) writeSync(file, Buffer.alloc(MIB, at), 0, MIB, at);
  const free = [];
  const taken = () => free.pop() ?? Buffer.allocUnsafeSlow(unit);
  let written = 0;
  let end = 0;
  let number = 0;

  function failed(error) {
    console.error(error);
    process.exit(1);
  }

  async function send(socket) {
    const data = taken();
    // Of all places, none twice in a row.
    const at = (number++ * 7919 * unit) % FILE_BYTES;
    await readLater(file, data, 0, unit, at);
    if (kind === 'read, sums')
      for (let sum = 0; sum < unit; sum += SUM_BYTES) crc32(data.subarray(sum, sum + SUM_BYTES));
    socket.write(data, () => free.push(data));
  }

  async function store(socket, data) {
    if (kind === 'overwrite') end = (number++ * 7919 * unit) % FILE_BYTES;
    else if (end + unit > FILE_BYTES) {
      ftruncateSync(file, 0);
      end = 0;
    }
    const at = end;
    end += unit;
    written += unit;
    await writeLater(file, data, 0, unit, at);
    if (written >= SYNC_BYTES) {
      written = 0;
      await syncLater(file);
    }
    free.push(data);
    socket.write(Buffer.alloc(ASK_BYTES));
  }

  const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
    const isRead = kind.startsWith('read');
    const bytes = isRead ? ASK_BYTES : unit;
    let data = isRead ? Buffer.alloc(64 * 1024) : taken();
    let filled = 0;
    const socket = readDirectly(accepted, {
      space: () => data.subarray(filled),
      received(count) {
        filled += count;
        if (isRead) {
          for (; filled >= bytes; filled -= bytes) send(socket).catch(failed);
        } else if (filled === bytes) {
          store(socket, data).catch(failed);
          data = taken();
          filled = 0;
        }
      },
    });
    socket.on('error', () => {});
    socket.resume();
  });
  process.on('disconnect', () => closeSync(file));
  process.on('message', () => process.send(process.cpuUsage()));
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

/** Units a second, with `depth` of them under way. */
async function load({ kind, unit, depth, port }) {
  const isRead = kind.startsWith('read');
  const replyBytes = isRead ? unit : ASK_BYTES;
  const call = Buffer.alloc(isRead ? ASK_BYTES : unit, 1);
  const into = Buffer.alloc(MIB);
  let bytes = 0;
  let replies = 0;
  const socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer: into,
      callback(count) {
        bytes += count;
        for (; bytes >= replyBytes; bytes -= replyBytes) {
          replies++;
          socket.write(call);
        }
        return true;
      },
    },
  });
  await once(socket, 'connect');
  for (let number = 0; number < depth; number++) socket.write(call);
  await sleep(1000);
  const before = replies;
  const startMs = performance.now();
  process.send('begun');
  await sleep(SECONDS * 1000);
  process.send({ units: replies - before, seconds: (performance.now() - startMs) / 1000 });
}

async function measure(report, undo) {
  const directory = temporaryDirectory(undo, 'limit-data');
  for (const kind of KINDS) {
    for (const { unit, depth } of SHAPES) {
      await report.check(`${kind}, ${unit / 1024} KiB, depth ${depth}`, async () => {
        const server = startPart('serve', { kind, unit, directory });
        undo.push(() => server.kill());
        const [port] = await once(server, 'message');
        const client = startPart('load', { kind, unit, depth, port });
        undo.push(() => client.kill());
        await once(client, 'message');
        const before = await cpuOf(server);
        const [{ units, seconds }] = await once(client, 'message');
        const after = await cpuOf(server);
        for (const ended of [client, server]) {
          ended.kill();
          await once(ended, 'exit');
        }
        const mib = (units * unit) / MIB;
        return `${Math.round(mib / seconds)} MiB/s, CPU ${((after - before) / mib).toFixed(2)} ms a MiB`;
      });
    }
  }
}

function startPart(part, options) {
  return fork(fileURLToPath(import.meta.url), [part, JSON.stringify(options)]);
}

/** Milliseconds. */
async function cpuOf(server) {
  server.send('cpu');
  const [{ user, system }] = await once(server, 'message');
  return (user + system) / 1000;
}

const [part, options] = process.argv.slice(2);
if (part === 'serve') await serve(JSON.parse(options));
else if (part === 'load') await load(JSON.parse(options));
else await runSuite(measure);
