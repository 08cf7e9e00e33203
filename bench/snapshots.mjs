// npm run bench:snapshots: what snapshots, clones, rollbacks and what follows from them cost, by the server's own timer
// and by a client's clock, into docs/performance.md; beside btrfs on a loop device where there is one.
//
//   node bench/snapshots.mjs [--quick] [--million] [--out FILE]
//
// --quick takes a minute, and its figures are for a look: it writes no page unless --out names one.

import path from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, PROJECT, temporaryDirectory } from '../test/rig/places.mjs';
import { runSuite } from '../test/rig/report.mjs';
import { CairnServer } from '../test/rig/servers.mjs';
import { btrfsTable } from './btrfs.mjs';
import { buildGenerator } from './million.mjs';
import { writeSections } from './page.mjs';
import { commandOf, sectionOf } from './section.mjs';
import {
  measureDeletion,
  measureDiff,
  measureList,
  measureOverwrites,
  measureReads,
  measureSpace,
} from './snapshot-effects.mjs';
import { measureFlattening, measureOperations } from './snapshot-operations.mjs';
import { BenchVolume } from './snapshot-volume.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    million: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const sizes = options.quick ? [1000, 10_000] : [1000, 100_000, ...(options.million ? [1_000_000] : [])];
const many = options.quick ? { snapshots: 100, listed: 1000 } : { snapshots: 1000, listed: 10_000 };

/** For what goes on in the background. */
const REST_MS = 1_800_000;

await runSuite(async (report, undo) => {
  await buildGenerator();
  const directory = temporaryDirectory(undo, 'bench-snapshots');
  const server = new CairnServer({ directory: path.join(directory, 'server'), port: await freePort() });
  undo.push(() => server.stop());
  await server.start();
  const volume = await BenchVolume.open(server);
  const tables = [];
  const step = (name, measure) =>
    report.check(name, async () => {
      await volume.rest(REST_MS);
      const table = await measure();
      tables.push(table);
      return table.rows.length === 1 ? table.rows[0].join(', ') : `${table.rows.length} rows`;
    });
  for (const files of sizes) {
    await report.check(`${files} files are made`, () => volume.makeFiles(`d${files}`, files));
  }
  await step('snapshot, clone, rollback by the server', () =>
    measureOperations(volume, sizes, many.snapshots),
  );
  await step('overwrites', () => measureOverwrites(volume));
  await step('reads', () => measureReads(volume, many.snapshots));
  await step('diff', () => measureDiff(volume, sizes.at(-1)));
  await step('deletion', () => measureDeletion(volume, options.quick ? 10_000 : 100_000));
  await step('list', () => measureList(volume, many.listed));
  await step('space', () => measureSpace(volume));
  await step('flattening', () => measureFlattening(volume, sizes.at(-1)));
  await step('btrfs', () => btrfsTable());
  const target = options.out ?? (options.quick ? undefined : path.join(PROJECT, 'docs/performance.md'));
  const section = sectionOf({
    title: 'Snapshots',
    measuredBy: commandOf('bench:snapshots', options),
    tables,
  });
  if (target) await writeSections(target, section);
  else console.log(section);
});
