// Mixed work at full rate for as long as it is given: whether memory, latency and the data directory stay what they are.
//
// Each round does the same work and removes what it made, so that as much is live behind each:
//
//   make      trees as untar, a compiler, git and a mail store make them, and one large file
//   snapshot  of all that; the one of two rounds before is deleted, in the background of what follows
//   change    attributes, names, data and the first tree's removal: the old is the snapshot's alone
//   remove    everything

import { expect } from '../test/rig/report.mjs';
import { diskMiB, residentMiB } from './process-figures.mjs';
import { ms, quantile } from './snapshot-volume.mjs';
import { median, rate } from './verdicts.mjs';

const DATASET = 'endurance';
const SNAPSHOTS = 2;
const SLICES = 6;
/** From here on minutes are easier to read. */
const MINUTES_FROM_S = 600;
const SPACE_LIMIT = 1.1;
const LATENCY_LIMIT = 1.25;
/** Steps that have a column, and what their rate counts. */
const SHOWN = {
  untar: 'files/s',
  compile: 'units/s',
  git: 'objects/s',
  smallfile: 'files/s',
  randrw: 'calls/s',
  randwrite: 'MiB/s',
};

/** @param share of the work of a whole round, one of which takes a quarter of a minute on two cores that are its own */
export async function measureEndurance({ volume, seconds, share }) {
  await volume.call('CreateDataset', { name: DATASET, properties: {} });
  const work = workOf(share);
  const rounds = [];
  const begun = performance.now();
  do {
    const round = await play(volume, work, rounds.length);
    rounds.push({ endedS: (performance.now() - begun) / 1000, ...round });
  } while (rounds.at(-1).endedS < seconds);
  return enduranceTable(rounds);
}

/** Options of the load generator by the workload they are for. Counts and no times: a round that is slow is no smaller. */
function workOf(share) {
  const some = (count) => Math.ceil(count * share);
  const sources = { files: some(1000), perdir: 50, depth: 4 };
  const small = { dir: 'small', files: some(8000), depth: 16 };
  const large = { dir: 'large', filesize: `${some(256)}M` };
  return {
    make: {
      untar: { dir: 'untar', count: some(150), depth: 8, stable: 2 },
      compile: { dir: 'compile', count: some(800), ...sources },
      git: { dir: 'git', count: some(2000), stable: 2, ...sources },
      smallfile: { ...small, count: small.files, size: 4096 },
      seqwrite: { ...large, count: some(256), size: '1M', depth: 4 },
      seqread: { ...large, count: some(256), size: '1M', depth: 4, verify: true },
    },
    change: {
      untarrm: { dir: 'untar', count: some(150), depth: 8 },
      setattr: { ...small, count: some(20_000) },
      readdirplus: { ...small, count: some(3000), size: 65_536, depth: 1 },
      rename: { ...small, count: small.files },
      randrw: { ...large, count: some(30_000), size: 4096, depth: 16, verify: true },
      randwrite: { ...large, count: some(4096), size: '64k', depth: 16 },
    },
  };
}

/** One round; memory is the highest that was seen behind one of its steps. */
async function play(volume, { make, change }, number) {
  const steps = {};
  const resident = [];
  const run = async (workloads) => {
    for (const [workload, options] of Object.entries(workloads)) {
      steps[workload] = await step(volume, workload, options);
      resident.push(residentMiB(volume.server.pid));
    }
  };
  await run(make);
  await volume.call('CreateSnapshot', { source: DATASET, name: `round${number}`, properties: {} });
  if (number >= SNAPSHOTS)
    await volume.call('DeleteSnapshot', { name: `${DATASET}@round${number - SNAPSHOTS}`, labels: [] });
  await run(change);
  for (const directory of new Set(Object.values(make).map(({ dir }) => dir))) {
    const { status, stderr } = await volume.remove(DATASET, directory);
    expect(status === 0, () => `${directory} is not removed: ${stderr}`);
  }
  resident.push(residentMiB(volume.server.pid));
  return { steps, residentMiB: Math.max(...resident), diskMiB: diskMiB(volume.server.dataDir) };
}

async function step(volume, workload, options) {
  const flags = Object.entries(options).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, `${value}`],
  );
  const result = await volume.load(DATASET, ['--wl', workload, ...flags]);
  const { ops, short, badverify } = result;
  expect(ops === options.count, () => `${workload}: ${ops} of ${options.count} operations`);
  expect(short === 0, () => `${workload}: ${short} calls did less than was asked`);
  expect(badverify === 0, () => `${workload}: ${badverify} calls read wrong bytes`);
  return { rate: rate(result), p50Ms: result.p50_us / 1000, p99Ms: result.p99_us / 1000 };
}

/** @param rounds `{ endedS, residentMiB, diskMiB, steps: { WORKLOAD: { rate, p50Ms, p99Ms } } }`, in their order */
export function enduranceTable(rounds) {
  const totalS = rounds.at(-1).endedS;
  const slower = Object.keys(rounds[0].steps).map((name) => ({
    name,
    growth: growth(rounds, (part) => median(part.map(({ steps }) => steps[name].p50Ms))),
  }));
  const worst = slower.reduce((one, other) => (other.growth > one.growth ? other : one));
  return {
    title: 'Endurance',
    note:
      `${rounds.length} rounds of the same mixed work, each behind the other, with all that is made removed at the end of its round and a ` +
      `snapshot of it kept for ${SNAPSHOTS} more. RSS and disk are the highest of a slice; rates and p99 the medians of its rounds, of untar a ` +
      'directory of 20 files. Limits are the last third of the time over the second: the first warms up.',
    head: [
      'time',
      'rounds',
      'RSS MiB',
      'disk MiB',
      ...Object.entries(SHOWN).map(([name, unit]) => `${name}: ${unit}, p99`),
    ],
    rows: partsOf(rounds, SLICES).map((part, index) => [spanOf(index, totalS), ...figures(part)]),
    limits: [
      {
        what: 'memory, last third / second',
        measured: growth(rounds, (part) => highest(part, 'residentMiB')),
        atMost: SPACE_LIMIT,
      },
      {
        what: `p50 of the worst step, ${worst.name}, last third / second`,
        measured: worst.growth,
        atMost: LATENCY_LIMIT,
      },
      {
        what: 'data directory, last third / second',
        measured: growth(rounds, (part) => highest(part, 'diskMiB')),
        atMost: SPACE_LIMIT,
      },
    ],
  };
}

/** Rounds by the part of the time in which they ended. */
function partsOf(rounds, count) {
  const parts = Array.from({ length: count }, () => []);
  const totalS = rounds.at(-1).endedS;
  for (const round of rounds)
    parts[Math.min(count - 1, Math.floor((round.endedS / totalS) * count))].push(round);
  return parts;
}

/** Not a number, and so no limit met, where no round ended in the second third. */
function growth(rounds, figure) {
  const [, second, last] = partsOf(rounds, 3);
  return figure(last) / figure(second);
}

function highest(rounds, figure) {
  return quantile(
    rounds.map((round) => round[figure]),
    1,
  );
}

function spanOf(index, totalS) {
  const [unit, unitS] = totalS >= MINUTES_FROM_S ? ['min', 60] : ['s', 1];
  const [from, to] = [index, index + 1].map((at) => Math.round((at * totalS) / SLICES / unitS));
  return `${from} to ${to} ${unit}`;
}

function figures(part) {
  if (part.length === 0) return ['0', ...Array(2 + Object.keys(SHOWN).length).fill('–')];
  const middle = (name, figure) => median(part.map(({ steps }) => steps[name][figure]));
  return [
    String(part.length),
    String(highest(part, 'residentMiB')),
    String(highest(part, 'diskMiB')),
    ...Object.keys(SHOWN).map(
      (name) => `${Math.round(middle(name, 'rate')).toLocaleString('en')}, ${ms(middle(name, 'p99Ms'))}`,
    ),
  ];
}
