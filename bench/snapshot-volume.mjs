// The server under measurement as the benchmarks of snapshots see it: the admin service, and raw NFS clients.

import { create, lookup, mkdir, write } from '../test/rig/nfs-calls.mjs';
import { NfsClient } from '../test/rig/nfs-client.mjs';
import { run } from '../test/rig/processes.mjs';
import { expect } from '../test/rig/report.mjs';

const LOAD = process.env.NFSLOAD ?? '/tmp/nfsload';
const BLOCK = Buffer.alloc(4096, 7);

export class Volume {
  #admin;

  constructor(server, admin) {
    this.server = server;
    this.#admin = admin;
  }

  static async open(server) {
    const { AdminClient } = await import('../dist/admin/grpc/admin-client.js');
    const { systemClock } = await import('../dist/clock.js');
    return new Volume(server, new AdminClient(server.socket, systemClock));
  }

  call(method, request) {
    return this.#admin.call(method, request);
  }

  /** All that a comparison says. */
  async diff(request) {
    const changes = [];
    const wanted = { ranges: false, watch: false, ...request };
    for await (const message of this.#admin.diff(wanted)) changes.push(...message.changes);
    return changes;
  }

  async mount(dataset) {
    return NfsClient.mount({ ...this.target, exportPath: `/${dataset}` }, { reserved: false });
  }

  get target() {
    const { port, mountPort } = this.server;
    return { port, mountPort };
  }

  /** A dataset with `count` empty files, a thousand a directory, and ten of 4 KiB in its root. */
  async makeFiles(dataset, count) {
    await this.call('CreateDataset', { name: dataset, properties: {} });
    await this.load(dataset, [
      '--wl',
      'create',
      '--dir',
      'f',
      '--files',
      `${count}`,
      '--perdir',
      '1000',
      '--count',
      `${count}`,
      '--depth',
      '64',
    ]);
    const { client, root } = await this.mount(dataset);
    for (let number = 0; number < 10; number++) {
      const { file } = await client.must(create(root, `data${number}`));
      await client.must(write(file, 0, BLOCK, 2));
    }
    client.close();
    return `${count} files`;
  }

  /** What the generator says of one workload. */
  async load(dataset, args) {
    const { port, mountPort } = this.target;
    const target = ['--port', `${port}`, '--mport', `${mountPort}`, '--export', `/${dataset}`];
    const { stdout, stderr } = await run(LOAD, [...target, ...args], { timeoutMs: 1_800_000 });
    const line = stdout.split('\n').find((text) => text.startsWith('{'));
    expect(line, () => `nfsload: ${stderr || 'said nothing'}`);
    const result = JSON.parse(line);
    expect(result.errors === 0, () => `${result.errors} errors: ${result.err}`);
    return result;
  }

  /** The file at a path of names, from the root of a dataset or a snapshot of it. */
  async find(client, root, names) {
    let at = root;
    for (const name of names) at = (await client.must(lookup(at, name))).file;
    return at;
  }

  async makeDirectory(client, root, name) {
    return (await client.must(mkdir(root, name))).file;
  }
}

/** Of `values`, in their order. */
export function quantile(values, share) {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Milliseconds of each of `count` runs of `task`. */
export async function timed(count, task) {
  const times = [];
  for (let number = 0; number < count; number++) {
    const begun = performance.now();
    await task(number);
    times.push(performance.now() - begun);
  }
  return times;
}

export const ms = (value) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
