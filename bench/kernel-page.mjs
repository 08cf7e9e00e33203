// What a kernel client's turns have measured, as a section of docs/performance.md.

import { machine } from './page.mjs';
import { table } from './section.mjs';
import { median } from './verdicts.mjs';

/** Of less than so many calls in a turn a mean says nothing. */
const CALLS_MIN = 100;
const OURS = ['strict', 'relaxed'];

export const HOST_PAGE = {
  title: "A kernel client's view, beside nfs-ganesha",
  what: `Servers on this machine and its disk: ours, and \`vfs\`, nfs-ganesha as shipped, which does not sync metadata before it replies. All
of them, and the relay to the client, have one processor, the client has the other.`,
  peer: 'vfs',
  limits: [
    { what: 'create of 4 KiB files', mode: 'strict', figure: 'create-4k/s', limit: 1.4 },
    { what: 'create of 4 KiB files', mode: 'relaxed', figure: 'create-4k/s', limit: 2 },
  ],
};

export const GUESTS_PAGE = {
  title: "A kernel client's view, beside knfsd",
  what: `Servers in guests of their own with 2 GiB of ext4 on a file of this machine, all on one processor and the client on the
other: ours, \`knfsd\`, the kernel's own server with its export \`sync\`, and \`ganesha\`, to see what it costs to be a process in such
a guest, where a system call takes 15 to 25 µs; knfsd makes none.`,
  peer: 'knfsd',
  limits: [
    { what: 'untar (tarball)', mode: 'strict', figure: 'tarball ms', limit: 1 },
    { what: 'compile', mode: 'strict', figure: 'compile ms', limit: 1 },
  ],
};

export function sectionOf(page, { turns, missing = [], size, directory, quick }) {
  const names = [...new Set(turns.map(({ name }) => name))];
  const date = new Date().toISOString().slice(0, 10);
  const look = quick ? ' **A quick run: a look, not a measurement.**' : '';
  return [
    `## ${page.title}`,
    `Measured on ${date} with \`npm run bench:kernel\`: ${machine(directory)}.${look}`,
    page.what,
    `The client is a User Mode Linux guest (Linux 6.1, NFSv3) that has all of them mounted and runs the programs of
shared/kernel-client/guest on each in turn: \`bench.sh ${size.megabytes} ${size.files}\`, which is compiled C, and \`tarball\`, \`compile\` and \`git\` of workloads.sh.
\`tmpfs\` is a directory in the client's own memory: what is left when no server is asked. Each server has
served a short bench.sh before. Medians of ${size.turns}; a ratio, the median
of the turns' ratios, is how many times as fast ours is: above 1 it is the faster one.`,
    ...missing.map(({ name, why }) => `**\`${name}\` was not measured**: ${why.replaceAll('\n', ' ')}`),
    verdicts(page, turns),
    figures(page, { turns, names }),
    '### Where the time of the programs is',
    "Calls, and milliseconds until their replies by the client's own count (/proc/self/mountstats); some are awaited at once.",
    waits({ turns, names }),
    '### Calls of bench.sh',
    'How many a turn, ours strict, and their mean time until the reply in µs, relay and guest included.',
    replies({ turns, names }),
  ].join('\n\n');
}

function verdicts({ limits, peer }, turns) {
  const rows = limits.map(({ what, mode, figure, limit }) => {
    const ratios = ratiosOf(turns, { figure, mode, peer });
    const ratio = median(ratios);
    const measured = Number.isNaN(ratio)
      ? '–'
      : `${ratio.toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
    const verdict = Number.isNaN(ratio) ? 'open' : ratio >= limit ? 'met' : 'missed';
    return [what, mode, peer, `≥ ${limit}`, measured, verdict];
  });
  return table(['what', 'mode', 'peer', 'limit', 'measured (least–most)', 'verdict'], rows);
}

function figures({ peer }, { turns, names }) {
  const all = [...new Set(turns.flatMap((turn) => [...turn.figures.keys()]))];
  const rows = all.map((figure) => [
    figure,
    ...names.map((name) => count(median(of(turns, name).map((turn) => turn.figures.get(figure))))),
    ...OURS.map((mode) => fixed(median(ratiosOf(turns, { figure, mode, peer })))),
  ]);
  return table(['', ...names, ...OURS.map((mode) => `${mode} / ${peer}`)], rows);
}

/** Of each turn: how many times as fast. */
function ratiosOf(turns, { figure, mode, peer }) {
  const peers = of(turns, peer);
  return of(turns, mode).flatMap(({ figures }, turn) => {
    const [ours, theirs] = [figures.get(figure), peers[turn]?.figures.get(figure)];
    if (ours === undefined || theirs === undefined) return [];
    return [figure.endsWith(' ms') ? theirs / ours : ours / theirs];
  });
}

function waits({ turns, names }) {
  const steps = [...new Set(turns.flatMap(({ calls }) => [...calls.keys()]))].filter(
    (step) => step !== 'bench',
  );
  const rows = steps.map((step) => [
    step,
    ...names.map((name) => {
      const ms = median(of(turns, name).map(({ figures }) => figures.get(`${step} ms`)));
      const sums = of(turns, name).map(({ calls }) => sum([...calls.get(step).values()]));
      const [calls, waited] = ['count', 'waitedMs'].map((key) => median(sums.map((total) => total[key])));
      return calls === 0 ? `${count(ms)} ms` : `${count(ms)} ms: ${count(calls)} calls, ${count(waited)} ms`;
    }),
  ]);
  return table(['', ...names], rows);
}

function sum(procedures) {
  const total = { count: 0, waitedMs: 0 };
  for (const { count, waitedMs } of procedures) {
    total.count += count;
    total.waitedMs += waitedMs;
  }
  return total;
}

function replies({ turns, names }) {
  const mounted = names.filter((name) => of(turns, name).some(({ calls }) => calls.get('bench').size > 0));
  const procedures = [...new Set(turns.flatMap(({ calls }) => [...calls.get('bench').keys()]))];
  const rows = procedures
    .map((procedure) => ({ procedure, calls: callsOf(turns, 'strict', procedure) }))
    .filter(({ calls }) => calls >= CALLS_MIN)
    .map(({ procedure, calls }) => [
      procedure,
      count(calls),
      ...mounted.map((name) => count(median(of(turns, name).flatMap((turn) => meanUs(turn, procedure))))),
    ]);
  return table(['', 'calls', ...mounted], rows);
}

function callsOf(turns, name, procedure) {
  return median(of(turns, name).map(({ calls }) => calls.get('bench').get(procedure)?.count ?? 0));
}

function meanUs({ calls }, procedure) {
  const { count: times, waitedMs } = calls.get('bench').get(procedure) ?? { count: 0, waitedMs: 0 };
  return times >= CALLS_MIN ? [(waitedMs * 1000) / times] : [];
}

function of(turns, name) {
  return turns.filter((turn) => turn.name === name);
}

function count(value) {
  return Number.isNaN(value) ? '–' : Math.round(value).toLocaleString('en');
}

function fixed(value) {
  return Number.isNaN(value) ? '–' : value.toFixed(2);
}
