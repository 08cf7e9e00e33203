// What is done to one side of a snapshot or a clone shows nowhere on the other: every cell of the table (matrix.ts),
// by raw calls, and everything that the other side shows compared, before and after a restart like a crash.

import { afterEach, describe, expect, it } from 'vitest';
import { madeBy, Nfs3Client } from '../../nfs/nfs3/nfs3-client.ts';
import { ServedVolume } from '../../nfs/served-volume.ts';
import { listing } from './listing.ts';
import { KINDS, PLACES, PROCEDURES } from './matrix.ts';

/** What is made of the dataset `data`; then one side is changed and the others are watched. */
interface Relation {
  readonly title: string;
  readonly prepare: (served: ServedVolume) => Promise<void>;
  readonly changed: string;
  readonly watched: readonly string[];
}

const RELATIONS: readonly Relation[] = [
  {
    title: 'the live dataset after a snapshot',
    prepare: (served) => snapshot(served, 'data', 'one'),
    changed: '/data',
    watched: ['/data@one'],
  },
  {
    title: 'a clone',
    prepare: async (served) => {
      await snapshot(served, 'data', 'one');
      await served.snapshots.clone('data@one', 'clone', {});
    },
    changed: '/clone',
    watched: ['/data', '/data@one'],
  },
  {
    title: 'the origin of a clone',
    prepare: async (served) => {
      await snapshot(served, 'data', 'one');
      await served.snapshots.clone('data@one', 'clone', {});
    },
    changed: '/data',
    watched: ['/clone', '/data@one'],
  },
  {
    title: 'a clone of a clone',
    prepare: async (served) => {
      await snapshot(served, 'data', 'one');
      await served.snapshots.clone('data@one', 'clone', {});
      await snapshot(served, 'clone', 'two');
      await served.snapshots.clone('clone@two', 'grandchild', {});
    },
    changed: '/grandchild',
    watched: ['/data', '/clone', '/clone@two'],
  },
  {
    title: 'the live dataset after a rollback',
    prepare: async (served) => {
      await snapshot(served, 'data', 'one');
      await served.snapshots.rollback('data@one', true);
    },
    changed: '/data',
    watched: ['/data@one'],
  },
];

async function snapshot(served: ServedVolume, dataset: string, name: string): Promise<void> {
  await served.snapshots.create(dataset, name, {});
}

const STATES = [
  { state: 'stored', stable: 2 },
  { state: 'waiting in memory', stable: 0 },
];

interface Cell {
  readonly procedure: string;
  readonly name: string;
  readonly place: readonly string[];
  readonly object: Buffer;
}

const cellName = (procedure: string, kind: string) => `${procedure} of ${kind}`;
const otherName = (name: string) => `beside ${name}`;

let served: ServedVolume;
afterEach(() => served.stop());

describe.each(STATES)('with data $state', ({ stable }) => {
  it.each(RELATIONS)(
    'nothing that is done to $title shows elsewhere',
    { timeout: 120_000 },
    async (relation) => {
      const { prepare, changed, watched } = relation;
      served = await ServedVolume.start();
      await served.datasets.create('data', {});
      const cells = await makeCells(stable);
      await prepare(served);
      const before = await seen(watched);
      const { client, root } = await Nfs3Client.mount(served, changed);
      for (const [procedure, run] of Object.entries(PROCEDURES)) {
        let done = 0;
        for (const { place, name, object } of cells.filter((cell) => cell.procedure === procedure)) {
          const directory = await directoryAt(client, root, place);
          const found = await client.lookup(directory, name);
          const target = { client, directory, name, other: otherName(name) };
          const { status } = await run({ ...target, object: found.status === 0 ? found.handle : object });
          if (status === 0) done++;
        }
        expect(done, `${procedure} that succeeded`).toBeGreaterThan(0);
      }
      // Each cell has an object that is named after it, so a difference tells where it comes from.
      expect(await seen(watched)).toEqual(before);
      await served.restart();
      expect(await seen(watched), 'after a restart').toEqual(before);
    },
  );
});

async function makeCells(stable: number): Promise<Cell[]> {
  const { client, root } = await Nfs3Client.mount(served, '/data');
  const elsewhere = await madeBy(client.mkdir(root, 'elsewhere'));
  const cells: Cell[] = [];
  for (const place of PLACES) {
    let directory = root;
    for (const name of place) directory = await madeBy(client.mkdir(directory, name));
    const links = await madeBy(client.mkdir(elsewhere, `of ${place.length}`));
    for (const procedure of Object.keys(PROCEDURES)) {
      for (const [kind, make] of Object.entries(KINDS)) {
        const name = cellName(procedure, kind);
        const object = await make({ client, directory, elsewhere: links, name, stable });
        if (procedure === 'RENAME over it')
          await madeBy(client.create(directory, otherName(name), { guarded: {} }));
        cells.push({ procedure, name, place, object });
      }
    }
  }
  return cells;
}

async function directoryAt(client: Nfs3Client, root: Buffer, place: readonly string[]): Promise<Buffer> {
  let directory = root;
  for (const name of place) directory = (await client.lookup(directory, name)).handle;
  return directory;
}

async function seen(paths: readonly string[]): Promise<object> {
  const found: Record<string, object> = {};
  for (const path of paths) {
    const { client, root } = await Nfs3Client.mount(served, path);
    found[path] = await listing(client, root);
  }
  return found;
}
