// The server under measurement as the benchmarks of snapshots use it.

import { create, lookup, mkdir, write } from '../test/rig/nfs-calls.mjs';
import { Volume } from '../test/rig/volume.mjs';

const BLOCK = Buffer.alloc(4096, 7);

export class BenchVolume extends Volume {
  /** All that a comparison says. */
  async diff(request) {
    const changes = [];
    const wanted = { ranges: false, watch: false, ...request };
    for await (const message of this.admin.diff(wanted)) changes.push(...message.changes);
    return changes;
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
