// The control for kill -9: a copy of the server that replies before the batch is written. The same load and the same
// oracle must find it out.

import path from 'node:path';
import { freePort } from '../rig/places.mjs';
import { CairnServer } from '../rig/servers.mjs';
import { firstOffence } from './control.mjs';
import { Load } from './load.mjs';
import { patchedCopy } from './patched-copy.mjs';

const PATCHES = [
  { file: 'fs/commit-worker.js', text: 'if (ticket <= this.durableTicket)', instead: 'if (ticket >= 0)' },
];

export async function checkEarlyReplyIsFound({ report, undo, seed, directory }) {
  await report.check(
    'control: a server that replies before the batch is written is found out by kill -9',
    async () => {
      const main = patchedCopy(path.join(directory, 'early-reply'), PATCHES);
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
