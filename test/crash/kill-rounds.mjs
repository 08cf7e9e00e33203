// Rounds of `kill -9`: the machine goes on, so what the server had written survives even unsynced; what it had
// acknowledged but not yet written does not.

import { expect } from '../rig/report.mjs';
import { checkRounds } from './rounds.mjs';

export async function checkKillRounds({ report, server, rounds, seed, capabilities }) {
  const afterwards = server.checkOffline && (() => expectCleanCheck(server));
  await checkRounds({ report, title: 'kill -9', server, rounds, seed, capabilities, afterwards });
}

/** Stops the server in good order, runs `cairn check` on its data directory, and starts it again. */
async function expectCleanCheck(server) {
  const stopped = await server.stop();
  const { status, stdout, stderr } = await server.checkOffline();
  await server.start();
  expect(stopped === 0, `SIGTERM: exit status ${stopped}`);
  expect(status === 0, () => `cairn check: exit status ${status}\n${stdout}${stderr}`);
}
