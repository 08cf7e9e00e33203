import { describe, expect, it } from 'vitest';
import { treeCaches } from '../../../src/fs/tree.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import type { Change } from '../../../src/snapshots/diff/change.ts';
import { compareMoments } from '../../../src/snapshots/diff/compare.ts';
import { BLOCK_BYTES, BLOCK_BYTES_WRITTEN } from '../../fs/views/file-model.ts';
import { type Kept, ViewWorld, type WorldOptions } from '../../fs/views/view-world.ts';
import { answered, SUPERUSER } from '../../fs/views/walk.ts';
import { AbsentMetaStore } from '../../kv/absent-meta-store.ts';
import { seededRandom, upTo } from '../../kv/seeded-random.ts';
import { asTold, expectedChanges } from './expected-changes.ts';

const SEEDS = 4;
const ROUNDS = 9;
const OPERATIONS = 25;
const DATASETS_MAX = 4;

/** Datasets that are kept, cloned and taken back; then every two moments are compared, both ways. */
async function run(options: WorldOptions): Promise<void> {
  const { random } = options;
  const world = await ViewWorld.open(options);
  await world.create();
  // One that has nothing in common with the others: everything is compared.
  await world.create();
  const any = <T>(list: readonly T[]): T => list[upTo(random, list.length - 1)]!;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < OPERATIONS; i++) await world.operate(any(world.datasets));
      const dataset = any(world.datasets);
      const kept = await world.keep(dataset);
      if (random() < 0.3)
        await world.rollback(dataset, any(world.kept.filter((one) => one.dataset === dataset.id)));
      else if (world.datasets.length < DATASETS_MAX) await world.clone(kept);
      if (random() < 0.4) {
        world.reclaimer.wake();
        await world.reclaimer.idle();
      }
    }
    for (const from of world.kept) for (const to of world.kept) await compare(world, from, to);
  } catch (error) {
    throw new Error(world.trace.join('\n'), { cause: error });
  }
}

async function compare({ shared: { store }, trace }: ViewWorld, from: Kept, to: Kept): Promise<void> {
  const what = `generation ${from.generation} of tree ${from.tree.id} with ${to.generation} of ${to.tree.id}`;
  trace.push(`compare ${what}`);
  const changes = await all(compareMoments(store, from, to, { ranges: false }));
  expect(sorted(asTold(changes, from.walk, to.walk)), what).toEqual(
    sorted(expectedChanges(from.walk, to.walk)),
  );
  const withRanges = await all(compareMoments(store, from, to, { ranges: true }));
  expect(withRanges.map((change) => ({ ...change, ranges: null }))).toEqual(changes);
  for (const change of withRanges) if (change.ranges && change.data) await compareBytes(from, to, change);
}

/** What no range has is the same; no range is outside of the file. */
async function compareBytes(from: Kept, to: Kept, change: Change): Promise<void> {
  const [before, after] = await Promise.all([from, to].map((kept) => nodeOf(kept, change.ino)));
  const size = Math.max(before!.size, after!.size);
  for (let at = 0; at < size; at += BLOCK_BYTES) {
    const [old, now] = await Promise.all([read(from, before!, at), read(to, after!, at)]);
    for (const { offset, length } of change.ranges!) {
      expect(offset + length).toBeLessThanOrEqual(size);
      const [first, last] = [offset - at, offset + length - at].map((edge) =>
        Math.max(0, Math.min(edge, old.length)),
      );
      now.copy(old, first, first, last);
    }
    expect(old.equals(now), `bytes at ${at} of inode ${change.ino}`).toBe(true);
  }
}

async function nodeOf({ fileSystem }: Kept, ino: number) {
  const [node] = await answered(() => fileSystem.attributesOf([ino]));
  return node!;
}

async function read(
  { fileSystem }: Kept,
  node: { ino: number; generation: number },
  at: number,
): Promise<Buffer> {
  const bytes = Buffer.alloc(BLOCK_BYTES_WRITTEN);
  const { buffers } = await answered(() => fileSystem.read(SUPERUSER, node, at, BLOCK_BYTES_WRITTEN));
  Buffer.concat(buffers).copy(bytes);
  return bytes;
}

async function all(changes: AsyncIterable<Change>): Promise<Change[]> {
  const list: Change[] = [];
  for await (const change of changes) list.push(change);
  return list;
}

function sorted<T>(map: Map<string, T>): [string, T][] {
  return [...map].sort(([one], [other]) => (one < other ? -1 : 1));
}

const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);

describe('a comparison of two moments', () => {
  it.each(seeds)('tells all that differs and nothing else (seed %i)', (seed) =>
    run({ random: seededRandom(seed) }),
  );

  it.each(seeds)('does so with records elsewhere and hardly anything cached (seed %i)', (seed) => {
    const random = seededRandom(1000 + seed);
    const meta = new AbsentMetaStore(new MemoryMetaStore(), random);
    return run({ random, meta, caches: treeCaches({ inodes: 8, names: 8, chunkBytes: 16_384 }) });
  });

  it('gives up where more differs than memory is for', async () => {
    const world = await ViewWorld.open({ random: seededRandom(1) });
    const dataset = await world.create();
    const from = await world.keep(dataset);
    for (let i = 0; i < OPERATIONS; i++) await world.operate(dataset);
    const to = await world.keep(dataset);
    const options = { ranges: false, suspectsMax: 3 };
    await expect(all(compareMoments(world.shared.store, from, to, options))).rejects.toThrow(
      'Cannot compare: more than 3 records differ',
    );
  });
});
