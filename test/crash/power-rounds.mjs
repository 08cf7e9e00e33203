// Rounds of power loss, and their control: the same machine with fdatasync and fsync stubbed, LevelDB's included,
// must lose what it promised, and the oracle must say so.

import { existsSync } from 'node:fs';
import { kernelClientFolder } from '../rig/guest.mjs';
import { freePort, needBuild, needPrograms } from '../rig/places.mjs';
import { expect, Missing } from '../rig/report.mjs';
import { firstOffence } from './control.mjs';
import { GuestServer } from './guest-server.mjs';
import { Load } from './load.mjs';
import { checkRounds } from './rounds.mjs';

const EATMYDATA = ['/usr/lib/x86_64-linux-gnu/libeatmydata.so', '/usr/lib/aarch64-linux-gnu/libeatmydata.so'];

async function guestServer({ undo, directory }, name, options = {}) {
  needPrograms('crash', ['mkfs.ext4', 'e2fsck']);
  const folder = kernelClientFolder('crash');
  const port = await freePort();
  const server = new GuestServer({ undo, folder, directory, name, port, main: needBuild(), ...options });
  await server.format();
  return server;
}

export async function checkPowerRounds({ report, undo, rounds, seed, directory }) {
  const server = await guestServer({ undo, directory }, 'power');
  await checkRounds({ report, title: 'power loss', server, rounds, seed: seed + 1 });
  await checkDisk(report, server);
}

export async function checkRelaxedPowerRounds({ report, undo, rounds, seed, directory }) {
  const server = await guestServer({ undo, directory }, 'power-relaxed', {
    flags: ['--durability', 'relaxed'],
  });
  const half = Math.ceil(rounds / 2);
  const capabilities = { keepsReplies: false };
  const title = 'power loss, relaxed';
  await checkRounds({ report, title, server, rounds: half, seed: seed + 5, capabilities, relaxed: true });
  await checkDisk(report, server);
}

async function checkDisk(report, server) {
  await report.check('cairn check finds nothing wrong on the disk that has lost its power', async () => {
    const { status, stdout, stderr } = await server.checkAndStop();
    expect(status === 0, () => `exit status ${status}\n${stdout}${stderr}`);
  });
}

export async function checkStubbedSyncIsFound({ report, undo, seed, directory }) {
  const preload = EATMYDATA.find(existsSync);
  if (!preload) throw new Missing('libeatmydata.so: run .ci/install crash');
  await report.check('control: with fsync and fdatasync stubbed, power loss is found out', async () => {
    const server = await guestServer({ undo, directory }, 'stubbed', { preload });
    const offence = await firstOffence(server, new Load(seed + 2));
    await server.kill();
    return offence;
  });
}
