// After 4 GiB and 200,000 files are written and deleted, the data directory is within 60 s at most 64 MiB larger
// than a fresh one.

import path from 'node:path';
import { run, runOk, until } from '../rig/processes.mjs';
import { expect } from '../rig/report.mjs';
import { serverUnderTest } from '../rig/servers.mjs';

const LOAD = process.env.NFSLOAD ?? '/tmp/nfsload';
const FILES = 200_000;
const FILE_BYTES = 4096;
const TOTAL_MIB = 4096;
const LARGER_MIB_MAX = 64;
const RECLAIM_MS = 60_000;
const LOAD_MS = 900_000;

export async function checkReclaim({ report, undo, directory, scale }) {
  const server = await serverUnderTest(undo, path.join(directory, 'reclaim'));
  await server.start();
  const store = server.dataDir ?? server.exportPath;
  const fresh = await usedMiB(store);
  const files = Math.round(FILES * scale);
  const bigMiB = Math.round(TOTAL_MIB * scale - (files * FILE_BYTES) / 2 ** 20);
  await report.check(`${files} files of ${FILE_BYTES} bytes are written`, () =>
    load(server, ['--wl', 'smallfile', '--dir', 'small', '--count', String(files), '--depth', '32']),
  );
  await report.check(`${bigMiB} MiB more are written into one file, and half of it again`, async () => {
    const big = ['--dir', 'big', '--size', '1M', '--depth', '4'];
    await load(server, ['--wl', 'seqwrite', ...big, '--filesize', `${bigMiB}M`]);
    await load(server, ['--wl', 'overwrite', ...big, '--filesize', `${Math.round(bigMiB / 2)}M`]);
  });
  const full = await usedMiB(store);
  await report.check('all of it is deleted', async () => {
    await load(server, ['--wl', 'rmtree', '--dir', 'small']);
    await load(server, ['--wl', 'rmtree', '--dir', 'big']);
  });
  await report.check(
    `the data directory is at most ${LARGER_MIB_MAX} MiB larger than fresh within 60 s`,
    async () => {
      let larger;
      const back = async () => {
        larger = (await usedMiB(store)) - fresh;
        return larger <= LARGER_MIB_MAX;
      };
      await until('the space to come back', back, { timeoutMs: RECLAIM_MS, intervalMs: 500 }).catch(
        (error) => {
          throw new Error(
            `${error.message}: still ${larger} MiB larger than fresh (${fresh} MiB); it was ${full} MiB`,
          );
        },
      );
      return `${full} MiB, then ${larger} MiB more than fresh`;
    },
  );
  await server.stop();
  if (server.checkOffline) {
    await report.check('cairn check finds nothing wrong', async () => {
      const { status, stdout, stderr } = await server.checkOffline();
      expect(status === 0, () => `exit status ${status}\n${stdout}${stderr}`);
    });
  }
}

async function load(server, args) {
  const target = [
    '--port',
    String(server.port),
    '--mport',
    String(server.mountPort),
    '--export',
    server.exportPath,
  ];
  const { status, stdout, stderr } = await run(LOAD, [...target, ...args], { timeoutMs: LOAD_MS });
  expect(status === 0, () => `nfsload ${args.join(' ')}: ${status}\n${stdout}${stderr}`);
  const row = stdout.startsWith('{') ? JSON.parse(stdout) : undefined;
  return row && `${Math.round(row.ops_s)} a second`;
}

async function usedMiB(directory) {
  return Number((await runOk('du', ['-sm', directory])).split('\t')[0]);
}
