// Snapshot, clone and rollback by the server's own timer, at several sizes and with many snapshots there already; and
// what another client's calls notice of them.

import { getattr } from '../test/rig/nfs-calls.mjs';
import { until } from '../test/rig/processes.mjs';
import { ms, quantile } from './snapshot-volume.mjs';

/** With more rollbacks a dataset is flattened in the background: that is measured by itself. */
const REPEATS = 15;
const REST_MS = 1_800_000;
const ROLLBACKS = 20;
const OPERATIONS = ['snapshot', 'clone', 'rollback'];

export async function measureOperations(volume, sizes, many) {
  // The first call of a kind is the one in which the server loads what it needs for it.
  await volume.makeFiles('first', 10);
  await medians(volume, 'first');
  const measured = [];
  const measure = async (name, what) => measured.push({ what, ...(await medians(volume, name)) });
  for (const files of sizes) await measure(`d${files}`, `${files} files, few snapshots`);
  const dataset = `d${sizes[0]}`;
  for (let number = 0; number < many; number++)
    await volume.call('CreateSnapshot', { source: dataset, name: `many${number}`, properties: {} });
  await measure(dataset, `${sizes[0]} files, ${many} snapshots`);
  const [least, most, withMany] = [measured[0], measured.at(-2), measured.at(-1)];
  const worst = (of) => Math.max(...OPERATIONS.map(of));
  return {
    title: 'Operations, by the server',
    note: `Medians of ${REPEATS}, with nothing dirty. Beside them a client asks for attributes without a pause: the slowest of a thousand of its calls.`,
    head: ['dataset', 'snapshot', 'clone', 'rollback', 'delete snapshot', "another client's p99.9"],
    rows: measured.map(({ what, noticed, deletion, ...of }) => [
      what,
      ...[...OPERATIONS.map((operation) => of[operation]), deletion, noticed].map(ms),
    ]),
    limits: [
      {
        what: 'snapshot, clone, rollback, by the server',
        measured: Math.max(...measured.map((of) => worst((operation) => of[operation]))),
        atMost: 5,
        unit: 'ms',
      },
      {
        what: `the same, ${most.what} / ${least.what}`,
        measured: worst((operation) => most[operation] / least[operation]),
        atMost: 1.5,
      },
      {
        what: `the same, ${withMany.what} / ${least.what}`,
        measured: worst((operation) => withMany[operation] / least[operation]),
        atMost: 1.5,
      },
      {
        what: "another client's calls meanwhile, p99.9",
        measured: Math.max(...measured.map(({ noticed }) => noticed)),
        atMost: 10,
        unit: 'ms',
      },
    ],
  };
}

async function medians(volume, dataset) {
  await volume.rest(REST_MS);
  const times = { snapshot: [], clone: [], rollback: [], deletion: [] };
  const others = new Others(volume, dataset);
  await others.start();
  for (let number = 0; number < REPEATS; number++) {
    const name = `bench${number}`;
    const snapshot = `${dataset}@${name}`;
    const clone = `${dataset}-clone${number}`;
    times.snapshot.push(await elapsed(volume, 'CreateSnapshot', { source: dataset, name, properties: {} }));
    times.clone.push(
      await elapsed(volume, 'CloneDataset', { source: snapshot, name: clone, properties: {} }),
    );
    times.rollback.push(await elapsed(volume, 'RollbackDataset', { name: snapshot, discard: true }));
    await volume.call('DeleteDataset', { name: clone });
    times.deletion.push(await elapsed(volume, 'DeleteSnapshot', { name: snapshot, labels: [] }));
  }
  const noticed = await others.stop();
  const middle = Object.entries(times).map(([operation, list]) => [operation, quantile(list, 0.5)]);
  return { ...Object.fromEntries(middle), noticed };
}

async function elapsed(volume, method, request) {
  const { elapsedUs } = await volume.call(method, request);
  return elapsedUs / 1000;
}

/** A dataset that is rolled back so often becomes one whose reads do not go through all of its former heads. */
export async function measureFlattening(volume, files) {
  const dataset = `d${files}`;
  const source = { source: dataset, name: 'flattened', properties: {} };
  const others = new Others(volume, dataset);
  await volume.rest(REST_MS);
  const earlier = await detachesOf(volume, dataset);
  await others.start();
  const begun = performance.now();
  for (let number = 0; number < ROLLBACKS; number++) {
    await volume.call('CreateSnapshot', source);
    await volume.call('RollbackDataset', { name: `${dataset}@flattened`, discard: true });
    await volume.call('DeleteSnapshot', { name: `${dataset}@flattened`, labels: [] });
  }
  const isOver = async () => (await detachesOf(volume, dataset)).length > earlier.length;
  await until('the dataset to be flattened', isOver, { timeoutMs: REST_MS });
  await volume.rest(REST_MS);
  const elapsedMs = performance.now() - begun;
  const noticed = await others.stop();
  return {
    title: 'A chain of rollbacks',
    note: `${ROLLBACKS} rollbacks in a row, until the dataset is flattened and all former heads are gone.`,
    head: ['files', 'time', "another client's p99.9"],
    rows: [[files.toLocaleString('en'), `${(elapsedMs / 1000).toFixed(1)} s`, ms(noticed)]],
  };
}

/** Of a dataset that holds alone what it comes from nothing is left but itself. */
async function detachesOf(volume, dataset) {
  const { jobs } = await volume.call('ListJobs', {});
  return jobs.filter(
    ({ kind, state, subject }) =>
      ['flatten', 'detach'].includes(kind) && state === 'done' && subject.startsWith(`${dataset} `),
  );
}

/** A client that is not concerned. */
class Others {
  #volume;
  #dataset;
  #running;
  #stopped = false;

  constructor(volume, dataset) {
    this.#volume = volume;
    this.#dataset = dataset;
  }

  async start() {
    const { client, root } = await this.#volume.mount(this.#dataset);
    this.#running = this.#ask(client, root);
  }

  async #ask(client, root) {
    const times = [];
    while (!this.#stopped) {
      const begun = performance.now();
      await client.must(getattr(root));
      times.push(performance.now() - begun);
    }
    client.close();
    return times;
  }

  async stop() {
    this.#stopped = true;
    return quantile(await this.#running, 0.999);
  }
}
