// A crash behind any batch of what snapshots do: each change is there whole or not at all, and one that was acknowledged
// is there; what goes on in the background is finished by the next start, and in the end nothing leaks.

import { describe, expect, it } from 'vitest';
import { keys } from '../../../src/kv/keys.ts';
import { SUPERUSER } from '../../fs/views/walk.ts';
import { RecordedVolume } from './recorded-volume.ts';

const call = { caller: SUPERUSER };

interface Step {
  readonly name: string;
  /** What clients may see besides what was before the step and what is after it. */
  readonly between?: boolean;
  run(recorded: RecordedVolume): Promise<unknown>;
}

/** It waits in memory. */
async function write(recorded: RecordedVolume, dataset: string, name: string, bytes: number, seed: number) {
  const { fileSystem } = recorded.volume.datasets.get(dataset)!;
  const root = await fileSystem.root();
  const how = { mode: 'unchecked', changes: {} } as const;
  const { result } = await fileSystem.create(call, root, Buffer.from(name), how);
  await fileSystem.write(call, result.node, 0, Buffer.alloc(bytes, seed), false);
  return { fileSystem, node: result.node };
}

async function remove(recorded: RecordedVolume, dataset: string, name: string) {
  const { fileSystem } = recorded.volume.datasets.get(dataset)!;
  const { ticket } = await fileSystem.remove(call, await fileSystem.root(), Buffer.from(name));
  await fileSystem.settled(ticket);
}

/** Small enough to be inline, in one frame, in several windows. */
const SIZES = [100, 60_000, 1_300_000];

async function fill(recorded: RecordedVolume, dataset: string, seed: number) {
  for (const [at, bytes] of SIZES.entries()) {
    const { fileSystem, node } = await write(recorded, dataset, `f${at}`, bytes, seed + at);
    const { ticket } = await fileSystem.commit(call, node);
    await fileSystem.settled(ticket);
  }
}

async function snapshotOfMemory(recorded: RecordedVolume, dataset: string, name: string) {
  await write(recorded, dataset, 'f0', SIZES[0]!, 51);
  await recorded.volume.snapshots.create(dataset, name, {});
}

/** Nobody sees anything of it. */
async function detach(recorded: RecordedVolume, dataset: string) {
  await recorded.volume.detaches.start(dataset);
  await recorded.rest();
}

const STEPS: readonly Step[] = [
  { name: 'make datasets', between: true, run: ({ volume }) => volume.datasets.create('d', {}) },
  { name: 'nest one', run: ({ volume }) => volume.datasets.create('d/in', {}) },
  { name: 'write', between: true, run: (recorded) => fill(recorded, 'd', 1) },
  { name: 'snapshot', run: ({ volume }) => volume.snapshots.create('d', 'a', {}) },
  { name: 'overwrite', between: true, run: (recorded) => fill(recorded, 'd', 11) },
  {
    name: 'snapshot all below',
    run: ({ volume }) =>
      volume.snapshots.create('d', 'b', { recursive: true, properties: { 'label:pr': '1' } }),
  },
  { name: 'remove a file', between: true, run: (recorded) => remove(recorded, 'd', 'f2') },
  { name: 'clone', run: ({ volume }) => volume.snapshots.clone('d@a', 'c', {}) },
  { name: 'overwrite in the clone', between: true, run: (recorded) => fill(recorded, 'c', 21) },
  { name: 'remove in the clone', between: true, run: (recorded) => remove(recorded, 'c', 'f1') },
  { name: 'snapshot the clone', run: ({ volume }) => volume.snapshots.create('c', 'x', {}) },
  { name: 'roll back', run: ({ volume }) => volume.snapshots.rollback('d@a', true) },
  { name: 'overwrite after the rollback', between: true, run: (recorded) => fill(recorded, 'd', 31) },
  {
    name: 'roll back, keeping what was',
    run: ({ volume }) => volume.snapshots.rollback('d@b', false),
  },
  {
    name: 'snapshot what waits in memory',
    between: true,
    run: (recorded) => snapshotOfMemory(recorded, 'd', 'memory'),
  },
  { name: 'clone what is live', run: ({ volume }) => volume.snapshots.clone('d', 'live', {}) },
  { name: 'hold a snapshot', run: ({ volume }) => volume.snapshots.hold('d@b', 'tag') },
  { name: 'release it', run: ({ volume }) => volume.snapshots.release('d@b', 'tag') },
  { name: 'label it', run: ({ volume }) => volume.snapshots.set('d@b', { 'label:pr': '2' }) },
  { name: 'rename a snapshot', run: ({ volume }) => volume.snapshots.rename('d@a', 'a2') },
  { name: 'delete a snapshot with a clone', run: ({ volume }) => volume.snapshots.delete('d@a2') },
  { name: 'detach the clone', run: (recorded) => detach(recorded, 'c') },
  { name: 'overwrite in the detached clone', between: true, run: (recorded) => fill(recorded, 'c', 41) },
  { name: 'detach what was rolled back', run: (recorded) => detach(recorded, 'd') },
  { name: 'delete a snapshot', run: ({ volume }) => volume.snapshots.delete('d@b') },
  { name: 'delete the origin', run: ({ volume }) => volume.datasets.delete('d', true) },
  { name: 'delete the clone', run: ({ volume }) => volume.datasets.delete('c', true) },
  { name: 'delete the clone of what was live', run: ({ volume }) => volume.datasets.delete('live', false) },
];

interface Done {
  readonly name: string;
  readonly between: boolean;
  readonly batches: number;
  readonly shown: ReadonlyMap<string, unknown>;
  readonly told: ReadonlyMap<string, unknown>;
}

async function seen(recorded: RecordedVolume) {
  return { shown: await recorded.shown(), told: recorded.told() };
}

async function performed(recorded: RecordedVolume): Promise<Done[]> {
  const done: Done[] = [
    { name: 'nothing', between: true, batches: recorded.batches, ...(await seen(recorded)) },
  ];
  for (const { name, between = false, run } of STEPS) {
    await run(recorded);
    const { batches } = recorded;
    done.push({ name, between, batches, ...(await seen(recorded)) });
    await recorded.rest();
  }
  await recorded.rest();
  return done;
}

/** The last step that was acknowledged by then, and the one that was under way. */
function at(done: readonly Done[], batches: number): { before: Done; during: Done | undefined } {
  const next = done.findIndex((step) => step.batches > batches);
  return next < 0
    ? { before: done.at(-1)!, during: undefined }
    : { before: done[next - 1]!, during: done[next] };
}

async function deleteAll({ volume }: RecordedVolume): Promise<void> {
  const { datasets, snapshots } = volume;
  for (const { name, holds } of snapshots.list()) for (const tag of holds) await snapshots.release(name, tag);
  for (const { name } of datasets.list())
    if (name !== 'root' && datasets.get(name)) await datasets.delete(name, true);
}

const { history, changed, kept, tombstone, job, snapshot, space, chunk } = keys;
const EMPTY_FAMILIES = { history, changed, kept, tombstone, job, snapshot, space, chunk };

/** What the next process shows is what was acknowledged, and of the change under way all or nothing. */
function expectWhole(
  { shown, told }: Awaited<ReturnType<typeof seen>>,
  { before, during }: ReturnType<typeof at>,
  where: string,
): void {
  expect([before.told, during?.told], where).toContainEqual(told);
  if (!during) expect(shown, where).toEqual(before.shown);
  else if (!during.between) expect([before.shown, during.shown], where).toContainEqual(shown);
  for (const [name, seen] of shown)
    if (name.includes('@'))
      expect([before.shown.get(name), during?.shown.get(name)], `${name}, ${where}`).toContainEqual(seen);
}

async function expectNothingLeaks(survivor: RecordedVolume, where: string): Promise<void> {
  expect(await survivor.findings(), where).toEqual([]);
  await deleteAll(survivor);
  await survivor.rest();
  for (const [name, family] of Object.entries(EMPTY_FAMILIES))
    expect(await survivor.rowsOf(family), `${name} left, ${where}`).toBe(0);
  const { trees, live } = survivor.volume.store;
  expect(trees.size, where).toBe(1);
  for (const [segment, { liveCount }] of live.segments)
    expect(liveCount, `segment ${segment}, ${where}`).toBe(0);
  expect(survivor.errors, where).toEqual([]);
}

describe('a crash behind any batch of snapshots, clones, rollbacks and deletions', () => {
  it('leaves each whole or absent, and nothing leaks, also when the next start crashes', {
    timeout: 60_000,
  }, async () => {
    const recorded = await RecordedVolume.create();
    const done = await performed(recorded);
    const last = recorded.batches;
    for (let batches = done[0]!.batches; batches <= last; batches++) {
      const state = at(done, batches);
      const where = `batch ${batches} of ${last}: after "${state.before.name}", during "${state.during?.name}"`;
      const survivor = await recorded.after(batches);
      const first = await seen(survivor);
      expectWhole(first, state, where);
      const { shown } = first;
      await survivor.rest();
      expect(await survivor.shown(), `${where}, at rest`).toEqual(shown);
      const next = await survivor.after(Math.ceil((batches + survivor.batches) / 2));
      await expectNothingLeaks(survivor, where);
      await survivor.volume.close();
      await next.rest();
      expect(await next.shown(), `${where}, and after a second crash`).toEqual(shown);
      await expectNothingLeaks(next, `${where}, and after a second crash`);
      await next.volume.close();
    }
    await recorded.volume.close();
    expect(last - done[0]!.batches).toBeGreaterThan(STEPS.length * 2);
  });
});
