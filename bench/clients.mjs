// Other processes of the benchmarks under load, as the benchmark sees them: clients of the server, and a loop of stable
// writes without one.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Failure } from '../test/rig/report.mjs';

class Worker {
  #child;

  constructor(undo, program, first) {
    this.#child = fork(fileURLToPath(program), { serialization: 'advanced' });
    undo.push(() => this.#child.kill());
    this.#child.send(first);
  }

  /** What it says next. */
  async next() {
    const ended = once(this.#child, 'exit').then(([status, signal]) => {
      throw new Failure(`A process of the benchmark ended with ${status ?? signal}`);
    });
    const [message] = await Promise.race([once(this.#child, 'message'), ended]);
    return message;
  }

  /** Answers what it has measured in so long. */
  run(seconds) {
    this.#child.send({ seconds });
    return this.next();
  }

  stop() {
    this.#child.kill();
  }
}

/** A connection for each of `mixes`, which are lists of calls (load-calls.mjs), to files of `dataset`. */
export async function startClients(undo, { port, dataset, mixes }) {
  const worker = new Worker(undo, new URL('./client-process.mjs', import.meta.url), { port, dataset, mixes });
  await worker.next();
  return worker;
}

export async function startStableLoop(undo, directory) {
  const worker = new Worker(undo, new URL('./stable-loop.mjs', import.meta.url), { directory });
  await worker.next();
  return worker;
}
