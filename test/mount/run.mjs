// npm run test:mount: the server under a real Linux kernel NFS client and under libnfs.
//
//   node test/mount/run.mjs [PART...]     SNAPSHOT_EVERY=1s: with a snapshot every second meanwhile
//   parts: workloads posix restart bulk quota snapshots pair libnfs showmount

import { kernelClients } from '../rig/kernel-clients.mjs';
import { needPrograms, temporaryDirectory } from '../rig/places.mjs';
import { expect, runSuite } from '../rig/report.mjs';
import { serverUnderTest } from '../rig/servers.mjs';
import { snapshotEvery } from '../rig/snapshot-every.mjs';
import { checkBulk } from './bulk.mjs';
import { checkLibnfs } from './libnfs.mjs';
import { checkPair } from './pair.mjs';
import { checkPosix } from './posix.mjs';
import { checkQuota } from './quota.mjs';
import { checkRestart } from './restart.mjs';
import { checkShowmount } from './showmount.mjs';
import { checkSnapshots } from './snapshots.mjs';
import { checkWorkloads } from './workloads.mjs';

const PARTS = {
  workloads: checkWorkloads,
  posix: checkPosix,
  restart: checkRestart,
  bulk: checkBulk,
  quota: checkQuota,
  snapshots: checkSnapshots,
  pair: checkPair,
  libnfs: checkLibnfs,
  showmount: checkShowmount,
};

await runSuite(async (report, undo) => {
  needPrograms('mount', [
    'git',
    'make',
    'rsync',
    'sqlite3',
    'python3',
    'openssl',
    'nfs-ls',
    'nfs-cp',
    'nfs-cat',
    'showmount',
  ]);
  const clients = kernelClients(undo, 'mount');
  const directory = temporaryDirectory(undo, 'mount');
  const server = await serverUnderTest(undo, directory, { flags: [] });
  await report.check('the server starts on a fresh data directory', () => server.start());
  const snapshots = await snapshotEvery(undo, server);
  const wanted = process.argv.slice(2);
  for (const [name, part] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`-- ${name}`);
    await part({ report, undo, server, clients, directory });
  }
  if (snapshots) {
    await report.check('snapshots were taken meanwhile', async () => {
      const taken = await snapshots.end();
      console.log(`   ${taken} snapshots`);
      expect(taken > 0, 'none was taken');
    });
  }
  if (server.checkOffline) {
    await report.check('SIGTERM ends the server with status 0 within 10 s', async () => {
      const status = await server.stop();
      if (status !== 0) throw new Error(`exit status ${status}\n${server.logTail()}`);
    });
    await report.check('cairn check finds nothing wrong', async () => {
      const { status, stdout, stderr } = await server.checkOffline();
      if (status !== 0) throw new Error(`exit status ${status}\n${stdout}${stderr}`);
    });
  }
});
