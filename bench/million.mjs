// One million files in one directory of one dataset: created, listed, statted and deleted by a raw client, with the
// server's memory watched, and the start-up with them and after them.
//
//   node bench/million.mjs [COUNT]

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort, needPrograms, sharedFolder, temporaryDirectory } from '../test/rig/places.mjs';
import { run, runOk } from '../test/rig/processes.mjs';
import { expect, runSuite } from '../test/rig/report.mjs';
import { CairnServer } from '../test/rig/servers.mjs';
import { MILLION_LIMITS } from './goals.mjs';

const LOAD = process.env.NFSLOAD ?? '/tmp/nfsload';
const STEP_MS = 1_800_000;

export async function buildGenerator() {
  needPrograms('bench', ['gcc']);
  await runOk('sh', [path.join(sharedFolder('perf'), 'build.sh')]);
}

/** Answers the rows of the table: `{ step, perSecond, peakMiB }` and `{ step, startMs }`. */
export async function checkMillion({ report, undo, directory, count }) {
  const rows = [];
  const server = new CairnServer({ directory: path.join(directory, 'million'), port: await freePort() });
  undo.push(() => server.stop());
  await server.start();
  const files = [
    '--dir',
    'million',
    '--files',
    String(count),
    '--perdir',
    String(count),
    '--count',
    String(count),
  ];
  const steps = {
    create: ['--wl', 'create', '--depth', '64'],
    list: ['--wl', 'readdirplus', '--size', '65536', '--count', '1'],
    stat: ['--wl', 'stat', '--depth', '64'],
    restart: undefined,
    delete: ['--wl', 'unlink', '--depth', '64'],
    'restart after the deletion': undefined,
  };
  for (const [step, args] of Object.entries(steps)) {
    const passed = await report.check(`${count} files: ${step}`, async () => {
      const row = args ? await load(server, [...files, ...args]) : await restart(server);
      rows.push({ step, ...row });
      expect(!row.errors, () => `${row.errors} errors, the first: ${row.first}`);
      expect(
        !(row.peakMiB > MILLION_LIMITS.peakMiB),
        `peak RSS ${row.peakMiB} MiB, limit ${MILLION_LIMITS.peakMiB}`,
      );
      expect(
        !(row.startMs > MILLION_LIMITS.startMs),
        `start-up ${row.startMs} ms, limit ${MILLION_LIMITS.startMs}`,
      );
      return args ? `${row.perSecond} a second, peak RSS ${row.peakMiB} MiB` : `start-up ${row.startMs} ms`;
    });
    if (!passed && rows.at(-1)?.step !== step) break;
  }
  await server.stop();
  return rows;
}

async function load(server, args) {
  let peakMiB = 0;
  const watch = setInterval(() => {
    peakMiB = Math.max(peakMiB, residentMiB(server.pid));
  }, 100);
  const target = ['--port', String(server.port), '--pid', String(server.pid)];
  const { stdout, stderr } = await run(LOAD, [...target, ...args], { timeoutMs: STEP_MS });
  clearInterval(watch);
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  expect(line, () => `nfsload: ${stderr || 'said nothing'}`);
  const result = JSON.parse(line);
  const perSecond = Math.round(result.items_s || result.ops_s);
  const peak = Math.ceil(Math.max(peakMiB, result.srv_peak_mib));
  return { perSecond, peakMiB: peak, errors: result.errors, first: result.err };
}

function residentMiB(pid) {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib ?? 0) / 1024;
}

async function restart(server) {
  await server.stop();
  return { startMs: Math.round(await server.start()) };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runSuite(async (report, undo) => {
    await buildGenerator();
    const directory = temporaryDirectory(undo, 'million');
    await checkMillion({ report, undo, directory, count: Number(process.argv[2] ?? 1_000_000) });
  });
}
