// SNAPSHOT_EVERY=1s: snapshots of the default dataset behind the back of a suite, by MKDIR in `.snapshots`. While the
// server is down there are none.

import { setTimeout as sleep } from 'node:timers/promises';
import { lookup, mkdir } from './nfs-calls.mjs';
import { NfsClient } from './nfs-client.mjs';
import { Failure } from './report.mjs';

const UNITS_MS = { ms: 1, s: 1000, m: 60_000 };

/** Undefined without SNAPSHOT_EVERY; else `{ end }`, which answers how many there are. */
export async function snapshotEvery(undo, server) {
  const text = process.env.SNAPSHOT_EVERY;
  if (!text) return undefined;
  const match = /^(\d+)(ms|s|m)$/.exec(text);
  if (!match) throw new Failure(`SNAPSHOT_EVERY is a duration such as 500ms or 1s, not ${text}`);
  await server.cli('dataset', 'set', 'root', 'snapdir-write=on');
  const taking = new Taking(server, Number(match[1]) * UNITS_MS[match[2]]);
  undo.push(() => taking.end());
  return taking;
}

class Taking {
  #server;
  #everyMs;
  #taken = 0;
  #isEnding = false;
  #mounted;
  #ended;

  constructor(server, everyMs) {
    this.#server = server;
    this.#everyMs = everyMs;
    this.#ended = this.#run();
  }

  async end() {
    this.#isEnding = true;
    await this.#ended;
    return this.#taken;
  }

  async #run() {
    for (let number = 0; !this.#isEnding; number++) {
      await this.#take(`every-${process.pid}-${number}`).catch(() => this.#unmount());
      await sleep(this.#everyMs);
    }
    this.#unmount();
  }

  async #take(name) {
    this.#mounted ??= await mountSnapshots(this.#server);
    await this.#mounted.client.must(mkdir(this.#mounted.snapshots, name));
    this.#taken++;
  }

  #unmount() {
    this.#mounted?.client.close();
    this.#mounted = undefined;
  }
}

async function mountSnapshots(server) {
  const { client, root } = await NfsClient.mount(server);
  const { file } = await client.must(lookup(root, '.snapshots'));
  return { client, snapshots: file };
}
