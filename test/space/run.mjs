// npm run test:space: deleted data leaves the data directory, and a full disk stops writes and nothing else.
//
//   node test/space/run.mjs [PART...]      parts: reclaim full
//   SPACE_SCALE=0.1  a tenth of the volume, for a look

import { needPrograms, sharedFolder, temporaryDirectory } from '../rig/places.mjs';
import { runOk } from '../rig/processes.mjs';
import { runSuite } from '../rig/report.mjs';
import { checkFullDisk } from './full-disk.mjs';
import { checkReclaim } from './reclaim.mjs';

const PARTS = { reclaim: checkReclaim, full: checkFullDisk };

await runSuite(async (report, undo) => {
  needPrograms('space', ['gcc', 'du', 'mount']);
  await runOk('sh', [`${sharedFolder('perf')}/build.sh`]);
  const directory = temporaryDirectory(undo, 'space');
  const scale = Number(process.env.SPACE_SCALE ?? 1);
  const wanted = process.argv.slice(2);
  for (const [name, part] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`-- ${name}`);
    await part({ report, undo, directory, scale });
  }
});
