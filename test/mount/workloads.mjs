// The kernel client's own 17 workloads: git, tar, make, cp -a, rsync, sqlite, mmap, big directories, permissions, times.

import path from 'node:path';

const COUNT = 17;

export async function checkWorkloads({ report, server, clients }) {
  const client = await clients.mount('workloads', server);
  const script = path.join(clients.folder, 'guest/workloads.sh');
  const { stdout, stderr } = await client.exec(script, { timeoutS: 300 });
  const results = [...stdout.matchAll(/^(PASS|FAIL) (\w+) \((\d+) ms\)\n((?: {4}.*\n)*)/gm)];
  for (const [, verdict, name, ms, said] of results) {
    if (verdict === 'PASS') report.pass(`workload ${name}`, Number(ms));
    else report.fail(`workload ${name}`, said, Number(ms));
  }
  await report.check(`all ${COUNT} workloads have run`, () => {
    if (results.length !== COUNT) throw new Error(`only ${results.length} have:\n${stdout}${stderr}`);
  });
  await client.stop();
}
