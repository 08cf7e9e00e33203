// What rollbacks and snapshots cost on the disk: after ten rollbacks, with all snapshots deleted and everything written
// anew, no more than twice the live data, and nothing beside it once the dataset is detached; and what one kept snapshot of
// many holds is what it shows.

import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { commit, create, lookup, remove, write } from '../../rig/nfs-calls.mjs';
import { freePort, needPrograms } from '../../rig/places.mjs';
import { until } from '../../rig/processes.mjs';
import { expect } from '../../rig/report.mjs';
import { CairnServer } from '../../rig/servers.mjs';
import { Volume } from '../../rig/volume.mjs';
import { expectClean, usedMiB } from './data-directory.mjs';

const DATASET = 'rolled';
const ROLLBACKS = 10;
const FILE_MIB = 2;
const LIVE_MIB = 512;
const LIVE_MIB_MIN = 128;
/** Of the files, those that are written between a snapshot and a rollback. */
const WRITTEN_SHARE = 0.25;
const WRITE_BYTES = 2 ** 18;
const REST_MS = 180_000;
const BACK_MS = 60_000;
const LIVE_FACTOR_MAX = 2;
const DETACHED_FACTOR_MAX = 1.05;
/** Beside the files' data. */
const METADATA_MIB_MAX = 4;
const REFERENCED_FACTOR_MAX = 1.1;
const REFERENCED_EXTRA_MIB = 64;

export async function checkRollbackSpace({ report, undo, directory, scale }) {
  needPrograms('snapshots', ['du']);
  const server = new CairnServer({ directory: path.join(directory, 'rollbacks'), port: await freePort() });
  undo.push(() => server.stop());
  await server.start();
  const volume = await Volume.open(server);
  await volume.call('CreateDataset', { name: DATASET, properties: {} });
  const freshMiB = await usedMiB(server.dataDir);
  const files = Math.ceil(Math.max(LIVE_MIB_MIN, LIVE_MIB * scale) / FILE_MIB);
  const disk = async () => (await usedMiB(server.dataDir)) - freshMiB;
  const liveMiB = files * FILE_MIB;

  await report.check(
    `${ROLLBACKS} rollbacks of ${liveMiB} MiB, a part of it written before each`,
    async () => {
      await writeAll(volume, files);
      for (let number = 0; number < ROLLBACKS; number++) {
        const name = `${DATASET}@s${number}`;
        await volume.call('CreateSnapshot', { source: DATASET, name: `s${number}`, properties: {} });
        await writeAll(volume, Math.ceil(files * WRITTEN_SHARE));
        await volume.call('RollbackDataset', { name, discard: number % 2 === 0 });
      }
      return `${await disk()} MiB on the disk`;
    },
  );
  await report.check(
    'without its snapshots and written anew, it takes at most twice the live data',
    async () => {
      await deleteSnapshots(volume);
      await writeAll(volume, files);
      return within(disk, liveMiB * LIVE_FACTOR_MAX + METADATA_MIB_MAX, liveMiB);
    },
  );
  await report.check('detached, it takes at most 5 % more than the live data', async () => {
    // It may have begun by itself, or be done.
    const { dataset } = await volume.call('GetDatasetInfo', { name: DATASET });
    if (dataset.cloneBytes > 0) await volume.call('Detach', { name: DATASET });
    await volume.rest(REST_MS);
    return within(disk, liveMiB * DETACHED_FACTOR_MAX + METADATA_MIB_MAX, liveMiB);
  });
  await report.check('one snapshot of many takes what it shows, within 60 s', async () => {
    for (let number = 0; number < ROLLBACKS; number++) {
      await volume.call('CreateSnapshot', { source: DATASET, name: `k${number}`, properties: {} });
      await writeAll(volume, Math.ceil(files * WRITTEN_SHARE));
    }
    const kept = `${DATASET}@k${ROLLBACKS / 2}`;
    await removeAll(volume);
    await deleteSnapshots(volume, kept);
    const { snapshot } = await volume.call('GetSnapshotInfo', { name: kept });
    const shownMiB = snapshot.referencedBytes / 2 ** 20;
    return within(disk, shownMiB * REFERENCED_FACTOR_MAX + REFERENCED_EXTRA_MIB, shownMiB);
  });
  volume.close();
  await server.stop();
  await report.check('cairn check finds nothing wrong', () => expectClean(server));
}

/** Writes the first `count` files whole, with bytes that do not compress. */
async function writeAll(volume, count) {
  const { client, root } = await volume.mount(DATASET);
  for (let number = 0; number < count; number++) {
    const name = `file${number}`;
    const found = await client.send(lookup(root, name));
    const { file } = found.status === 0 ? found : await client.must(create(root, name));
    const bytes = randomBytes(FILE_MIB * 2 ** 20);
    const offsets = Array.from({ length: bytes.length / WRITE_BYTES }, (_, index) => index * WRITE_BYTES);
    await Promise.all(
      offsets.map((at) => client.must(write(file, at, bytes.subarray(at, at + WRITE_BYTES), 0))),
    );
    await client.must(commit(file));
  }
  client.close();
}

async function removeAll(volume) {
  const { client, root } = await volume.mount(DATASET);
  for (const { name } of await client.list(root)) await client.must(remove(root, name));
  client.close();
}

async function deleteSnapshots(volume, kept) {
  const { snapshots } = await volume.call('ListSnapshots', { source: DATASET, labels: [] });
  for (const { name } of snapshots)
    if (name !== kept) await volume.call('DeleteSnapshot', { name, labels: [] });
}

/** Waits until the disk has no more than `maxMiB` of it. */
async function within(disk, maxMiB, dataMiB) {
  let mib;
  const isWithin = async () => {
    mib = await disk();
    return mib <= maxMiB;
  };
  await until('the space to come back', isWithin, { timeoutMs: BACK_MS, intervalMs: 500 }).catch(
    ({ message }) => expect(false, `${message}: still ${mib} MiB for ${dataMiB} MiB, limit ${maxMiB}`),
  );
  return `${mib} MiB for ${Math.round(dataMiB)} MiB`;
}
