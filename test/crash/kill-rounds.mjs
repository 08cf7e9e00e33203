// Rounds of `kill -9`: the machine goes on, so what the server had written survives even unsynced; what it had
// acknowledged but not yet written does not.

import path from 'node:path';
import { expect } from '../rig/report.mjs';
import { serverUnderTest } from '../rig/servers.mjs';
import { checkRounds } from './rounds.mjs';

export async function checkKillRounds({ report, undo, directory, rounds, seed }) {
  const server = await serverUnderTest(undo, path.join(directory, 'kill'));
  const capabilities = { keepsReplies: server.checkOffline !== undefined };
  const afterwards = server.checkOffline && (() => expectCleanCheck(server));
  await checkRounds({ report, title: 'kill -9', server, rounds, seed, capabilities, afterwards });
  await server.stop();
}

/** A relaxed server may lose the last changes of names, but never out of order, and nothing that COMMIT promised. */
export async function checkRelaxedKillRounds({ report, undo, directory, rounds, seed }) {
  const flags = ['--insecure-ports', '--durability', 'relaxed'];
  const server = await serverUnderTest(undo, path.join(directory, 'kill-relaxed'), { flags });
  const capabilities = { keepsReplies: false };
  const afterwards = server.checkOffline && (() => expectCleanCheck(server));
  const half = Math.ceil(rounds / 2);
  const title = 'kill -9, relaxed';
  await checkRounds({
    report,
    title,
    server,
    rounds: half,
    seed: seed + 4,
    capabilities,
    relaxed: true,
    afterwards,
  });
  await server.stop();
}

/** Stops the server in good order, runs `cairn check` on its data directory, and starts it again. */
async function expectCleanCheck(server) {
  const stopped = await server.stop();
  const { status, stdout, stderr } = await server.checkOffline();
  await server.start();
  expect(stopped === 0, `SIGTERM: exit status ${stopped}`);
  expect(status === 0, () => `cairn check: exit status ${status}\n${stdout}${stderr}`);
}
