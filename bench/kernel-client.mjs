// A kernel NFS client that has all servers of a comparison mounted: the programs of shared/kernel-client/guest, run on
// one of them, and the client's own count of its calls and of the time until their replies.

import { cpus } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Guest } from '../test/rig/guest.mjs';
import { expect } from '../test/rig/report.mjs';

/** A directory of the guest's memory instead of a mount: what the programs take without any server. */
export const NO_SERVER = 'tmpfs';
/** A guest runs on one processor. Guests with servers share another one, as far as there are two. */
export const SERVER_CPU = 0;
const CLIENT_CPU = cpus().length - 1;
const WORKLOADS = ['tarball', 'compile', 'git'];
/** What a server does behind its replies is not to be measured with the next one. */
const REST_MS = 2000;
const STEP_S = 180;
const WARM_UP = { megabytes: 16, files: 500 };

export class KernelClient {
  #guest;
  #folder;
  #size;

  constructor(guest, folder, size) {
    this.#guest = guest;
    this.#folder = path.join(folder, 'guest');
    this.#size = size;
  }

  static async boot({ undo, folder, servers, size }) {
    const mounts = Object.entries(servers).flatMap(([name, server]) => {
      const { port, mountPort, exportPath, mountOptions } = server;
      const mountedWith = ['nosharecache', mountOptions].filter(Boolean).join(',');
      return ['--mount', `${name}=${port}/${mountPort}:${exportPath}:${mountedWith}`];
    });
    const args = ['--cpu', String(CLIENT_CPU), '--mem', '1G', ...mounts];
    const client = new KernelClient(await Guest.start(undo, folder, 'client', args), folder, size);
    await client.#warm(Object.keys(servers));
    return client;
  }

  /**
   * What only the first turn would pay: the programs come from the host's disk, the trees that they copy are made, and the
   * servers, above all one whose code is compiled while it runs, have served nobody.
   */
  async #warm(servers) {
    await this.#run(`mkdir ${pathOf(NO_SERVER)}`);
    for (const name of [NO_SERVER, ...servers]) await this.#bench(name, WARM_UP);
    for (const workload of WORKLOADS) await this.#workload(NO_SERVER, workload);
  }

  /** Answers `figures`, by name, and `calls`: of each step, by procedure, `{ count, waitedMs }`. */
  async turn(name) {
    const figures = new Map();
    const calls = new Map();
    const step = async (title, measure) => {
      const before = await this.#calls(name);
      for (const [figure, value] of await measure()) figures.set(figure, value);
      calls.set(title, since(before, await this.#calls(name)));
    };
    await step('bench', () => this.#bench(name, this.#size));
    for (const workload of WORKLOADS) await step(workload, () => this.#workload(name, workload));
    await sleep(REST_MS);
    return { figures, calls };
  }

  async #bench(name, { megabytes, files }) {
    const said = await this.#run(`MNT=${pathOf(name)} ${this.#folder}/bench.sh ${megabytes} ${files}`);
    const figures = [...said.matchAll(/^(\S+) (\d+)$/gm)];
    expect(figures.length > 0, () => `bench.sh: ${said}`);
    return figures.map(([, figure, value]) => [figure, Number(value)]);
  }

  async #workload(name, workload) {
    // The one of git makes its origin there.
    const clean = 'rm -rf /run/repo';
    const said = await this.#run(`${clean}; MNT=${pathOf(name)} ${this.#folder}/workloads.sh ${workload}`);
    const passed = /^PASS \S+ \((\d+) ms\)$/m.exec(said);
    expect(passed, () => said);
    return [[`${workload} ms`, Number(passed[1])]];
  }

  #run(script) {
    return this.#guest.execOk(script, { timeoutS: STEP_S, cwd: '/' });
  }

  /** By procedure, of the mount since it was made: how many calls, and milliseconds from each to its reply. */
  async #calls(name) {
    const said = await this.#run('cat /proc/self/mountstats');
    const mount = said.split(/^device /m).find((text) => text.includes(` mounted on ${pathOf(name)} `)) ?? '';
    // After the name: calls, sent, timeouts, bytes out and in, and the milliseconds queued, to the reply, and in all.
    const procedures = mount.matchAll(/^\s+([A-Z]+): (\d+) \d+ \d+ \d+ \d+ \d+ (\d+) \d+/gm);
    return new Map(
      [...procedures].map(([, procedure, count, ms]) => [
        procedure,
        { count: Number(count), waitedMs: Number(ms) },
      ]),
    );
  }

  stop() {
    return this.#guest.stop();
  }
}

function since(before, after) {
  const changes = [...after].map(([procedure, { count, waitedMs }]) => {
    const was = before.get(procedure) ?? { count: 0, waitedMs: 0 };
    return [procedure, { count: count - was.count, waitedMs: waitedMs - was.waitedMs }];
  });
  return new Map(changes.filter(([, { count }]) => count > 0));
}

function pathOf(name) {
  return name === NO_SERVER ? `/run/${NO_SERVER}` : `/mnt/${name}`;
}
