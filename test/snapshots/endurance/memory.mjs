// The resident memory of a server, looked at while it works.

import { readFileSync } from 'node:fs';

const LOOK_MS = 200;

export class MemoryWatch {
  #looks = [];
  #timer;

  constructor(pid) {
    this.#timer = setInterval(() => this.#looks.push(residentMiB(pid)), LOOK_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }

  /** The largest resident size in each of `count` equal parts of the time. */
  peaks(count) {
    const looks = this.#looks;
    return Array.from({ length: count }, (_, part) => {
      const from = Math.floor((part * looks.length) / count);
      const to = Math.floor(((part + 1) * looks.length) / count);
      return Math.max(0, ...looks.slice(from, to));
    });
  }
}

function residentMiB(pid) {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib ?? 0) / 1024);
}
