// A process of closed loops, a connection each; clients.mjs starts it.
//
//   → { port, dataset, mixes: [[call, …], …] }   a mix for each loop
//   ← 'ready'
//   → { seconds }                                any number of times
//   ← { loops: [{ call: Float64Array of ms }, …], busy }   in the order of the mixes; busy: CPU seconds a second

import { lookup, mkdir } from '../test/rig/nfs-calls.mjs';
import { NfsClient } from '../test/rig/nfs-client.mjs';
import { ClosedLoop } from './closed-loop.mjs';
import { mixedCalls } from './load-calls.mjs';

/** Of each loop, from one place of the directory on. */
const FILES = 32;

process.once('message', async ({ port, dataset, mixes }) => {
  const loops = await connectAll({ port, dataset, mixes });
  process.on('message', async ({ seconds }) => process.send(await runAll(loops, seconds)));
  process.send('ready');
});

async function connectAll({ port, dataset, mixes }) {
  const { client, root } = await NfsClient.mount({ port, exportPath: `/${dataset}` }, { reserved: false });
  const { file: parent } = await client.must(lookup(root, 'f'));
  const { file: directory } = await client.must(lookup(parent, 'd00000'));
  const entries = await client.list(directory);
  const loops = [];
  for (const [number, mix] of mixes.entries()) {
    const files = Array.from({ length: FILES }, (_, i) => entries[(number * FILES + i) % entries.length]);
    const { file: own } = await client.must(mkdir(root, `loop-${process.pid}-${number}`));
    loops.push(await ClosedLoop.connect(port, mixedCalls(mix, { files, directory, own })));
  }
  client.close();
  return loops;
}

async function runAll(loops, seconds) {
  const before = process.cpuUsage();
  const results = await Promise.all(loops.map((loop) => loop.run({ seconds })));
  const { user, system } = process.cpuUsage(before);
  return { loops: results.map(packed), busy: (user + system) / 1e6 / seconds };
}

function packed(times) {
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, Float64Array.from(list)]));
}
