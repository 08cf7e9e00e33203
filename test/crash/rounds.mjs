// A round: load, crash, start, judge. The same data directory goes through all rounds of a kind, so that later ones
// crash on top of what earlier ones recovered.

import { answersNull } from '../rig/nfs-client.mjs';
import { expect } from '../rig/report.mjs';
import { Load } from './load.mjs';
import { judge } from './oracle.mjs';

/**
 * @param server running, and running again afterwards; its `kill` is the crash
 * @returns the offences, and how much the load had done
 */
export async function crashRound(server, load, capabilities) {
  await load.begin(server);
  await load.runToTheMoment();
  await server.kill();
  await load.end();
  const counts = `${load.acknowledged} acknowledged, ${load.acknowledgedSinceFlush} after the last full flush`;
  await server.start();
  return { offences: await judge(server, load, capabilities), counts };
}

/** @param afterwards further checks of a round that was survived */
export async function checkRounds({
  report,
  title,
  server,
  rounds,
  seed,
  capabilities,
  relaxed = false,
  afterwards = async () => {},
}) {
  await report.check(`${title}: the server starts on an empty disk`, () => server.start().then(() => {}));
  let load = new Load(seed, { relaxed });
  for (let round = 1; round <= rounds; round++) {
    const survived = await report.check(`${title}, round ${round} of ${rounds}`, async () => {
      if (!(await answersNull(server.port))) {
        await server.kill();
        await server.start();
      }
      const { offences, counts } = await crashRound(server, load, capabilities);
      expect(
        offences.length === 0,
        () => `${counts}; ${offences.length} offences:\n${offences.slice(0, 20).join('\n')}`,
      );
      await afterwards();
      return counts;
    });
    if (!survived) {
      await load.end().catch(() => {});
      // What was lost would be found again in every later round: begin in other directories.
      load = new Load(seed + round, { relaxed, prefix: `after-${round}-` });
    }
  }
}
