// What is done to one side of a snapshot or a clone shows nowhere on the other: every cell of the table (table.json),
// by raw calls, and everything that the other side shows compared, before and after a restart like a crash.

import { afterEach, describe, expect, it } from 'vitest';
import { madeBy, Nfs3Client } from '../../nfs/nfs3/nfs3-client.ts';
import { ServedVolume } from '../../nfs/served-volume.ts';
import { listing } from './listing.ts';
import { KINDS, PROCEDURES } from './matrix.ts';
import { type Step, TABLE } from './table.ts';

/** How data that a state has is written. */
const STABLE: Readonly<Record<string, number>> = { stored: 2, 'waiting in memory': 0 };

interface Cell {
  readonly procedure: string;
  readonly name: string;
  readonly place: readonly string[];
  readonly object: Buffer;
}

const cellName = (procedure: string, kind: string) => `${procedure} of ${kind}`;
const otherName = (name: string) => `beside ${name}`;

let served: ServedVolume;

it('has a player for every procedure, kind and state of the table', () => {
  expect(Object.keys(PROCEDURES)).toEqual(TABLE.procedures);
  expect(Object.keys(KINDS)).toEqual(TABLE.kinds);
  expect(Object.keys(STABLE)).toEqual(TABLE.states);
});

describe.each(TABLE.states)('with data %s', (state) => {
  afterEach(() => served.stop());

  it.each(TABLE.relations)(
    'nothing that is done to $title shows elsewhere',
    { timeout: 120_000 },
    async ({ steps, changed, watched }) => {
      served = await ServedVolume.start();
      await served.datasets.create('data', {});
      const cells = await makeCells(STABLE[state]!);
      for (const step of steps) await take(step);
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

function take(step: Step): Promise<unknown> {
  const { snapshots } = served;
  if (step[0] === 'clone') return snapshots.clone(step[1], step[2], {});
  if (step[0] === 'rollback') return snapshots.rollback(step[1], true);
  const [dataset, name] = step[1].split('@') as [string, string];
  return snapshots.create(dataset, name, {});
}

async function makeCells(stable: number): Promise<Cell[]> {
  const { client, root } = await Nfs3Client.mount(served, '/data');
  const elsewhere = await madeBy(client.mkdir(root, 'elsewhere'));
  const cells: Cell[] = [];
  for (const place of TABLE.places) {
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
