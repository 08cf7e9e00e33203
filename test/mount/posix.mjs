// POSIX by the letter, and a file under random operations, through the kernel client (test/mount/guest).

import path from 'node:path';
import { PROJECT } from '../rig/places.mjs';

const GUEST = path.join(PROJECT, 'test/mount/guest');
const FSX_RUNS = 6;
const FSX_OPERATIONS = 400;

export async function checkPosix({ report, server, clients }) {
  const client = await clients.mount('posix', server);
  const { stdout, stderr } = await client.exec(`python3 ${GUEST}/posix.py $MNT`, { timeoutS: 300 });
  reportLines(report, 'posix: ', stdout);
  await report.check('posix: all checks have run', () => {
    if (!/^(PASS|FAIL) append mode/m.test(stdout)) throw new Error(`${stdout}${stderr}`);
  });
  const seed = Math.floor(Math.random() * 2 ** 31);
  for (let run = 0; run < FSX_RUNS; run++) {
    const command = `python3 ${GUEST}/fsx.py $MNT ${seed + run} ${FSX_OPERATIONS}`;
    await report.check(`${FSX_OPERATIONS} random operations on a file, seed ${seed + run}`, () =>
      client.execOk(command),
    );
  }
  await client.stop();
}

/** Counts lines `PASS name (N ms)` and `FAIL name (N ms)`, the latter with the indented lines below; answers how many. */
export function reportLines(report, prefix, text) {
  const results = [...text.matchAll(/^(PASS|FAIL) (.+) \((\d+) ms\)\n((?: {4}.*\n)*)/gm)];
  for (const [, verdict, name, ms, said] of results) {
    if (verdict === 'PASS') report.pass(`${prefix}${name}`, Number(ms));
    else report.fail(`${prefix}${name}`, said, Number(ms));
  }
  return results.length;
}
