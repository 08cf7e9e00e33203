// A running server as the suites and benchmarks of snapshots use it: its admin service, raw NFS clients, and the load
// generator of shared/perf.

import { setTimeout as sleep } from 'node:timers/promises';
import { NfsClient } from './nfs-client.mjs';
import { run, until } from './processes.mjs';
import { expect } from './report.mjs';

const LOAD = process.env.NFSLOAD ?? '/tmp/nfsload';
const LOAD_MS = 1_800_000;
const LOOK_MS = 100;

export class Volume {
  #admin;

  constructor(server, admin) {
    this.server = server;
    this.#admin = admin;
  }

  static async open(server) {
    const { AdminClient } = await import('../../dist/admin/grpc/admin-client.js');
    const { systemClock } = await import('../../dist/clock.js');
    const volume = new this(server, new AdminClient(server.socket, systemClock));
    // NFS is answered before the admin service is.
    await until('the admin service to answer', () => volume.call('GetStatus', {}).catch(() => undefined));
    return volume;
  }

  get admin() {
    return this.#admin;
  }

  call(method, request) {
    return this.#admin.call(method, request);
  }

  async mount(dataset) {
    return NfsClient.mount({ ...this.target, exportPath: `/${dataset}` }, { reserved: false });
  }

  get target() {
    const { port, mountPort } = this.server;
    return { port, mountPort };
  }

  /** What the generator says of one workload, errors and all. */
  async generate(dataset, args) {
    const { stdout, stderr } = await this.#run(dataset, args);
    const line = stdout.split('\n').find((text) => text.startsWith('{'));
    expect(line, () => `nfsload: ${stderr || 'said nothing'}`);
    return JSON.parse(line);
  }

  /** As `generate`, where no error is expected. */
  async load(dataset, args) {
    const result = await this.generate(dataset, args);
    expect(result.errors === 0, () => `${result.errors} errors: ${result.err}`);
    return result;
  }

  /** Removes a directory of the root with all that is in it, if it is there; answers `{ status, stderr }`. */
  remove(dataset, directory) {
    return this.#run(dataset, ['--wl', 'rmtree', '--dir', directory]);
  }

  #run(dataset, args) {
    const { port, mountPort } = this.target;
    const target = ['--port', `${port}`, '--mport', `${mountPort}`, '--export', `/${dataset}`];
    return run(LOAD, [...target, ...args], { timeoutMs: LOAD_MS });
  }

  /** Waits until nothing goes on in the background. */
  async rest(timeoutMs) {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const { jobs } = await this.call('ListJobs', {});
      const running = jobs.filter(({ state }) => state === 'running');
      if (running.length === 0) return;
      const names = () => running.map(({ kind, subject }) => `${kind} of ${subject}`).join(', ');
      expect(Date.now() < deadline, () => `after ${timeoutMs} ms there still is ${names()}`);
      await sleep(LOOK_MS);
    }
  }

  close() {
    this.#admin.close();
  }
}
