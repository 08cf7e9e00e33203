// What a client notices of others: metadata reads and strict changes, a call at a time, while another client streams
// 1 MiB writes and a snapshot whose data has changed since is deleted. In turn with it, under the same load, the bare loop
// of stable-loop.mjs.

import { lookup, remove, Status } from '../test/rig/nfs-calls.mjs';
import { until } from '../test/rig/processes.mjs';
import { startClients, startStableLoop } from './clients.mjs';
import { ms, quantile } from './snapshot-volume.mjs';

const DATASET = 'streamed';
const READS = ['getattr', 'lookup'];
const CHANGES = ['setattr', 'create'];
/** Of file data that the snapshot alone holds. */
const OLD = '64M';
const STREAM_BEGUN_BYTES = 64 << 20;
const REST_MS = 300_000;
const READ_LIMIT_MS = 20;
const CHANGE_LIMIT = 2;

export async function measureLatency({ volume, undo, directory, rounds, seconds, files }) {
  await volume.call('CreateDataset', { name: DATASET, properties: {} });
  await volume.load(DATASET, changes('create', files));
  await volume.load(DATASET, stream('old', { filesize: OLD }));
  const clients = await startClients(undo, {
    port: volume.server.port,
    dataset: DATASET,
    mixes: [READS, CHANGES],
  });
  const bare = await startStableLoop(undo, directory);
  await clients.run(1);
  const windows = [];
  for (let round = 0; round < rounds; round++) {
    windows.push(await beside(volume, { files, seconds }, () => bare.run(seconds)));
    windows.push(await beside(volume, { files, seconds }, () => clients.run(seconds)));
  }
  clients.stop();
  bare.stop();
  return tableOf(windows, files);
}

function changes(workload, count) {
  return ['--wl', workload, '--dir', 'f', '--files', `${count}`, '--count', `${count}`, '--depth', '64'];
}

/** Answers what `task` measured, the stream's MiB/s, and how long the deletion took. */
async function beside(volume, { files, seconds }, task) {
  const { client, root } = await volume.mount(DATASET);
  const { file: directory } = await client.must(lookup(root, 'stream'));
  await volume.call('CreateSnapshot', { source: DATASET, name: 's', properties: {} });
  await volume.load(DATASET, changes('setattr', files));
  await volume.load(DATASET, stream('old', { filesize: OLD }));
  await volume.rest(REST_MS);
  const streaming = volume.load(DATASET, stream('new', { filesize: '1000G', seconds: seconds + 1 }));
  await until(
    'the stream to flow',
    async () => (await found(client, directory, 'new'))?.attributes.size > STREAM_BEGUN_BYTES,
  );
  const begun = performance.now();
  await volume.call('DeleteSnapshot', { name: `${DATASET}@s`, labels: [] });
  const deleted = volume.rest(REST_MS).then(() => performance.now() - begun);
  const measured = await task();
  const { mib_s: streamedMiB } = await streaming;
  const deletionMs = await deleted;
  await client.must(remove(directory, 'new'));
  client.close();
  return { measured, streamedMiB, deletionMs };
}

async function found(client, directory, name) {
  const reply = await client.send(lookup(directory, name));
  return reply.status === Status.ok ? reply : undefined;
}

function stream(name, { filesize, seconds }) {
  const end = seconds === undefined ? [] : ['--seconds', `${seconds}`];
  const sizes = ['--size', '1M', '--filesize', filesize, '--commit-every', '64M'];
  return ['--wl', 'seqwrite', '--dir', 'stream', '--name', name, '--depth', '4', ...sizes, ...end];
}

function tableOf(windows, files) {
  const bare = windows.filter(({ measured }) => !measured.loops);
  const served = windows.filter(({ measured }) => measured.loops);
  const times = (loop, names) =>
    served.flatMap(({ measured }) => names.flatMap((name) => [...measured.loops[loop][name]]));
  const measured = [
    { what: 'GETATTR, LOOKUP', times: times(0, READS) },
    { what: 'SETATTR, CREATE, strict', times: times(1, CHANGES) },
    { what: '4 KiB and fdatasync, without a server', times: bare.flatMap((window) => [...window.measured]) },
  ];
  const [read, change, stable] = measured.map((row) => quantile(row.times, 0.999));
  const range = (list, figure, digits) => {
    const values = list.map(figure);
    return `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
  };
  const streamed = (list) => range(list, ({ streamedMiB }) => streamedMiB, 0);
  const deletions = range(windows, ({ deletionMs }) => deletionMs / 1000, 1);
  return {
    title: 'Latency beside a stream and a deletion',
    note:
      `Each a call at a time, while another client streams 1 MiB writes (four in flight, COMMIT each 64 MiB: ${streamed(served)} MiB/s, beside the ` +
      `bare loop ${streamed(bare)}) and a snapshot is deleted since which ${files.toLocaleString('en')} files and ${OLD}iB of data have ` +
      `changed (${deletions} s). ${served.length} runs of each, in turn.`,
    head: ['what', 'calls', 'p50', 'p99', 'p99.9', 'slowest'],
    rows: measured.map((row) => [
      row.what,
      row.times.length.toLocaleString('en'),
      ...[0.5, 0.99, 0.999, 1].map((share) => ms(quantile(row.times, share))),
    ]),
    limits: [
      { what: 'metadata reads, p99.9', measured: read, atMost: READ_LIMIT_MS, unit: 'ms' },
      { what: 'strict changes / the bare loop, p99.9', measured: change / stable, atMost: CHANGE_LIMIT },
    ],
  };
}
