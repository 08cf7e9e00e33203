// A run of the bench as it is kept beside its page, and what a later run does worse.
//
//   { strict | relaxed: { STEP: { vfs | mem: { rate: [RATIO of each repeat], cpu: [RATIO of each repeat] } } } }
//
// Ratios are ours / peer, of the two runs of a step that stood next to each other: absolute figures of two days tell the
// machine's day. What two runs of the same build differ by is noise: the scatter of the repeats, and never less than
// NOISE_MIN.

import { median, rate } from './verdicts.mjs';

/** Of a ratio: three repeats may agree by chance. */
const NOISE_MIN = 0.15;

export function recordOf(rowsOf) {
  return Object.fromEntries(Object.entries(rowsOf).map(([mode, rows]) => [mode, stepsOf(rows)]));
}

function stepsOf(rows) {
  const steps = {};
  for (const row of rows) {
    if (row.target === 'ours') continue;
    const ours = rows.find(({ id, rep, target }) => target === 'ours' && id === row.id && rep === row.rep);
    if (!ours) continue;
    steps[row.id] ??= {};
    steps[row.id][row.target] ??= { rate: [], cpu: [] };
    const ratios = steps[row.id][row.target];
    ratios.rate.push(ratioOf(rate(ours), rate(row)));
    ratios.cpu.push(ratioOf(ours.srv_us_per_op, row.srv_us_per_op));
  }
  return steps;
}

/** Null where one of the two could not be measured: it took too little time. */
function ratioOf(ours, peer) {
  return ours > 0 && peer > 0 ? Number((ours / peer).toFixed(4)) : null;
}

/** What `after` does worse than `before` by more than the noise: `{ mode, step, peer, figure, before, after, noise }`. */
export function regressions(before, after) {
  const worse = [];
  for (const [mode, steps] of Object.entries(after)) {
    for (const [step, peers] of Object.entries(steps)) {
      for (const [peer, figures] of Object.entries(peers)) {
        const old = before[mode]?.[step]?.[peer];
        if (!old) continue;
        for (const figure of ['rate', 'cpu']) {
          const found = compare(figure, old[figure], figures[figure]);
          if (found) worse.push({ mode, step, peer, figure, ...found });
        }
      }
    }
  }
  return worse;
}

function compare(figure, old, now) {
  const [before, after] = [measured(old), measured(now)];
  if (before.length === 0 || after.length === 0) return undefined;
  const noise = Math.max(NOISE_MIN, scatter(before), scatter(after));
  const [was, is] = [median(before), median(after)];
  // Of rates less is worse, of CPU more.
  const loss = figure === 'rate' ? 1 - is / was : is / was - 1;
  return loss > noise ? { before: was, after: is, noise } : undefined;
}

function measured(ratios) {
  return ratios.filter((ratio) => ratio !== null);
}

/** How far the repeats are from their median, as a share of it: half of them are nearer. */
function scatter(ratios) {
  const middle = median(ratios);
  return median(ratios.map((ratio) => Math.abs(ratio / middle - 1)));
}
