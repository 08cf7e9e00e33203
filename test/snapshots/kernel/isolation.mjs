// The isolation table (../isolation/table.json) over a kernel client: what programs do to one side of a snapshot or a clone
// shows nowhere on the other, nor after a `kill -9`.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { kernelClients } from '../../rig/kernel-clients.mjs';
import { needPrograms } from '../../rig/places.mjs';
import { expect } from '../../rig/report.mjs';
import { serverUnderTest } from '../../rig/servers.mjs';
import { Player, TABLE_FILE } from './player.mjs';

const SHOWN_MAX = 20;
const ORIGIN = '/data';

export async function checkIsolation({ report, undo, directory }) {
  needPrograms('snapshots', ['python3']);
  const clients = kernelClients(undo, 'snapshots');
  const server = await serverUnderTest(undo, path.join(directory, 'isolation'), { flags: [] });
  await server.start();
  const table = JSON.parse(readFileSync(TABLE_FILE, 'utf8'));
  const client = await clients.mount('isolation', server);
  const player = await Player.start(client, server);
  for (const relation of table.relations) await checkRelation({ report, server, player, table, relation });
  await checkControl({ report, server, player, table });
  await player.end();
  await client.stop();
  await server.stop();
  await report.check('cairn check finds nothing wrong', async () => {
    const { status, stdout, stderr } = await server.checkOffline();
    expect(status === 0, () => `exit status ${status}\n${stdout}${stderr}`);
  });
}

async function checkRelation({ report, server, player, table, relation }) {
  const { title, changed, watched } = relation;
  let before;
  const prepared = await report.check(`${title}: an object for each cell`, async () => {
    const count = await prepare({ server, player, table, relation });
    before = await seen(player, watched);
    return `${count} objects`;
  });
  if (prepared) {
    await report.check(`${title}: every cell is played`, async () => {
      const { played, done, faults } = await player.order('play', { path: changed, own: changed === ORIGIN });
      expect(played === cellCount(table), `${played} of ${cellCount(table)} cells`);
      expect(faults.length === 0, () => faults.slice(0, SHOWN_MAX).join('\n'));
      for (const procedure of table.procedures) expect(done[procedure] > 0, `no ${procedure} succeeded`);
      const total = Object.values(done).reduce((sum, count) => sum + count, 0);
      return `${total} done, ${played - total} refused`;
    });
    const paths = watched.join(', ');
    await report.check(`${title}: nothing of it shows in ${paths}`, async () =>
      expectSame(before, await seen(player, watched)),
    );
    await report.check(`${title}: nor after kill -9`, async () => {
      await server.kill();
      await server.start();
      expectSame(before, await seen(player, watched));
    });
  }
  await clear({ server, player, relation });
}

/** A comparison that could not fail would be none: each of these, done to what is watched, is found. */
async function checkControl({ report, server, player, table }) {
  const relation = table.relations.find(({ watched }) => watched.includes(ORIGIN));
  await report.check('control: changes of what is watched are found', async () => {
    await prepare({ server, player, table, relation });
    const before = await seen(player, [ORIGIN]);
    const altered = await player.order('alter', { path: ORIGIN });
    const found = new Set(differences(before, await seen(player, [ORIGIN])).map(({ path }) => path));
    for (const [path, what] of Object.entries(altered))
      expect(found.has(path), `not found: ${what} of ${path}`);
    return Object.values(altered).join(', ');
  });
  await clear({ server, player, relation });
}

async function prepare({ server, player, table, relation }) {
  await server.cli('dataset', 'create', ORIGIN.slice(1));
  const count = await player.order('make', { path: ORIGIN });
  expect(count === cellCount(table), `${count} objects for ${cellCount(table)} cells`);
  for (const step of relation.steps) await take(server, step);
  if (relation.changed !== ORIGIN) await player.order('settle');
  return count;
}

async function clear({ server, player, relation }) {
  await player.order('close');
  const clones = relation.steps.filter(([what]) => what === 'clone').map(([, , name]) => name);
  for (const name of [...clones.reverse(), ORIGIN.slice(1)]) await server.cli('dataset', 'delete', name);
}

function take(server, [what, ...names]) {
  if (what === 'rollback') return server.cli('dataset', 'rollback', ...names, '--discard');
  return server.cli('dataset', what, ...names);
}

function cellCount({ places, states, procedures, kinds }) {
  return places.length * states.length * procedures.length * kinds.length;
}

async function seen(player, paths) {
  const found = {};
  for (const path of paths) found[path] = await player.order('listing', { path });
  return found;
}

function expectSame(before, after) {
  const different = differences(before, after);
  expect(
    different.length === 0,
    () =>
      `${different.length} differences\n${different
        .slice(0, SHOWN_MAX)
        .map(({ side, path, what }) => `${side}: ${path}: ${what}`)
        .join('\n')}`,
  );
  const paths = Object.values(after).map((listing) => Object.keys(listing).length);
  return `${paths.join(' and ')} paths are the same`;
}

/** Of two times, what each side shows differently. */
function differences(before, after) {
  const found = [];
  for (const [side, listing] of Object.entries(before)) {
    const later = after[side];
    for (const path of new Set([...Object.keys(listing), ...Object.keys(later)])) {
      const what = difference(listing[path], later[path]);
      if (what) found.push({ side, path, what });
    }
  }
  return found;
}

function difference(one, other) {
  if (!one) return 'has come';
  if (!other) return 'has gone';
  const names = Object.keys({ ...one, ...other }).filter((name) => one[name] !== other[name]);
  return names.map((name) => `${name} ${one[name]} is ${other[name]}`).join(', ');
}
