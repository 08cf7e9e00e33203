// npm run test:snapshots: what snapshots promise, under a real Linux kernel client and over a long time.
//
//   node test/snapshots/run.mjs [PART...]      parts: isolation endurance rollbacks
//   SNAPSHOT_SCALE=0.1  a tenth of the snapshots and the volume, for a look

import { temporaryDirectory } from '../rig/places.mjs';
import { runSuite } from '../rig/report.mjs';
import { checkEndurance } from './endurance/endurance.mjs';
import { checkRollbackSpace } from './endurance/rollback-space.mjs';
import { checkIsolation } from './kernel/isolation.mjs';

const PARTS = { isolation: checkIsolation, endurance: checkEndurance, rollbacks: checkRollbackSpace };

await runSuite(async (report, undo) => {
  const directory = temporaryDirectory(undo, 'snapshots');
  const scale = Number(process.env.SNAPSHOT_SCALE ?? 1);
  const wanted = process.argv.slice(2);
  for (const [name, part] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`-- ${name}`);
    await part({ report, undo, directory, scale });
  }
});
