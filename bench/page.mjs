// docs/performance.md: what was measured, when, where, and how it stands against the goals.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import path from 'node:path';
import { PROJECT } from '../test/rig/places.mjs';
import { runOk } from '../test/rig/processes.mjs';
import { MILLION_LIMITS } from './goals.mjs';
import { commandOf } from './section.mjs';
import { verdictTable } from './verdicts.mjs';

export function performancePage({ tables, results, million, count, directory, options }) {
  const { quick, repeats } = options;
  const how = commandOf('bench', options, quick || repeats === '3' ? [] : [`--repeats ${repeats}`]);
  return `# Performance

Measured on ${new Date().toISOString().slice(0, 10)} with \`${how}\`: ${machine(directory)}. The load generator runs on the same machine, the
steps of the servers in turn: trust ratios and CPU per call, not absolute rates. The peer is nfs-ganesha as shipped, \`vfs\` on the
same disk (it does not sync metadata before it replies) and \`mem\`, which stores no file data.${quick ? '\n\n**A quick run, scaled to a tenth: a look, not a measurement.**' : ''}

## Floors

What may not be fallen below; the run fails if it is.

${verdictTable(results.rateFloors, '≥')}

${verdictTable(results.cpuFloors, '≤')}

## Goals

Medians of ratios, ours / peer; of several steps the worst.

${verdictTable(results.rateGoals, '≥')}

${verdictTable(results.cpuGoals, '≤')}

${million.length > 0 ? memorySection(million, count) : ''}## All steps, strict

${tables.strict.trim()}

## All steps, relaxed

${tables.relaxed.trim()}
`;
}

function memorySection(million, count) {
  return `## Memory and start-up

${count.toLocaleString('en')} empty files in one directory, by a raw client at depth 64; limits: ${MILLION_LIMITS.peakMiB} MiB RSS, start-up ${MILLION_LIMITS.startMs / 1000} s.

| step | per second | peak RSS MiB | start-up ms |
|---|---|---|---|
${million.map((row) => `| ${row.step} | ${row.perSecond ?? ''} | ${row.peakMiB ?? ''} | ${row.startMs ?? ''} |`).join('\n')}

`;
}

/** What it was measured on; `directory` is on the disk in question. */
export function machine(directory) {
  const processors = cpus();
  const file = execFileSync('stat', ['-f', '-c', '%T', directory], { encoding: 'utf8' }).trim();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${processors.length} × ${processors[0].model.trim()}, ${memory} GiB, Linux ${release()}, ${file}, Node ${process.versions.node}`;
}

/**
 * Puts the sections of `page` into the file: each in the place of the one of its title, new ones at the end. Sections that
 * only the file has, written by hand or by another command, stay.
 */
export async function writeSections(file, page) {
  const sections = existsSync(file) ? sectionsOf(readFileSync(file, 'utf8')) : new Map();
  for (const [title, text] of sectionsOf(page)) sections.set(title, text);
  await writeFormatted(file, `${[...sections.values()].join('\n\n')}\n`);
}

/** Formatted as all that is committed. */
export async function writeFormatted(file, text) {
  writeFileSync(file, text);
  // Elsewhere it is for a look, and the formatter knows only what is below its root.
  if (path.relative(PROJECT, path.resolve(file)).startsWith('..')) return;
  await runOk('npx', ['biome', 'format', '--write', file], { cwd: PROJECT });
}

/** By title, in their order; what is before the first has the title ''. */
function sectionsOf(page) {
  return new Map(page.split(/\n(?=## )/).map((text) => [/^## (.*)/.exec(text)?.[1] ?? '', text.trim()]));
}
