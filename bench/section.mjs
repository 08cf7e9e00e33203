// A section of docs/performance.md: its tables, and in front of them what they have to keep to, with verdicts.

/**
 * @param measuredBy the command
 * @param tables `{ title, note, head, rows, limits: [{ what, measured, atMost or atLeast, unit }] }`; a note and limits may be missing
 */
export function sectionOf({ title, measuredBy, tables }) {
  const parts = tables.map(({ title, note, head, rows }) =>
    [`### ${title}`, ...(note ? [note] : []), table(head, rows)].join('\n\n'),
  );
  const measured = `Measured on ${new Date().toISOString().slice(0, 10)} with \`${measuredBy}\`.`;
  return [`## ${title}`, measured, verdicts(tables), ...parts].join('\n\n');
}

/** As somebody types it, with the flags among `options` that are on, and `further` words. */
export function commandOf(script, options, further = []) {
  const flags = Object.keys(options).filter((flag) => options[flag] === true);
  const words = [...flags.map((flag) => `--${flag}`), ...further];
  return ['npm run', script, ...(words.length > 0 ? ['--'] : []), ...words].join(' ');
}

function verdicts(tables) {
  const rows = tables
    .flatMap(({ limits = [] }) => limits)
    .map(({ what, measured, atMost, atLeast, unit = '' }) => {
      const text = (value) => `${Number(value.toFixed(2))} ${unit}`.trim();
      const [sign, limit, isMet] =
        atMost === undefined ? ['≥', atLeast, measured >= atLeast] : ['≤', atMost, measured <= atMost];
      return [what, `${sign} ${text(limit)}`, text(measured), isMet ? 'met' : 'missed'];
    });
  return table(['what', 'limit', 'measured', 'verdict'], rows);
}

export function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
