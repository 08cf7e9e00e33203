// npm run test:crash: what was acknowledged is there, after kill -9 and after power loss, and a server or a machine
// that lies is found out by the same oracle.
//
//   node test/crash/run.mjs [PART...]      parts: failpoints kill kill-relaxed kill-control power power-relaxed power-control
//   FAILPOINTS=TEXT  of the failpoints only those whose title says it
//   CRASH_ROUNDS=N  rounds of each kind (20), half as many relaxed      CRASH_SEED=N  the load's choices (random, printed)

import { temporaryDirectory } from '../rig/places.mjs';
import { runSuite } from '../rig/report.mjs';
import { checkEarlyReplyIsFound } from './early-reply-control.mjs';
import { checkFailpoints } from './failpoints/check-failpoints.mjs';
import { checkKillRounds, checkRelaxedKillRounds } from './kill-rounds.mjs';
import { checkPowerRounds, checkRelaxedPowerRounds, checkStubbedSyncIsFound } from './power-rounds.mjs';

const PARTS = {
  failpoints: checkFailpoints,
  kill: checkKillRounds,
  'kill-relaxed': checkRelaxedKillRounds,
  'kill-control': checkEarlyReplyIsFound,
  power: checkPowerRounds,
  'power-relaxed': checkRelaxedPowerRounds,
  'power-control': checkStubbedSyncIsFound,
};

await runSuite(async (report, undo) => {
  const rounds = Number(process.env.CRASH_ROUNDS ?? 20);
  const seed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${rounds} rounds of each kind, CRASH_SEED=${seed}`);
  const directory = temporaryDirectory(undo, 'crash');
  const wanted = process.argv.slice(2);
  for (const [name, part] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`-- ${name}`);
    await part({ report, undo, rounds, seed, directory });
  }
});
