// npm run bench:kernel: what programs see through a real Linux NFS client, into docs/performance.md. One client, a User
// Mode Linux guest, has all servers mounted and runs the same programs on each in turn.
//
//   node bench/kernel.mjs [--quick] [--turns N] [--out FILE] [PART...]
//
//   host     ours, strict and relaxed, beside nfs-ganesha VFS, all on this machine's disk
//   guests   ours, strict and relaxed, beside knfsd and nfs-ganesha VFS, each in a guest with a disk of its own
//
// Of each server N turns, 3 unless said. --quick takes one short turn, and its figures are for a look: it writes no page
// unless --out names one.

import path from 'node:path';
import { parseArgs } from 'node:util';
import { GuestServer } from '../test/crash/guest-server.mjs';
import { kernelClientFolder } from '../test/rig/guest.mjs';
import { freePort, needBuild, needPrograms, PROJECT, temporaryDirectory } from '../test/rig/places.mjs';
import { runOk } from '../test/rig/processes.mjs';
import { runSuite } from '../test/rig/report.mjs';
import { CairnServer, GaneshaServer } from '../test/rig/servers.mjs';
import { ganeshaGuest, knfsdGuest } from './guest-peers.mjs';
import { KernelClient, NO_SERVER, SERVER_CPU } from './kernel-client.mjs';
import { GUESTS_PAGE, HOST_PAGE, sectionOf } from './kernel-page.mjs';
import { buildGenerator } from './million.mjs';
import { writeSections } from './page.mjs';

const PARTS = { host: measureHost, guests: measureGuests };
const RELAXED = ['--durability', 'relaxed'];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    turns: { type: 'string', default: '3' },
    out: { type: 'string' },
  },
});
const size = options.quick
  ? { turns: 1, megabytes: 64, files: 500 }
  : { turns: Number(options.turns), megabytes: 64, files: 1000 };

await runSuite(async (report, undo) => {
  needPrograms('bench', ['ganesha.nfsd', 'git', 'make', 'python3', 'mkfs.ext4', 'e2fsck']);
  const folder = kernelClientFolder('bench');
  // With it comes the library that keeps nfs-ganesha from asking for a port mapper.
  await buildGenerator();
  // All that is started from here on, the relay too, has this processor, but for the client, which has its own. Where the
  // scheduler puts them decides otherwise: the same server's figures were up to five times as high in one turn as in the
  // next. No spinners either: behind them nfs-ganesha's fsync waited for a tick, 4 ms each.
  await runOk('taskset', ['-a', '-c', '-p', String(SERVER_CPU), String(process.pid)]);
  const directory = temporaryDirectory(undo, 'bench-kernel');
  for (const [name, part] of Object.entries(PARTS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const section = await part({ report, undo, folder, directory });
    const target = options.out ?? (options.quick ? undefined : path.join(PROJECT, 'docs/performance.md'));
    if (target) await writeSections(target, section);
    else console.log(section);
  }
});

async function measureHost({ report, undo, folder, directory }) {
  const ours = async (name, flags) =>
    new CairnServer({
      directory: path.join(directory, name),
      port: await freePort(),
      flags: ['--insecure-ports', ...flags],
    });
  const servers = {
    strict: await ours('strict', []),
    relaxed: await ours('relaxed', RELAXED),
    vfs: new GaneshaServer({ directory: path.join(directory, 'vfs'), port: await freePort(2) }),
  };
  for (const server of Object.values(servers)) {
    undo.push(() => server.stop());
    await server.start();
  }
  const turns = await takeTurns({ report, undo, folder, servers });
  for (const server of Object.values(servers)) await server.stop();
  return sectionOf(HOST_PAGE, { turns, size, directory, quick: options.quick });
}

async function measureGuests({ report, undo, folder, directory }) {
  const place = { undo, folder, directory, cpu: SERVER_CPU };
  const ours = async (name, flags) =>
    new GuestServer({ ...place, name, flags, port: await freePort(), main: needBuild() });
  const machines = {
    strict: await ours('strict', []),
    relaxed: await ours('relaxed', RELAXED),
    knfsd: await knfsdGuest(place),
    ganesha: await ganeshaGuest(place),
  };
  const servers = {};
  const missing = [];
  for (const [name, machine] of Object.entries(machines)) {
    try {
      await machine.format();
      await machine.start();
      servers[name] = machine;
    } catch (error) {
      missing.push({ name, why: error.message });
      report.skip(`${name} in a guest`, error.message);
    }
  }
  const turns = await takeTurns({ report, undo, folder, servers });
  return sectionOf(GUESTS_PAGE, { turns, missing, size, directory, quick: options.quick });
}

/** Answers what each turn on each server has measured: `{ name, figures, calls }`. */
async function takeTurns({ report, undo, folder, servers }) {
  const client = await KernelClient.boot({ undo, folder, servers, size });
  const turns = [];
  for (let turn = 1; turn <= size.turns; turn++) {
    for (const name of [NO_SERVER, ...Object.keys(servers)]) {
      await report.check(`turn ${turn} of ${size.turns}, ${name}`, async () => {
        const measured = await client.turn(name);
        turns.push({ name, ...measured });
        return [...measured.figures].map(([figure, value]) => `${figure} ${value}`).join(', ');
      });
    }
  }
  await client.stop();
  return turns;
}
