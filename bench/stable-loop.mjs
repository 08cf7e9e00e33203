// The least that a change on stable storage can take: 4 KiB into a file that has its blocks already, and fdatasync, again
// and again, as a journal does. No server, no client, no thread but this one. clients.mjs starts it.
//
//   → { directory }   ← 'ready'   → { seconds }   ← Float64Array of ms

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';

const FILE_BYTES = 8 << 20;
const BLOCK = Buffer.alloc(4096, 1);

process.once('message', ({ directory }) => {
  const file = path.join(directory, 'stable-loop');
  const fd = openSync(file, 'w');
  writeSync(fd, Buffer.alloc(FILE_BYTES, 1), 0, FILE_BYTES, 0);
  fdatasyncSync(fd);
  process.on('message', ({ seconds }) => process.send(writeStably(fd, seconds)));
  process.once('disconnect', () => closeSync(fd));
  process.send('ready');
});

function writeStably(fd, seconds) {
  const times = [];
  const deadline = performance.now() + seconds * 1000;
  for (let at = 0, begun = performance.now(); begun < deadline; at = (at + BLOCK.length) % FILE_BYTES) {
    writeSync(fd, BLOCK, 0, BLOCK.length, at);
    fdatasyncSync(fd);
    const now = performance.now();
    times.push(now - begun);
    begun = now;
  }
  return Float64Array.from(times);
}
