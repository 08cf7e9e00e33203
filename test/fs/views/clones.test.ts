import { describe, expect, it } from 'vitest';
import { isDrained } from '../../../src/fs/tombstone.ts';
import { treeCaches } from '../../../src/fs/tree.ts';
import { isWhiteout } from '../../../src/fs/versioned-value.ts';
import { keys } from '../../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { AbsentMetaStore } from '../../kv/absent-meta-store.ts';
import { seededRandom, upTo } from '../../kv/seeded-random.ts';
import { ViewWorld, type WorldOptions } from './view-world.ts';
import { answered, SUPERUSER } from './walk.ts';

/** On a busy machine. */
const TIMEOUT_MS = 60_000;
const SEEDS = 3;
const ROUNDS = 10;
const OPERATIONS = 30;
const DATASETS_MAX = 4;

/** Operations on every dataset, between which datasets are kept, cloned and taken back. */
async function run(options: WorldOptions, rollbacks: boolean): Promise<void> {
  const { random } = options;
  const world = await ViewWorld.open(options);
  await world.create();
  const any = <T>(list: readonly T[]): T => list[upTo(random, list.length - 1)]!;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < OPERATIONS; i++) await world.operate(any(world.datasets));
      if (round % 2 === 0) await world.keep(any(world.datasets));
      else if (rollbacks && random() < 0.6) {
        const dataset = any(world.datasets);
        const own = world.kept.filter((kept) => kept.dataset === dataset.id);
        if (own.length > 0) await world.rollback(dataset, any(own));
      } else if (world.datasets.length < DATASETS_MAX) await world.clone(any(world.kept));
      if (random() < 0.4) {
        world.reclaimer.wake();
        await world.reclaimer.idle();
      }
      await world.compare();
      if (random() < 0.2) {
        await world.restart();
        await world.compare();
      }
    }
  } catch (error) {
    throw new Error(world.trace.join('\n'), { cause: error });
  }
}

const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);
const absent = (seed: number): WorldOptions => {
  const random = seededRandom(1000 + seed);
  const meta = new AbsentMetaStore(new MemoryMetaStore(), random);
  return { random, meta, caches: treeCaches({ inodes: 8, names: 8, chunkBytes: 16_384 }) };
};

const call = { caller: SUPERUSER };

async function oneFile() {
  const world = await ViewWorld.open({ random: seededRandom(1) });
  const dataset = await world.create();
  const { fileSystem } = dataset;
  const root = await fileSystem.root();
  const name = Buffer.from('file');
  const { result } = await fileSystem.create(call, root, name, { mode: 'guarded', changes: {} });
  return { world, dataset, fileSystem, root, file: result.node };
}

async function versionedRows({ shared: { store } }: ViewWorld, tree: number): Promise<string[]> {
  await store.durable(store.ticket);
  const found: string[] = [];
  for (const family of [keys.inode, keys.dirEntry, keys.link, keys.chunk, keys.history, keys.changed])
    for (const [key] of await store.page(family.range(tree), 1000)) found.push(key.toString('hex'));
  return found;
}

describe('a clone', () => {
  it('keeps nothing of files that came and went in it, and a whiteout of each key that it hides', async () => {
    const { world, dataset, root } = await oneFile();
    const clone = await world.clone(await world.keep(dataset));
    const { id } = clone.operations.records.tree;
    expect(await versionedRows(world, id)).toEqual([]);
    const name = Buffer.from('new');
    const made = await clone.fileSystem.create(call, root, name, { mode: 'guarded', changes: {} });
    await clone.fileSystem.write(call, made.result.node, 0, Buffer.from('x'), true);
    await clone.fileSystem.remove(call, root, name);
    // The root alone: its times changed.
    expect((await versionedRows(world, id)).length).toBe(2);
    await clone.fileSystem.remove(call, root, Buffer.from('file'));
    const rows = await world.shared.store.page(keys.inode.range(id), 10);
    expect(rows.map(([, value]) => isWhiteout(value))).toEqual([false, true]);
    expect(await clone.fileSystem.lookup(SUPERUSER, root, Buffer.from('file'))).toBeUndefined();
    expect(await dataset.fileSystem.lookup(SUPERUSER, root, Buffer.from('file'))).toBeDefined();
  });

  it('gives no inode number that its origin has given', async () => {
    const { world, dataset, root } = await oneFile();
    const clone = await world.clone(await world.keep(dataset));
    const made = await clone.fileSystem.mkdir(call, root, Buffer.from('directory'), {});
    expect(made.result.node.ino).toBeGreaterThan(4096);
  });

  it('hides what its origin had of a large file that it removes, also when the drain is done', async () => {
    const { world, dataset, fileSystem, root, file } = await oneFile();
    for (let window = 0; window < 6; window++)
      await fileSystem.write(call, file, window * 2 ** 20, Buffer.alloc(50_000, 'x'), false);
    const clone = await world.clone(await world.keep(dataset));
    const { store } = world.shared;
    const { id } = clone.operations.records.tree;
    await clone.fileSystem.remove(call, root, Buffer.from('file'));
    world.reclaimer.wake();
    await world.reclaimer.idle();
    const tombstones = await store.page(keys.tombstone.range(id), 10);
    expect(tombstones.map(([, value]) => isDrained(value))).toEqual([true]);
    expect((await dataset.fileSystem.read(SUPERUSER, file, 0, 10)).count).toBe(10);
  });

  it.each(seeds)(
    'goes its own way, and so does its origin (seed %i)',
    (seed) => run({ random: seededRandom(seed) }, false),
    TIMEOUT_MS,
  );

  it.each(seeds)(
    'does so with records elsewhere and hardly anything cached (seed %i)',
    (seed) => run(absent(seed), false),
    TIMEOUT_MS,
  );
});

describe('a rollback', () => {
  it('gives no inode a ctime that it has had before, though the clock stand still', async () => {
    const { world, dataset, fileSystem, file } = await oneFile();
    world.clock.stepMicroseconds = 0;
    const kept = await world.keep(dataset);
    const times = new Set<string>();
    const change = async () => {
      const { result } = await fileSystem.setattr(call, file, { mode: 0o600 });
      const { ctimeSeconds, ctimeNanoseconds } = result.after;
      times.add(`${ctimeSeconds}.${ctimeNanoseconds}`);
    };
    for (let i = 0; i < 3; i++) await change();
    await world.rollback(dataset, kept);
    for (let i = 0; i < 3; i++) await change();
    await world.rollback(dataset, kept);
    await change();
    await fileSystem.write(call, file, 0, Buffer.from('x'), false);
    const { ctimeSeconds, ctimeNanoseconds } = await fileSystem.attributes(file);
    times.add(`${ctimeSeconds}.${ctimeNanoseconds}`);
    expect(times.size).toBe(8);
  });

  it('lets a COMMIT that waits for a flush of the old tree end', async () => {
    const { world, dataset, fileSystem, file } = await oneFile();
    const kept = await world.keep(dataset);
    await fileSystem.write(call, file, 0, Buffer.alloc(100_000, 'x'), false);
    const committed = answered(() => fileSystem.commit(call, file));
    await world.rollback(dataset, kept);
    expect((await committed).result.after.size).toBe(0);
  });

  it('lets a truncation over many windows start over in the new tree, wherever it was', async () => {
    const { world, dataset, fileSystem, file } = await oneFile();
    const windows = 200;
    for (let window = 0; window < windows; window++)
      await fileSystem.write(call, file, window * 2 ** 20, Buffer.from('x'), false);
    const kept = await world.keep(dataset);
    for (let turns = 0; turns < 60; turns++) {
      const truncated = answered(() => fileSystem.setattr(call, file, { size: 5 }));
      for (let i = 0; i < turns; i++) await null;
      await world.rollback(dataset, kept);
      const { size, allocated } = (await truncated).result.after;
      expect([size, allocated]).toEqual([5, 1]);
      await world.rollback(dataset, kept);
    }
    expect((await kept.fileSystem.attributes(file)).size).toBe((windows - 1) * 2 ** 20 + 1);
  });

  it.each(seeds)(
    'gives back what was kept, and newer snapshots stay (seed %i)',
    (seed) => run({ random: seededRandom(seed) }, true),
    TIMEOUT_MS,
  );

  it.each(seeds)(
    'does so with records elsewhere and hardly anything cached (seed %i)',
    (seed) => run(absent(seed), true),
    TIMEOUT_MS,
  );
});
