// From the rows of shared/perf/suite.mjs to ratios and verdicts.

/** The figure of a row that its ratios are taken of: entries, MiB or operations a second, as suite.mjs prints it. */
export function rate(row) {
  if (row.items_s > 0) return row.items_s;
  return row.mib_s > 0 && row.size >= 65536 ? row.mib_s : row.ops_s;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function ratios({ rows, figure, steps, peer }) {
  const of = (step, target) => median(rows.filter((r) => r.id === step && r.target === target).map(figure));
  const all = [...new Set(rows.map((row) => row.id))];
  const wanted = steps instanceof RegExp ? all.filter((step) => steps.test(step)) : steps;
  return wanted.map((step) => ({ step, ratio: of(step, 'ours') / of(step, peer) }));
}

/** One result for each goal and peer: `{ what, mode, peer, goal, ratio, step, met }`, of the worst step. */
export function judgeRates(goals, rowsOf) {
  return judge(goals, rowsOf, {
    figure: rate,
    worst: (a, b) => a.ratio - b.ratio,
    meets: (r, goal) => r >= goal,
  });
}

/** As judgeRates, for server CPU per operation: less is better. */
export function judgeCpu(goals, rowsOf) {
  const figure = (row) => row.srv_us_per_op;
  return judge(goals, rowsOf, { figure, worst: (a, b) => b.ratio - a.ratio, meets: (r, goal) => r <= goal });
}

function judge(goals, rowsOf, { figure, worst, meets }) {
  const results = [];
  for (const { what, mode, steps, ...peers } of goals) {
    for (const [peer, goal] of Object.entries(peers)) {
      const measured = ratios({ rows: rowsOf[mode], figure, steps, peer }).filter(({ ratio }) =>
        Number.isFinite(ratio),
      );
      const { step, ratio } = measured.sort(worst)[0] ?? { step: 'not measured', ratio: Number.NaN };
      results.push({ what, mode, peer, goal, ratio, step, met: meets(ratio, goal) });
    }
  }
  return results;
}

export function verdictTable(results, sign) {
  const lines = results.map(({ what, mode, peer, goal, ratio, step, met }) => {
    const figure = Number.isNaN(ratio) ? '–' : ratio.toFixed(2);
    const verdict = Number.isNaN(ratio) ? 'open' : met ? 'met' : 'missed';
    return `| ${what} | ${mode} | ${peer} | ${sign} ${Number(goal.toFixed(2))} | ${figure} | ${step} | ${verdict} |`;
  });
  return [
    '| workload | mode | peer | goal | measured | worst step | verdict |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
