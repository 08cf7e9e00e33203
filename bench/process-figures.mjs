// What the kernel says of a process, and of what it keeps on disk.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The tick of /proc, on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

/** CPU seconds so far, of all its threads. */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

export function residentMiB(pid) {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib ?? 0) / 1024);
}

/** Of all files below a directory. One that is deleted while `du` looks is not counted: it fails by that, its sum is right. */
export function diskMiB(directory) {
  const [kib] = spawnSync('du', ['-sk', directory], { encoding: 'utf8' }).stdout.split('\t');
  return Math.round(Number(kib || Number.NaN) / 1024);
}
