// What comes after a snapshot: overwrites, reads in old snapshots and deep clones, comparison, lists, space, deletion.

import { execFileSync } from 'node:child_process';
import { create, read, write } from '../test/rig/nfs-calls.mjs';
import { ms, quantile, timed } from './snapshot-volume.mjs';

const BLOCK = Buffer.alloc(4096, 9);
const FILE_SYNC = 2;
const FILES = 200;
const DEPTH = 16;
const REST_MS = 300_000;
const DELETIONS = 3;

/** A dataset of its own, with files of one block. */
async function withFiles(volume, dataset) {
  await volume.call('CreateDataset', { name: dataset, properties: {} });
  const { client, root } = await volume.mount(dataset);
  const files = [];
  for (let number = 0; number < FILES; number++) {
    const { file } = await client.must(create(root, `file${number}`));
    await client.must(write(file, 0, BLOCK, FILE_SYNC));
    files.push(file);
  }
  return { client, root, files };
}

export async function measureOverwrites(volume) {
  const { client, files } = await withFiles(volume, 'overwrites');
  const overwrite = () => timed(FILES, (number) => client.must(write(files[number], 0, BLOCK, FILE_SYNC)));
  await overwrite();
  const ordinary = [];
  const first = [];
  for (let round = 0; round < 5; round++) {
    ordinary.push(...(await overwrite()));
    await volume.call('CreateSnapshot', { source: 'overwrites', name: `s${round}`, properties: {} });
    first.push(...(await overwrite()));
  }
  client.close();
  const [before, after] = [quantile(ordinary, 0.5), quantile(first, 0.5)];
  return {
    title: 'The first overwrite after a snapshot',
    note: `4 KiB, FILE_SYNC, medians of ${ordinary.length}.`,
    head: ['ordinary', 'first after a snapshot', 'ratio'],
    rows: [[ms(before), ms(after), (after / before).toFixed(2)]],
    limits: [
      { what: 'first overwrite after a snapshot / an ordinary one', measured: after / before, atMost: 2 },
    ],
  };
}

export async function measureReads(volume, snapshots) {
  const { client, root, files } = await withFiles(volume, 'reads');
  for (let number = 0; number < snapshots; number++) {
    await volume.call('CreateSnapshot', { source: 'reads', name: `s${number}`, properties: {} });
    await client.must(write(files[number % FILES], 0, BLOCK, FILE_SYNC));
  }
  const live = { client, files };
  const places = [];
  for (const number of [0, Math.floor(snapshots / 2), snapshots - 1]) {
    const directory = await volume.find(client, root, ['.snapshots', `s${number}`]);
    const old = { client, files: await filesIn(volume, client, directory) };
    places.push({ what: `snapshot ${number + 1} of ${snapshots}`, ...(await beside(live, old)) });
  }
  let source = 'reads';
  for (let depth = 1; depth <= DEPTH; depth++) {
    await volume.call('CloneDataset', { source, name: `reads${depth}`, properties: {} });
    source = `reads${depth}`;
  }
  const deep = await volume.mount(source);
  const deepFiles = await filesIn(volume, deep.client, deep.root);
  places.push({
    what: `clone of depth ${DEPTH}`,
    ...(await beside(live, { client: deep.client, files: deepFiles })),
  });
  client.close();
  deep.client.close();
  return {
    title: 'Reads',
    note: `4 KiB of ${FILES} files, each in turn with that of the live dataset; medians.`,
    head: ['where', 'live', 'first', 'again', 'first / live', 'again / live'],
    rows: places.map(({ what, live: asLive, first, again }) => [
      what,
      ...[asLive, first, again].map(ms),
      ...[first / asLive, again / asLive].map((ratio) => ratio.toFixed(2)),
    ]),
    // Of the newest of so many snapshots and of the clone.
    limits: [
      {
        what: 'reads, first / live',
        measured: worst(places.slice(-2), ({ first, live: asLive }) => first / asLive),
        atMost: 3,
      },
      {
        what: 'reads, again / live',
        measured: worst(places.slice(-2), ({ again, live: asLive }) => again / asLive),
        atMost: 1.2,
      },
    ],
  };
}

async function filesIn(volume, client, directory) {
  const files = [];
  for (let file = 0; file < FILES; file++) files.push(await volume.find(client, directory, [`file${file}`]));
  return files;
}

/** In turns, because the machine is not as quick at one time as at another. */
async function beside(live, old) {
  const [asLive, first, again] = [[], [], []];
  for (let round = 0; round < 6; round++) {
    for (let number = 0; number < FILES; number++) {
      for (const [{ client, files }, times] of [
        [live, asLive],
        [old, round === 0 ? first : again],
      ])
        times.push(...(await timed(1, () => client.must(read(files[number], 0, 4096)))));
    }
  }
  return { live: quantile(asLive, 0.5), first: quantile(first, 0.5), again: quantile(again, 0.5) };
}

function worst(list, figure) {
  return Math.max(...list.map(figure));
}

/** From the call until no job is left, with so many keys changed since the snapshot. */
export async function measureDeletion(volume, keys) {
  await volume.call('CreateDataset', { name: 'deletion', properties: {} });
  await volume.load('deletion', load('create', keys));
  const answered = [];
  const gone = [];
  for (let round = 0; round < DELETIONS; round++) {
    await volume.call('CreateSnapshot', { source: 'deletion', name: 's', properties: {} });
    await volume.load('deletion', load('setattr', keys));
    await volume.rest(REST_MS);
    const begun = performance.now();
    await volume.call('DeleteSnapshot', { name: 'deletion@s', labels: [] });
    answered.push(performance.now() - begun);
    await volume.rest(REST_MS);
    gone.push(performance.now() - begun);
  }
  const perThousand = (quantile(gone, 0.5) * 1000) / keys;
  return {
    title: 'Deletion of a snapshot',
    note: `By the client, medians of ${DELETIONS}, until nothing of it is left in the background.`,
    head: ['changed keys', 'answered', 'gone', 'for a thousand keys'],
    rows: [
      [keys.toLocaleString('en'), ms(quantile(answered, 0.5)), ms(quantile(gone, 0.5)), ms(perThousand)],
    ],
  };
}

function load(workload, count) {
  const files = ['--dir', 'f', '--files', `${count}`, '--perdir', '1000'];
  return ['--wl', workload, ...files, '--count', `${count}`, '--depth', '64'];
}

export async function measureDiff(volume, files) {
  const dataset = `d${files}`;
  await volume.call('CreateSnapshot', { source: dataset, name: 'diff', properties: {} });
  await volume.load(dataset, [
    '--wl',
    'create',
    '--dir',
    'changes',
    '--files',
    '1000',
    '--count',
    '1000',
    '--depth',
    '16',
  ]);
  let changes = 0;
  const times = await timed(7, async () => {
    changes = (await volume.diff({ from: `${dataset}@diff`, to: dataset })).length;
  });
  return {
    title: 'Diff',
    note: 'By the client, median of 7.',
    head: ['files', 'changes', 'time'],
    rows: [[files.toLocaleString('en'), String(changes), ms(quantile(times, 0.5))]],
    limits: [{ what: 'diff of a thousand changes', measured: quantile(times, 0.5), atMost: 100, unit: 'ms' }],
  };
}

export async function measureList(volume, count) {
  await volume.call('CreateDataset', { name: 'listed', properties: {} });
  for (let number = 0; number < count; number++)
    await volume.call('CreateSnapshot', { source: 'listed', name: `s${number}`, properties: {} });
  const times = await timed(7, () => volume.call('ListSnapshots', { source: 'listed', labels: [] }));
  return {
    title: 'List of snapshots',
    note: 'By the client over gRPC, median of 7.',
    head: ['snapshots', 'time'],
    rows: [[count.toLocaleString('en'), ms(quantile(times, 0.5))]],
    limits: [
      {
        what: `list of ${count.toLocaleString('en')} snapshots`,
        measured: quantile(times, 0.5),
        atMost: 200,
        unit: 'ms',
      },
    ],
  };
}

export async function measureSpace(volume) {
  const { client } = await withFiles(volume, 'space');
  const bytes = () =>
    Number(execFileSync('du', ['-s', '-B1', volume.server.dataDir], { encoding: 'utf8' }).split('\t')[0]);
  const before = bytes();
  const empty = 5000;
  for (let number = 0; number < empty; number++)
    await volume.call('CreateSnapshot', { source: 'space', name: `s${number}`, properties: {} });
  const perSnapshot = Math.max(0, bytes() - before) / empty;
  client.close();
  return {
    title: 'Space',
    note: 'By `du` of the data directory, so in steps of its files.',
    head: ['bytes a snapshot with nothing changed'],
    rows: [[perSnapshot.toFixed(0)]],
    limits: [{ what: 'a snapshot with nothing changed', measured: perSnapshot, atMost: 1024, unit: 'bytes' }],
  };
}
