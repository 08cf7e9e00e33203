// A server of its own with one dataset of so many empty files, and the steps that are timed on it.
//
//   warm steps   the first ten thousand files again and again; listings of their directories
//   cold steps   each behind a restart, the system's cache of the volume dropped: ten thousand files picked from all
//                over, once; a listing of everything; deletion and creation of the first ten thousand

import path from 'node:path';
import { getattr, lookup } from '../test/rig/nfs-calls.mjs';
import { freePort, sharedFolder } from '../test/rig/places.mjs';
import { runOk } from '../test/rig/processes.mjs';
import { CairnServer } from '../test/rig/servers.mjs';
import { askOnce } from './closed-loop.mjs';
import { readyCall } from './load-calls.mjs';
import { residentMiB } from './process-figures.mjs';
import { BenchVolume } from './snapshot-volume.mjs';

const DATASET = 'files';
const TOUCHED = 10_000;
const DEPTH = 16;
/** Prime, so that its multiples are all over the files, each once. */
const STRIDE = 7919;
const LISTED = ['--size', '65536'];
/** Of a picked file. */
const CALLS = {
  LOOKUP: ({ directory, name }) => readyCall('lookup', lookup(directory, name)),
  GETATTR: ({ file }) => readyCall('getattr', getattr(file)),
};

export class SizedVolume {
  #server;
  #volume;
  #files;
  #perDirectory;

  constructor({ server, files, perDirectory }) {
    this.#server = server;
    this.#files = files;
    this.#perDirectory = perDirectory;
  }

  /** Answers the volume and how many files a second were made. */
  static async make({ undo, directory, files, perDirectory }) {
    const server = new CairnServer({ directory, port: await freePort() });
    undo.push(() => server.stop());
    await server.start();
    const made = new SizedVolume({ server, files, perDirectory });
    made.#volume = await BenchVolume.open(server);
    await made.#volume.call('CreateDataset', { name: DATASET, properties: {} });
    const perSecond = await made.#load('create', files, ['--count', `${files}`, '--depth', '64']);
    return { volume: made, perSecond };
  }

  get residentMiB() {
    return residentMiB(this.#server.pid);
  }

  /** @param step one of the warm steps; answers calls or entries a second */
  warm(step, seconds) {
    const again = ['--depth', `${DEPTH}`, '--seconds', `${seconds}`];
    switch (step) {
      case 'READDIRPLUS':
        return this.#load('readdirplus', this.#first, [...LISTED, '--seconds', `${seconds}`]);
      case 'REMOVE':
      case 'CREATE':
        return this.#changeFirst(step);
      default:
        return this.#load(step.toLowerCase(), TOUCHED, again);
    }
  }

  /** As `warm`, for a cold step. */
  async cold(step) {
    // Handles of before will not do: files have been deleted and made anew since.
    const picked = step in CALLS ? await this.#pick() : [];
    await this.#restart();
    switch (step) {
      case 'READDIRPLUS':
        return this.#load('readdirplus', this.#files, [...LISTED, '--count', `${this.#directories}`]);
      case 'REMOVE':
      case 'CREATE':
        return this.#changeFirst(step);
      default:
        return askOnce({ port: this.#server.port, calls: picked.map(CALLS[step]), depth: DEPTH });
    }
  }

  async stop() {
    this.#volume.close();
    await this.#server.stop();
  }

  get #directories() {
    return Math.ceil(this.#files / this.#perDirectory);
  }

  /** What a warm listing is of: the directories of the first files, whole. */
  get #first() {
    return Math.max(TOUCHED, this.#perDirectory);
  }

  #changeFirst(step) {
    const workload = { REMOVE: 'unlink', CREATE: 'create' }[step];
    return this.#load(workload, this.#files, ['--count', `${TOUCHED}`, '--depth', `${DEPTH}`]);
  }

  async #load(workload, files, args) {
    const names = ['--dir', 'f', '--files', `${files}`, '--perdir', `${this.#perDirectory}`];
    const { items_s, ops_s } = await this.#volume.load(DATASET, ['--wl', workload, ...names, ...args]);
    return items_s || ops_s;
  }

  /** Handles and names as the generator gave them: f0000000 and so on, in d00000 and so on. */
  async #pick() {
    const { client, root } = await this.#volume.mount(DATASET);
    const { file: top } = await client.must(lookup(root, 'f'));
    const directories = new Map();
    const directoryOf = (number) => {
      const name = `d${`${Math.floor(number / this.#perDirectory)}`.padStart(5, '0')}`;
      if (!directories.has(name)) directories.set(name, client.must(lookup(top, name)));
      return directories.get(name);
    };
    const picked = [];
    for (let first = 0; first < TOUCHED; first += 100) {
      const some = Array.from({ length: 100 }, async (_, index) => {
        const number = ((first + index) * STRIDE) % this.#files;
        const name = `f${`${number}`.padStart(7, '0')}`;
        const { file: directory } = await directoryOf(number);
        const { file } = await client.must(lookup(directory, name));
        return { directory, name, file };
      });
      picked.push(...(await Promise.all(some)));
    }
    client.close();
    return picked;
  }

  async #restart() {
    await this.#server.stop();
    await runOk('python3', [path.join(sharedFolder('perf'), 'dropcache.py'), this.#server.dataDir]);
    await this.#server.start();
  }
}
