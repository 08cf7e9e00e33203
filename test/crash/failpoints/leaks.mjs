// After everything is deleted a volume must be as it was: the same rows, and no segment.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { Level } from 'level';
import { until } from '../../rig/processes.mjs';
import { withAdmin } from './volume.mjs';

const REST_MS = 60_000;
/** The open segment goes with the next start. */
const OPEN_MS = 3000;
/** Kept replies are of calls, not of what is stored. */
const REPLY = 0x12;

/** Waits until the background has nothing to do. */
export function atRest(server) {
  return withAdmin(server, (admin) =>
    until(
      'the background to come to an end',
      async () => {
        const { jobs } = await admin.call('ListJobs');
        const { pendingDatasets: trees } = await admin.call('GetStatus');
        return trees === 0 && jobs.every(({ state }) => state !== 'running');
      },
      { timeoutMs: REST_MS },
    ),
  );
}

/** Deletes all datasets and snapshots but the root, and stops the server when what they held is given back. */
export async function deleteAll(server) {
  await withAdmin(server, async (admin) => {
    const { snapshots } = await admin.call('ListSnapshots');
    for (const { name, holds } of snapshots)
      for (const tag of holds) await admin.call('ReleaseSnapshot', { name, tag });
    const { datasets } = await admin.call('ListDatasets');
    const tops = datasets.map(({ name }) => name).filter((name) => name !== 'root' && !name.includes('/'));
    await Promise.all(tops.map((name) => admin.call('DeleteDataset', { name, recursive: true })));
  });
  await atRest(server);
  const isEmpty = () => segmentsOf(server).length === 0;
  const soon = await until('segments to go', isEmpty, { timeoutMs: OPEN_MS }).catch(() => false);
  if (!soon) {
    await server.stop();
    await server.start();
    await until('segments to go', isEmpty, { timeoutMs: REST_MS });
  }
  await server.stop();
}

export function segmentsOf({ dataDir }) {
  return readdirSync(path.join(dataDir, 'segments'));
}

/** The keys of all rows, of a server that was stopped in good order: its journal is empty. */
export async function rowsOf({ dataDir }) {
  const level = new Level(path.join(dataDir, 'meta'), { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  await level.open({ createIfMissing: false });
  try {
    const keys = await level.keys().all();
    return keys.filter((key) => key[0] !== REPLY).map((key) => key.toString('latin1'));
  } finally {
    await level.close();
  }
}

/** Rows that were not there before, as text. */
export function newRows(rows, before) {
  const known = new Set(before);
  return rows.filter((row) => !known.has(row)).map((row) => JSON.stringify(row));
}
