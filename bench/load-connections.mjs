// More and more connections, one call in flight on each: half of them read, half of them change. What the whole makes,
// what a call costs the server, and whether one client gets less than the others.

import { startClients } from './clients.mjs';
import { cpuSeconds } from './process-figures.mjs';
import { quantile } from './snapshot-volume.mjs';

const READS = ['getattr', 'lookup', 'read'];
const CHANGES = ['setattr', 'create', 'write'];
const FILES = 1000;
const FAIR = 0.5;

export async function measureConnections({ volume, undo, counts, seconds }) {
  const dataset = 'connections';
  await volume.call('CreateDataset', { name: dataset, properties: {} });
  const files = ['--files', `${FILES}`, '--size', '4096', '--depth', '32'];
  await volume.generate(dataset, ['--wl', 'smallfile', '--dir', 'f', '--count', `${FILES}`, ...files]);
  const measured = [];
  for (const count of counts) {
    const clients = await startClients(undo, {
      port: volume.server.port,
      dataset,
      mixes: mixesOf(count),
    });
    // What is compiled by the way is not measured.
    await clients.run(1);
    measured.push({ count, seconds, ...(await measure(volume, clients, seconds)) });
    clients.stop();
  }
  return tableOf(measured);
}

/** A single client does both in turn. */
function mixesOf(count) {
  if (count === 1) return [READS.flatMap((name, index) => [name, CHANGES[index]])];
  return Array.from({ length: count }, (_, number) => (number % 2 ? CHANGES : READS));
}

async function measure(volume, clients, seconds) {
  const before = cpuSeconds(volume.server.pid);
  const { loops, busy } = await clients.run(seconds);
  const cpu = cpuSeconds(volume.server.pid) - before;
  const reads = figures(loops, READS);
  const changes = figures(loops, CHANGES);
  return { reads, changes, cpu, busy };
}

/** Of the calls of `names`, over the loops that make them. */
function figures(loops, names) {
  const perLoop = loops
    .map((loop) => names.flatMap((name) => [...(loop[name] ?? [])]))
    .filter((l) => l.length);
  const shares = perLoop.map(({ length }) => length);
  const times = perLoop.flat();
  const fairness = Math.min(...shares) / (times.length / shares.length);
  return { calls: times.length, fairness, at: [0.5, 0.99, 0.999].map((share) => quantile(times, share)) };
}

function tableOf(measured) {
  const rate = ({ calls }, seconds) => Math.round(calls / seconds).toLocaleString('en');
  const times = ({ at }) => at.map((ms) => ms.toFixed(ms < 10 ? 2 : 0)).join(' / ');
  const perCall = ({ cpu, reads, changes }) => ((cpu * 1e6) / (reads.calls + changes.calls)).toFixed(1);
  const percent = (share) => `${Math.round(share * 100)} %`;
  return {
    title: 'Connections',
    note:
      'One call in flight on each. Half of the connections read (GETATTR, LOOKUP, READ of 4 KiB in turn), half change (SETATTR, CREATE, WRITE ' +
      'of 4 KiB FILE_SYNC in turn); one alone does both. All clients are one process, on the same machine: at the most a core for it and one ' +
      'for the server. Fairness is what the slowest client gets of the mean of its kind.',
    head: [
      'connections',
      'reads a second',
      'p50 / p99 / p99.9 ms',
      'fairness',
      'changes a second',
      'p50 / p99 / p99.9 ms',
      'fairness',
      'server CPU µs a call',
      'server, clients busy',
    ],
    rows: measured.map(({ count, seconds, reads, changes, cpu, busy }) => [
      String(count),
      rate(reads, seconds),
      times(reads),
      reads.fairness.toFixed(2),
      rate(changes, seconds),
      times(changes),
      changes.fairness.toFixed(2),
      perCall({ cpu, reads, changes }),
      `${percent(cpu / seconds)}, ${percent(busy)}`,
    ]),
    limits: ['reads', 'changes'].map((kind) => ({
      what: `the slowest client that makes ${kind}, of the mean`,
      measured: Math.min(...measured.map(({ [kind]: { fairness } }) => fairness)),
      atLeast: FAIR,
    })),
  };
}
