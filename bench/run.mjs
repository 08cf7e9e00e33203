// npm run bench: this server, strict and then relaxed, against nfs-ganesha, step by step in turn, into
// docs/performance.md; and the memory test.
//
//   node bench/run.mjs [--quick] [--only STEPS] [--out FILE] [--compare FILE] [--no-million] [--no-spin] [--repeats N]
//
// --no-spin leaves out the load generator's spinners, which keep a virtual machine's processors awake: where the system's
// scheduler makes whoever wakes beside them wait for its tick (4 ms), every stable write does.
//
// --quick takes minutes instead of an hour, and its figures are for a look: it writes no page unless --out names one.
// Beside a page NAME.md stands the run itself, NAME.json. --compare NAME.json says what became slower since that run by
// more than the noise, and fails when something did.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, needPrograms, PROJECT, sharedFolder, temporaryDirectory } from '../test/rig/places.mjs';
import { runOk } from '../test/rig/processes.mjs';
import { runSuite } from '../test/rig/report.mjs';
import { CairnServer, GaneshaServer } from '../test/rig/servers.mjs';
import { CPU_FLOORS, CPU_GOALS, RATE_FLOORS, RATE_GOALS } from './goals.mjs';
import { buildGenerator, checkMillion } from './million.mjs';
import { performancePage, writeFormatted, writeSections } from './page.mjs';
import { recordOf, regressions } from './recorded.mjs';
import { judgeCpu, judgeRates } from './verdicts.mjs';

const MODES = { strict: [], relaxed: ['--durability', 'relaxed'] };
const SUITE_MS = 3 * 3_600_000;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    out: { type: 'string' },
    compare: { type: 'string' },
    'no-million': { type: 'boolean', default: false },
    'no-spin': { type: 'boolean', default: false },
    repeats: { type: 'string', default: '3' },
  },
});

// Read before the run, which may write it anew.
const recorded = options.compare && JSON.parse(readFileSync(options.compare, 'utf8'));

await runSuite(async (report, undo) => {
  needPrograms('bench', ['ganesha.nfsd', 'python3']);
  await buildGenerator();
  const directory = temporaryDirectory(undo, 'bench');
  const peers = await startPeers(undo, directory);
  const rowsOf = {};
  const tables = {};
  for (const [mode, flags] of Object.entries(MODES)) {
    await report.check(`the steps of the suite, ${mode}`, async () => {
      const server = new CairnServer({
        directory: path.join(directory, mode),
        port: await freePort(),
        flags: ['--insecure-ports', ...flags],
      });
      undo.push(() => server.stop());
      await server.start();
      ({ rows: rowsOf[mode], table: tables[mode] } = await runSteps(mode, directory, {
        ours: server,
        ...peers,
      }));
      await server.stop();
      return `${rowsOf[mode].length} runs`;
    });
  }
  for (const peer of Object.values(peers)) await peer.stop();
  const count = options.quick ? 100_000 : 1_000_000;
  const million = options['no-million'] ? [] : await checkMillion({ report, undo, directory, count });
  if (!rowsOf.strict || !rowsOf.relaxed) return;
  const results = judgeAll(rowsOf);
  reportFloors(report, results);
  const record = recordOf(rowsOf);
  if (recorded) reportRegressions(report, regressions(recorded, record));
  const page = performancePage({ tables, results, million, count, directory, options });
  const target = options.out ?? (options.quick ? undefined : path.join(PROJECT, 'docs/performance.md'));
  if (!target) {
    console.log(page);
    return;
  }
  await writeSections(target, page);
  await writeFormatted(target.replace(/(\.md)?$/, '.json'), JSON.stringify(record));
});

async function startPeers(undo, directory) {
  const peers = {};
  for (const [name, kind] of Object.entries({ vfs: 'VFS', mem: 'MEM' })) {
    peers[name] = new GaneshaServer({ directory: path.join(directory, name), port: await freePort(2), kind });
    undo.push(() => peers[name].stop());
    await peers[name].start();
  }
  return peers;
}

async function runSteps(mode, directory, targets) {
  const perf = sharedFolder('perf');
  const cold = (folder) => `python3 ${path.join(perf, 'dropcache.py')} ${folder}`;
  const folders = { ours: targets.ours.dataDir, vfs: targets.vfs.exportPath };
  const named = Object.entries(targets).map(([name, { port, mountPort, exportPath, pid }]) => {
    const end = folders[name] ? `:${cold(folders[name])}` : '';
    return `${name}=${port}:${mountPort}:${exportPath}:${pid}${end}`;
  });
  const out = path.join(directory, `${mode}.jsonl`);
  const size = options.quick
    ? ['--repeats', '1', '--scale', '0.1', '--seconds', '0.3']
    : ['--repeats', options.repeats];
  const only = options.only ? ['--only', options.only] : [];
  const spin = options['no-spin'] ? ['--no-spin'] : [];
  const args = [
    path.join(perf, 'suite.mjs'),
    '--out',
    out,
    '--tag',
    mode,
    ...size,
    ...spin,
    ...only,
    ...named,
  ];
  const table = await runOk(process.execPath, args, { timeoutMs: SUITE_MS });
  const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
  return { rows: lines.map((line) => JSON.parse(line)), table };
}

function judgeAll(rowsOf) {
  return {
    rateGoals: judgeRates(RATE_GOALS, rowsOf),
    cpuGoals: judgeCpu(CPU_GOALS, rowsOf),
    rateFloors: judgeRates(RATE_FLOORS, rowsOf),
    cpuFloors: judgeCpu(CPU_FLOORS, rowsOf),
  };
}

function reportRegressions(report, worse) {
  if (worse.length === 0) report.pass(`nothing is slower than in ${options.compare}`, 0);
  for (const { mode, step, peer, figure, before, after, noise } of worse) {
    const name = `${figure} of ${step}, ${mode}, against ${peer}: ${before.toFixed(2)} in ${options.compare}`;
    report.fail(name, `${after.toFixed(2)}, noise ${Math.round(noise * 100)} %`, 0);
  }
}

/** A goal that is missed stands in the page; a floor that is missed fails the run. */
function reportFloors(report, { rateFloors, cpuFloors }) {
  for (const { what, peer, goal, ratio, step, met } of [...rateFloors, ...cpuFloors]) {
    const name = `floor: ${what}, against ${peer} ${goal.toFixed(2)}`;
    if (met) report.pass(`${name}: ${ratio.toFixed(2)}`, 0);
    else if (options.only && Number.isNaN(ratio)) report.skip(name, 'not measured');
    else report.fail(name, `${ratio.toFixed(2)} at ${step}`, 0);
  }
}
