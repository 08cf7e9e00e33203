// npm run bench:load: the server under load and in size. Many connections, a client beside a stream and a deletion, many files,
// one file that is nearly all hole, and mixed work round after round; into docs/performance.md.
//
//   node bench/load.mjs [--quick] [--only PART] [--full] [--out FILE]
//
// PART: connections, latency, dataset, directory, sparse or endurance. endurance takes a minute, with --quick 10 seconds, with
// --full an hour. --quick takes nearly two minutes, and its figures are for a look; it and --only write no page unless --out
// names one. --full: besides that hour, ten million files in a dataset and one million in a directory instead of a hundred
// thousand, which take another; over two hours in all.

import path from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, needPrograms, PROJECT, temporaryDirectory } from '../test/rig/places.mjs';
import { runSuite } from '../test/rig/report.mjs';
import { CairnServer } from '../test/rig/servers.mjs';
import { measureConnections } from './load-connections.mjs';
import { measureEndurance } from './load-endurance.mjs';
import { measureLatency } from './load-latency.mjs';
import { measureSize } from './load-size.mjs';
import { measureSparse } from './load-sparse.mjs';
import { buildGenerator } from './million.mjs';
import { writeSections } from './page.mjs';
import { commandOf, sectionOf } from './section.mjs';
import { BenchVolume } from './snapshot-volume.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    full: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});

const CONNECTIONS = [1, 16, 64, 256];
const [inDataset, inDirectory] = options.full ? [10_000_000, 1_000_000] : [100_000, 100_000];
const { size, latency, connections, sparse, endurance } = options.quick
  ? {
      connections: { seconds: 1 },
      latency: { rounds: 1, seconds: 2, files: 10_000 },
      size: { rounds: { warm: 1, cold: 1 }, seconds: 0.3, most: 20_000, coldSteps: ['LOOKUP'] },
      sparse: { writes: 2000 },
      endurance: { seconds: 10, share: 1 / 20 },
    }
  : {
      connections: { seconds: 5 },
      latency: { rounds: 3, seconds: 8, files: 50_000 },
      size: { rounds: { warm: 3, cold: 2 }, seconds: 1, most: Number.POSITIVE_INFINITY },
      sparse: { writes: 10_000 },
      // Shares that give each sixth of the time some rounds.
      endurance: options.full ? { seconds: 3600, share: 1 } : { seconds: 60, share: 1 / 6 },
    };

await runSuite(async (report, undo) => {
  needPrograms('bench', ['python3']);
  await buildGenerator();
  const directory = temporaryDirectory(undo, 'bench-load');
  const parts = {
    connections: (volume) => measureConnections({ volume, undo, counts: CONNECTIONS, ...connections }),
    latency: (volume) => measureLatency({ volume, undo, directory, ...latency }),
    dataset: () => sizeOf({ files: inDataset, perDirectory: 1000 }),
    directory: () => sizeOf({ files: inDirectory }),
    sparse: (volume) => measureSparse({ volume, ...sparse }),
    endurance: (volume) => measureEndurance({ volume, ...endurance }),
  };
  const sizeOf = ({ files, perDirectory }) =>
    measureSize({ undo, directory, files: Math.min(files, size.most), perDirectory, ...size });
  const tables = [];
  for (const [name, measure] of Object.entries(parts)) {
    if (options.only && options.only !== name) continue;
    await report.check(name, async () => {
      const server = new CairnServer({ directory: path.join(directory, name), port: await freePort() });
      undo.push(() => server.stop());
      await server.start();
      tables.push(await measure(await BenchVolume.open(server)));
      await server.stop();
      return `${tables.at(-1).rows.length} rows`;
    });
  }
  const section = sectionOf({
    title: 'Under load and in size',
    measuredBy: commandOf('bench:load', options),
    tables,
  });
  const written =
    options.out ?? (options.quick || options.only ? undefined : path.join(PROJECT, 'docs/performance.md'));
  if (written) await writeSections(written, section);
  else console.log(section);
});
