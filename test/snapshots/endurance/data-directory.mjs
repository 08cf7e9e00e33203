// A data directory from outside: its size, and whether it is in order.

import { runOk } from '../../rig/processes.mjs';
import { expect } from '../../rig/report.mjs';

export async function usedMiB(directory) {
  return Number((await runOk('du', ['-sm', directory])).split('\t')[0]);
}

/** Of a server that is not running. */
export async function expectClean(server) {
  const { status, stdout, stderr } = await server.checkOffline();
  expect(status === 0, () => `exit status ${status}\n${stdout}${stderr}`);
}
