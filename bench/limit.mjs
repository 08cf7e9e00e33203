// What strict mutations cost a Node process that does nothing else: calls are taken from the socket, for each of them
// as many bytes as a SETATTR writes go to a journal, one stable write for all that came together, made by the thread
// itself, and then the replies leave together. No file system, no checks, nothing allocated for a call. What is between
// this and the server is ours to save; what is between this and a peer that does not sync is the price of the promise.
//
//   node bench/limit.mjs

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../test/rig/places.mjs';
import { runOk } from '../test/rig/processes.mjs';
import { runSuite } from '../test/rig/report.mjs';
import { buildGenerator } from './million.mjs';

const LOAD = process.env.NFSLOAD ?? '/tmp/nfsload';
/** Of a SETATTR in the journal: the inode, the kept reply, and what is around them. */
const BYTES_A_CALL = 450;
const JOURNAL_BYTES = 8 << 20;
const REPLY_BYTES = 28;
const SECONDS = '3';

/** Answers with the port. */
function serve(directory) {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC;
  const journal = openSync(path.join(directory, 'journal'), flags, 0o600);
  const bytes = Buffer.alloc(JOURNAL_BYTES, 1);
  writeSync(journal, bytes);
  let end = 0;

  function write(calls) {
    const length = calls * BYTES_A_CALL;
    if (end + length > JOURNAL_BYTES) end = 0;
    writeSync(journal, bytes, end, length, end);
    end += length;
  }

  const server = createServer({ noDelay: true }, (socket) => {
    let rest = Buffer.alloc(0);
    socket.on('data', (received) => {
      rest = rest.length > 0 ? Buffer.concat([rest, received]) : received;
      let at = 0;
      const xids = [];
      while (at + 4 <= rest.length) {
        const next = at + 4 + (rest.readUInt32BE(at) & 0x7fffffff);
        if (next > rest.length) break;
        xids.push(rest.readUInt32BE(at + 4));
        at = next;
      }
      rest = rest.subarray(at);
      if (xids.length === 0) return;
      write(xids.length);
      answer(socket, xids);
    });
    socket.on('error', () => {});
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

/** All leave in one write. */
function answer(socket, xids) {
  const replies = Buffer.alloc(xids.length * REPLY_BYTES);
  xids.forEach((xid, index) => {
    const at = index * REPLY_BYTES;
    replies.writeUInt32BE((0x80000000 + REPLY_BYTES - 4) >>> 0, at);
    replies.writeUInt32BE(xid, at + 4);
    replies.writeUInt32BE(1, at + 8);
  });
  socket.write(replies);
}

async function measure(report, undo) {
  await buildGenerator();
  const directory = temporaryDirectory(undo, 'limit');
  const server = fork(fileURLToPath(import.meta.url), ['serve', directory]);
  undo.push(() => server.kill());
  const [port] = await once(server, 'message');
  for (const depth of ['1', '16', '64']) {
    await report.check(`stable calls at depth ${depth}`, async () => {
      const args = ['--port', String(port), '--pid', String(server.pid), '--wl', 'null', '--depth', depth];
      const line = await runOk(LOAD, [...args, '--seconds', SECONDS]);
      const { ops_s, p50_us, p99_us, srv_us_per_op } = JSON.parse(line.slice(line.indexOf('{')));
      return `${Math.round(ops_s)} a second, p50 ${p50_us} us, p99 ${p99_us} us, CPU ${srv_us_per_op} us a call`;
    });
  }
}

if (process.argv[2] === 'serve') process.send(await serve(process.argv[3]));
else await runSuite(measure);
