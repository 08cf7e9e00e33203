// A snapshot every 50 ms while a compile and an untar go on, with deletions, clones and rollbacks in between: the memory
// stays flat, what is stored of history is what kept generations show, and in the end all of it is gone.

import path from 'node:path';
import { freePort, needPrograms, sharedFolder } from '../../rig/places.mjs';
import { runOk, until } from '../../rig/processes.mjs';
import { expect } from '../../rig/report.mjs';
import { CairnServer } from '../../rig/servers.mjs';
import { Volume } from '../../rig/volume.mjs';
import { Churn } from './churn.mjs';
import { expectClean, usedMiB } from './data-directory.mjs';
import { MemoryWatch } from './memory.mjs';
import { Mixes } from './mixes.mjs';
import { expectAsEmpty, storedRows } from './stored-rows.mjs';

const DATASET = 'mix';
const SNAPSHOTS = 1000;
const SNAPSHOTS_MIN = 100;
const REST_MS = 180_000;
const BACK_MS = 60_000;
const LARGER_MIB_MAX = 64;
const RSS_GROWTH_MAX = 1.15;
const RSS_MIB_MAX = 768;
/** What is bounded fills up to here: dirty data, caches, lent buffers, the journal (docs/architecture.md) and V8 itself. */
const RSS_MIB_FILLING = 480;
const NOTES_A_RECORD_MAX = 2;

export async function checkEndurance({ report, undo, directory, scale }) {
  needPrograms('snapshots', ['gcc', 'du']);
  await runOk('sh', [`${sharedFolder('perf')}/build.sh`]);
  const server = new CairnServer({ directory: path.join(directory, 'endurance'), port: await freePort() });
  undo.push(() => server.stop());
  await server.start();
  await server.stop();
  const fresh = { rows: await storedRows(server.dataDir), mib: await usedMiB(server.dataDir) };
  await server.start();
  const volume = await Volume.open(server);
  await volume.call('CreateDataset', { name: DATASET, properties: {} });

  const seed = Number(process.env.SNAPSHOT_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const count = Math.max(SNAPSHOTS_MIN, Math.round(SNAPSHOTS * scale));
  const mixes = new Mixes(volume, DATASET);
  const churn = new Churn(volume, DATASET, seed, () => mixes.rollBack());
  const memory = new MemoryWatch(server.pid);
  await report.check(`${count} snapshots under a compile and an untar, seed ${seed}`, async () => {
    mixes.start();
    const begun = performance.now();
    await churn.run(count).finally(() => mixes.end());
    const seconds = (performance.now() - begun) / 1000;
    expect(mixes.faults.length === 0, () => mixes.faults.join('\n'));
    const done = Object.entries(churn.counts).map(([what, number]) => `${number} ${what}`);
    const rate = `${Math.round(mixes.calls / seconds)} calls a second beside them`;
    return `${done.join(', ')} in ${Math.round(seconds)} s, ${rate}, median ${median(churn.elapsedUs)} us`;
  });
  memory.stop();
  await report.check('the memory is flat: the last quarter needs no more than the one before', () => {
    const peaks = memory.peaks(4);
    const max = Math.min(Math.max(peaks[2] * RSS_GROWTH_MAX, RSS_MIB_FILLING), RSS_MIB_MAX);
    expect(peaks[3] <= max, `${peaks.join(', ')} MiB`);
    return `peaks of the quarters ${peaks.join(', ')} MiB`;
  });
  await report.check('what deletions leave to do is done within 3 minutes', () => volume.rest(REST_MS));
  volume.close();
  await server.stop();
  await report.check('HISTORY and CHANGED are bounded by what kept generations show', async () => {
    const { live, history, changed, kept, idle } = await storedRows(server.dataDir);
    expect(kept > 0 && history > 0, 'nothing is kept: the test shows nothing');
    expect(idle === 0, `${idle} of ${history} versions in HISTORY are shown by no kept generation`);
    const records = live + history;
    expect(changed <= records * NOTES_A_RECORD_MAX, `${changed} notes for ${records} records`);
    return `${kept} kept generations, ${live} live records, ${history} in HISTORY, ${changed} in CHANGED`;
  });
  await report.check('cairn check finds nothing wrong', () => expectClean(server));
  await checkEmpty({ report, server, churn, fresh });
}

async function checkEmpty({ report, server, churn, fresh }) {
  await server.start();
  const volume = await Volume.open(server);
  churn.use(volume);
  const full = await usedMiB(server.dataDir);
  await report.check('all snapshots and clones are deleted in random order, then the dataset', async () => {
    await churn.clear();
    await volume.call('DeleteDataset', { name: DATASET, recursive: true });
    await volume.rest(REST_MS);
  });
  await report.check(`the disk has at most ${LARGER_MIB_MAX} MiB more than fresh within 60 s`, async () => {
    let larger;
    const back = async () => {
      larger = (await usedMiB(server.dataDir)) - fresh.mib;
      return larger <= LARGER_MIB_MAX;
    };
    await until('the space to come back', back, { timeoutMs: BACK_MS, intervalMs: 500 });
    return `${full} MiB, then ${larger} MiB more than fresh`;
  });
  volume.close();
  await server.stop();
  await report.check('no row is left of them, and cairn check finds nothing wrong', async () => {
    expectAsEmpty(fresh.rows, await storedRows(server.dataDir));
    await expectClean(server);
  });
}

function median(numbers) {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];
}
