// The mixed load of a round: several workers at once, a full flush in the midst, and a moment to crash after it.

import { NfsClient } from '../rig/nfs-client.mjs';
import { until } from '../rig/processes.mjs';
import { Random } from './random.mjs';
import { Worker } from './worker.mjs';

const WORKERS = 6;
const ACKNOWLEDGED_MIN = 100;

export class Load {
  #random;
  #over = false;
  #jobs = [];
  #begun = 0;
  #flushedAt = 0;

  /**
   * @param prefix of the workers' directories, for a load beside the remains of another
   * @param relaxed the server promises changes of names with the next COMMIT or stable WRITE only
   */
  constructor(seed, { prefix = '', relaxed = false } = {}) {
    this.#random = new Random(seed);
    const worker = (i) => new Worker(`${prefix}w${i}`, new Random(this.#random.u32()), { relaxed });
    this.workers = Array.from({ length: WORKERS }, (_, i) => worker(i));
  }

  get acknowledged() {
    return this.workers.reduce((sum, worker) => sum + worker.acknowledged, 0) - this.#begun;
  }

  get acknowledgedSinceFlush() {
    return this.acknowledged - this.#flushedAt;
  }

  /** Starts all workers on a running server. */
  async begin(server) {
    const { client, root } = await NfsClient.mount(server, { reserved: false });
    client.close();
    this.#over = false;
    this.#begun = this.workers.reduce((sum, worker) => sum + worker.acknowledged, 0);
    for (const worker of this.workers) await worker.begin(server, root);
    this.#jobs = this.workers.map((worker) => worker.work(() => this.#over));
    this.failed = Promise.all(this.#jobs).then(() => new Promise(() => {}));
    this.failed.catch(() => {});
  }

  /** Works at least ACKNOWLEDGED_MIN operations, flushes all, and works on to a random moment. */
  async runToTheMoment() {
    const before = ACKNOWLEDGED_MIN + this.#random.below(400);
    const after = 20 + this.#random.below(400);
    await this.#until(() => this.acknowledged >= before);
    for (const worker of this.workers) worker.flushRequested = true;
    await this.#until(() => this.workers.every((worker) => !worker.flushRequested));
    this.#flushedAt = this.acknowledged;
    await this.#until(() => this.acknowledgedSinceFlush >= after);
  }

  async #until(condition) {
    await Promise.race([this.failed, until('the load', condition, { timeoutMs: 120_000, intervalMs: 1 })]);
  }

  /** Waits for the workers after the crash, or ends them. */
  async end() {
    this.#over = true;
    await Promise.all(this.#jobs);
  }
}
