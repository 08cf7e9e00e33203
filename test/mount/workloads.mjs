// The kernel client's own 17 workloads: git, tar, make, cp -a, rsync, sqlite, mmap, big directories, permissions, times.

import path from 'node:path';
import { reportLines } from './posix.mjs';

const COUNT = 17;

export async function checkWorkloads({ report, server, clients }) {
  const client = await clients.mount('workloads', server);
  const script = path.join(clients.folder, 'guest/workloads.sh');
  const { stdout, stderr } = await client.exec(script, { timeoutS: 300 });
  const count = reportLines(report, 'workload ', stdout);
  await report.check(`all ${COUNT} workloads have run`, () => {
    if (count !== COUNT) throw new Error(`only ${count} have:\n${stdout}${stderr}`);
  });
  await client.stop();
}
