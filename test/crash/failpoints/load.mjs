// Another client at work while the server is killed: what was acknowledged to it is there afterwards, and of the one call
// in flight all or nothing.

import * as calls from '../../rig/nfs-calls.mjs';
import { mount, withMount } from './volume.mjs';

const BYTES = 6000;

export class Load {
  #client;
  #working;
  #isOver = false;
  /** Files that were acknowledged. */
  acknowledged = 0;

  /** Writes one file after the other into a dataset until the server is gone. */
  async begin(server, dataset) {
    const { client, root } = await mount(server, dataset);
    this.#client = client;
    this.#working = this.#work(root).catch(() => {});
  }

  async end() {
    this.#isOver = true;
    await this.#working;
    this.#client?.close();
  }

  async #work(root) {
    while (!this.#isOver) {
      const { file } = await this.#client.must(calls.create(root, `load-${this.acknowledged}`));
      await this.#client.must(calls.write(file, 0, bytesOf(this.acknowledged), calls.Stable.fileSync));
      this.acknowledged++;
    }
  }

  /** What was acknowledged and is not there, and what should not be there. */
  async lost(server, dataset) {
    const offences = [];
    await withMount(server, dataset, async (client, root) => {
      const found = (await client.list(root)).filter(({ name }) => name.startsWith('load-'));
      if (found.length > this.acknowledged + 1)
        offences.push(`${found.length} files, ${this.acknowledged} were written`);
      const files = new Map(found.map((entry) => [entry.name, entry]));
      for (let at = 0; at < this.acknowledged; at++) {
        const entry = files.get(`load-${at}`);
        const data = entry && (await client.must(calls.read(entry.file, 0, 2 * BYTES))).data;
        if (!data?.equals(bytesOf(at))) offences.push(`load-${at} was acknowledged and is not there whole`);
      }
    });
    return offences;
  }
}

const bytesOf = (number) => Buffer.alloc(BYTES, `${number},`);
