// What the endurance test does beside the load: a snapshot every 50 ms, and at random the deletion of one, a clone of one
// that is changed, the deletion of a clone, a rollback. Each is one call at a time; none may fail.

import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../crash/random.mjs';
import { create, setattr, write } from '../../rig/nfs-calls.mjs';

const EVERY_MS = 50;
const KEPT_MAX = 120;
const CLONES_MAX = 8;
const CHANGED_FILES = 10;
const FILE = 1;
const DIRECTORY = 2;
const BLOCK = Buffer.alloc(20_000, 7);

export class Churn {
  #volume;
  #dataset;
  #random;
  #rolledBack;
  #snapshots = [];
  #clones = [];
  #number = 0;
  counts = { snapshots: 0, deletions: 0, clones: 0, 'clones deleted': 0, rollbacks: 0 };
  elapsedUs = [];

  /** @param rolledBack is told before each rollback */
  constructor(volume, dataset, seed, rolledBack) {
    this.#volume = volume;
    this.#dataset = dataset;
    this.#random = new Random(seed);
    this.#rolledBack = rolledBack;
  }

  /** After a restart of the server. */
  use(volume) {
    this.#volume = volume;
  }

  /** Takes `count` snapshots, and does something else after each second of them. */
  async run(count) {
    let due = performance.now();
    while (this.counts.snapshots < count) {
      await this.#snapshot();
      const also = this.#random.weighted({
        nothing: 45,
        deletion: 40,
        clone: 7,
        'clone deletion': 7,
        rollback: 1,
      });
      if (this.#snapshots.length > KEPT_MAX || also === 'deletion') await this.#deleteSnapshot();
      if (also === 'clone') await this.#clone();
      if (also === 'clone deletion') await this.#deleteClone();
      if (also === 'rollback') await this.#rollBack();
      due = Math.max(due + EVERY_MS, performance.now());
      await sleep(due - performance.now());
    }
  }

  /** Deletes all snapshots and clones in random order. */
  async clear() {
    while (this.#snapshots.length + this.#clones.length > 0) {
      if (this.#random.below(2)) await this.#deleteSnapshot();
      else await this.#deleteClone();
    }
  }

  get #nextName() {
    return `n${this.#number++}`;
  }

  async #snapshot() {
    const name = this.#nextName;
    const request = { source: this.#dataset, name, properties: {} };
    const { elapsedUs } = await this.#volume.call('CreateSnapshot', request);
    this.elapsedUs.push(elapsedUs);
    this.#snapshots.push(`${this.#dataset}@${name}`);
    this.counts.snapshots++;
  }

  async #deleteSnapshot() {
    if (this.#snapshots.length === 0) return;
    const [name] = this.#snapshots.splice(this.#random.below(this.#snapshots.length), 1);
    await this.#volume.call('DeleteSnapshot', { name, labels: [] });
    this.counts.deletions++;
  }

  async #clone() {
    if (this.#clones.length >= CLONES_MAX) return;
    const name = this.#nextName;
    const source = this.#random.pick(this.#snapshots);
    await this.#volume.call('CloneDataset', { source, name, properties: {} });
    this.#clones.push(name);
    this.counts.clones++;
    await this.#change(name);
  }

  /** Of the first files of some directory the data, and a new one beside them. */
  async #change(dataset) {
    const { client, root } = await this.#volume.mount(dataset);
    const directories = (await client.list(root)).filter(({ attributes }) => attributes.type === DIRECTORY);
    const directory = directories.length === 0 ? root : this.#random.pick(directories).file;
    const files = (await client.list(directory)).filter(({ attributes }) => attributes.type === FILE);
    for (const { file } of files.slice(0, CHANGED_FILES)) await client.must(setattr(file, { size: 100 }));
    const { file } = await client.must(create(directory, 'of the clone'));
    await client.must(write(file, 0, BLOCK, 0));
    client.close();
  }

  async #deleteClone() {
    if (this.#clones.length === 0) return;
    const [name] = this.#clones.splice(this.#random.below(this.#clones.length), 1);
    await this.#volume.call('DeleteDataset', { name, recursive: true });
    this.counts['clones deleted']++;
  }

  async #rollBack() {
    this.#rolledBack();
    const name = this.#random.pick(this.#snapshots);
    const { before } = await this.#volume.call('RollbackDataset', {
      name,
      discard: this.#random.below(2) === 0,
    });
    if (before) this.#snapshots.push(before);
    this.counts.rollbacks++;
  }
}
