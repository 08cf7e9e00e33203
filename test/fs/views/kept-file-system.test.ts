import { describe, expect, it } from 'vitest';
import { Access, type FileSystem, FileType } from '../../../src/fs/file-system.ts';
import type { FsError } from '../../../src/fs/fs-error.ts';
import { withFields } from '../../../src/fs/inode-record.ts';
import { openKept } from '../../../src/fs/kept-file-system.ts';
import { OPEN_VIEWS_MAX } from '../../../src/fs/open-views.ts';
import { takeGeneration } from '../../../src/fs/take-generation.ts';
import { treeCaches } from '../../../src/fs/tree.ts';
import { Turn } from '../../../src/fs/turn.ts';
import { keys } from '../../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { AbsentMetaStore } from '../../kv/absent-meta-store.ts';
import { seededRandom, upTo } from '../../kv/seeded-random.ts';
import { type Dataset, ViewWorld, type WorldOptions } from './view-world.ts';
import { answered, SUPERUSER } from './walk.ts';

/** On a busy machine. */
const TIMEOUT_MS = 60_000;
const SEEDS = 6;
const ROUNDS = 6;
const OPERATIONS = 25;

async function run(options: WorldOptions): Promise<void> {
  const { random } = options;
  const world = await ViewWorld.open(options);
  const dataset = await world.create();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < OPERATIONS; i++) await world.operate(dataset);
      await world.keep(dataset, () => some(world, dataset, upTo(random, 5)));
      if (random() < 0.5) await drain(world);
      await world.compare();
    }
  } catch (error) {
    throw new Error(world.trace.join('\n'), { cause: error });
  }
}

async function some(world: ViewWorld, dataset: Dataset, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await world.operate(dataset);
}

async function drain({ reclaimer }: ViewWorld): Promise<void> {
  reclaimer.wake();
  await reclaimer.idle();
}

describe('a kept generation', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    'shows for ever what there was when it was taken (seed %i)',
    async (seed) => {
      await run({ random: seededRandom(seed) });
    },
    TIMEOUT_MS,
  );

  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    'shows it too when records are elsewhere and hardly anything is cached (seed %i)',
    async (seed) => {
      const random = seededRandom(1000 + seed);
      const meta = new AbsentMetaStore(new MemoryMetaStore(), random);
      await run({ random, meta, caches: treeCaches({ inodes: 8, names: 8, chunkBytes: 16_384 }) });
    },
    TIMEOUT_MS,
  );
});

describe('what a kept generation answers', () => {
  const opened = async () => {
    const world = await ViewWorld.open({ random: seededRandom(1) });
    const dataset = await world.create();
    const { fileSystem } = dataset;
    const root = await fileSystem.root();
    const created = await fileSystem.create(call, root, Buffer.from('file'), {
      mode: 'guarded',
      changes: {},
    });
    await fileSystem.write(call, created.result.node, 0, Buffer.from('before'), false);
    const kept = await world.keep(dataset);
    return { world, dataset, root, file: created.result.node, kept: kept.fileSystem };
  };
  const call = { caller: SUPERUSER };
  const code = async (answer: () => unknown) =>
    answered(async () => answer()).then(
      () => 'nothing',
      (error: unknown) => (error as FsError).code,
    );

  it('is EROFS to every operation that changes something', async () => {
    const { kept, root, file } = await opened();
    const [name, data] = [Buffer.from('name'), Buffer.from('after')];
    const how = { mode: 'unchecked', changes: {} } as const;
    const node = { type: FileType.fifo, major: 0, minor: 0, changes: {} } as const;
    const fileSystem: FileSystem = kept;
    const answers = [
      () => fileSystem.setattr(call, file, { mode: 0 }),
      () => fileSystem.write(call, file, 0, data, false),
      () => fileSystem.commit(call, file),
      () => fileSystem.create(call, root, name, how),
      () => fileSystem.mkdir(call, root, name, {}),
      () => fileSystem.symlink(call, root, name, data, {}),
      () => fileSystem.mknod(call, root, name, node),
      () => fileSystem.remove(call, root, Buffer.from('file')),
      () => fileSystem.rmdir(call, root, name),
      () => fileSystem.rename(call, root, Buffer.from('file'), root, name),
      () => fileSystem.link(call, file, root, name),
    ];
    for (const answer of answers) expect(await code(answer)).toBe('EROFS');
  });

  it('grants nobody what would change something', async () => {
    const { kept, root } = await opened();
    const all = Object.values(Access).reduce<number>((sum, bit) => sum + bit, 0);
    const { granted } = await kept.access(SUPERUSER, root, all);
    expect(granted).toBe(Access.read | Access.lookup);
  });

  it('is ESTALE to everything once it is closed', async () => {
    const { kept, root, file } = await opened();
    await kept.read(SUPERUSER, file, 0, 10);
    kept.close();
    expect(await code(() => kept.attributes(file))).toBe('ESTALE');
    expect(await code(() => kept.lookup(SUPERUSER, root, Buffer.from('file')))).toBe('ESTALE');
    expect(await code(() => kept.read(SUPERUSER, file, 0, 10))).toBe('ESTALE');
    expect(await code(() => kept.mkdir())).toBe('ESTALE');
    expect(await code(() => kept.usage())).toBe('ESTALE');
  });

  it('is an empty directory where another dataset is nested', async () => {
    const { world, dataset, root } = await opened();
    const { result } = await dataset.fileSystem.mkdir(call, root, Buffer.from('nested'), {});
    const { records, clock } = dataset.operations;
    const turn = new Turn(records, clock.now());
    turn.put(withFields(turn.inode(result.node), { mountedDataset: 7 }));
    turn.commit();
    const { generation, ready } = takeGeneration(world.shared, records.tree, Buffer.from('holder'));
    await ready;
    const kept = openKept(world.shared, dataset.id, records.tree, generation);
    expect((await kept.lookup(SUPERUSER, root, Buffer.from('nested')))?.mountedDataset).toBe(0);
    expect((await dataset.fileSystem.lookup(SUPERUSER, root, Buffer.from('nested')))?.mountedDataset).toBe(7);
  });

  it('keeps caches of the generations looked at last, and no others', async () => {
    const { world, dataset, root } = await opened();
    for (let i = 0; i < OPEN_VIEWS_MAX + 10; i++) {
      await dataset.fileSystem.mkdir(call, root, Buffer.from(`directory ${i}`), {});
      await world.keep(dataset);
    }
    await world.compareKept();
    expect(world.shared.store.views.size).toBe(OPEN_VIEWS_MAX);
  });

  it('is there when the first look at it comes long after, with all of its history gone from memory', async () => {
    const { world, dataset, root, file, kept } = await opened();
    await dataset.fileSystem.write(call, file, 0, Buffer.from('AFTER'), true);
    await dataset.fileSystem.remove(call, root, Buffer.from('file'));
    await world.shared.store.durable(world.shared.store.ticket);
    world.shared.store.history.close();
    const { buffers } = await kept.read(SUPERUSER, file, 0, 100);
    expect(String(Buffer.concat([...buffers]))).toBe('before');
  });

  it('is EIO where an older version is damaged, and the log says which', async () => {
    const { world, dataset, file, kept } = await opened();
    const { store } = world.shared;
    await dataset.fileSystem.setattr(call, file, { mode: 0 });
    await store.durable(store.ticket);
    const [row] = await store.page(keys.history.range(1, 1), 1);
    const damaged = Buffer.from(row![1]);
    damaged[20]! ^= 1;
    await store.parts.meta.write([{ key: row![0], value: damaged }], true);
    kept.forget();
    expect(await code(() => kept.attributes(file))).toBe('EIO');
    expect(world.log.join()).toContain(`Cannot read inode ${file.ino} of tree 1`);
  });
});
