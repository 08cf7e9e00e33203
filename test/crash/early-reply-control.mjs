// The control for kill -9: a copy of the server that replies before the batch is written. The same load and the same
// oracle must find it out.

import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort, PROJECT } from '../rig/places.mjs';
import { CairnServer } from '../rig/servers.mjs';
import { firstOffence } from './control.mjs';
import { Load } from './load.mjs';

/** What is changed in the copy. The text must be there exactly once, else the control fails instead of passing idly. */
const PATCHES = [
  { file: 'fs/commit-worker.js', text: 'if (ticket <= this.durableTicket)', replacement: 'if (ticket >= 0)' },
];

export async function checkEarlyReplyIsFound({ report, undo, seed, directory }) {
  await report.check(
    'control: a server that replies before the batch is written is found out by kill -9',
    async () => {
      const main = brokenCopy(path.join(directory, 'early-reply'));
      const server = new CairnServer({
        directory: path.join(directory, 'early'),
        port: await freePort(),
        main,
      });
      undo.push(() => server.stop());
      const offence = await firstOffence(server, new Load(seed + 3));
      await server.kill();
      return offence;
    },
  );
}

/** A copy of dist/ in a project of its own whose other entries are links to the real ones; answers its program. */
function brokenCopy(project) {
  mkdirSync(project);
  for (const entry of readdirSync(PROJECT)) {
    if (entry !== 'dist') symlinkSync(path.join(PROJECT, entry), path.join(project, entry));
  }
  cpSync(path.join(PROJECT, 'dist'), path.join(project, 'dist'), { recursive: true });
  for (const { file, text, replacement } of PATCHES) {
    const target = path.join(project, 'dist', file);
    const source = readFileSync(target, 'utf8');
    const places = source.split(text).length - 1;
    if (places !== 1)
      throw new Error(`dist/${file} has ${places} times \`${text}\`, expected once: adapt PATCHES`);
    writeFileSync(target, source.replace(text, replacement));
  }
  return path.join(project, 'dist/cairn.js');
}
