// Datasets over memory stores, and what was kept of them, each beside the model that it must show. Every look compares
// everything that may be looked at: what one dataset does must show nowhere else.

import { expect } from 'vitest';
import type { Clock, Random } from '../../../src/clock.ts';
import { makeRootDirectory } from '../../../src/datasets/root-directory.ts';
import { attempt } from '../../../src/fs/attempt.ts';
import { branchOf, stageInosOfClone, switchHead } from '../../../src/fs/branch.ts';
import { StoreCheck } from '../../../src/fs/check/check-store.ts';
import type { FileSystem } from '../../../src/fs/file-system.ts';
import { FileType } from '../../../src/fs/file-system.ts';
import { treeHolder } from '../../../src/fs/holder.ts';
import { stageHold } from '../../../src/fs/holds.ts';
import { type KeptFileSystem, openKept } from '../../../src/fs/kept-file-system.ts';
import { nameCookie } from '../../../src/fs/name-cookie.ts';
import { inoSequenceKey, openDataset, type SharedParts } from '../../../src/fs/open-dataset.ts';
import type { OperationContext } from '../../../src/fs/operation.ts';
import { Reclaimer } from '../../../src/fs/reclaimer.ts';
import { SegmentLog } from '../../../src/fs/segment-log.ts';
import { Store } from '../../../src/fs/store.ts';
import { takeGeneration } from '../../../src/fs/take-generation.ts';
import { type Tree, type TreeCaches, treeCaches } from '../../../src/fs/tree.ts';
import { newTree } from '../../../src/fs/tree-rows.ts';
import { WriteBack } from '../../../src/fs/write-back.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../../src/kv/memory-segment-store.ts';
import type { MetaStore } from '../../../src/kv/meta-store.ts';
import { type SeededRandom, upTo } from '../../kv/seeded-random.ts';
import { FileModel, newNode } from './file-model.ts';
import { operate } from './operations.ts';
import { answered, type Walk, walk } from './walk.ts';

export const HASH_KEY = Buffer.alloc(16, 7);
const SNAPSHOT = Buffer.from('snapshot');

export interface Dataset {
  readonly id: number;
  fileSystem: FileSystem;
  operations: OperationContext;
  model: FileModel;
  /** As it was when last looked at, or null when something was done since. */
  walk: Walk | null;
}

export interface Kept {
  readonly dataset: number;
  tree: Tree;
  readonly generation: number;
  fileSystem: KeptFileSystem;
  readonly model: FileModel;
  readonly walk: Walk;
}

export interface WorldOptions {
  readonly random: SeededRandom;
  readonly meta?: MetaStore;
  readonly caches?: TreeCaches;
}

/** What lives from a start to the next. */
interface Running {
  readonly shared: SharedParts;
  readonly reclaimer: Reclaimer;
  readonly segmentLog: SegmentLog;
}

/** What stays. */
interface Lasting {
  readonly random: SeededRandom;
  readonly meta: MetaStore;
  readonly segments: MemorySegmentStore;
  readonly clock: SteppingClock;
  readonly caches: TreeCaches | undefined;
  readonly log: string[];
  readonly segmentIds: { take(): number };
}

export class ViewWorld {
  readonly datasets: Dataset[] = [];
  readonly kept: Kept[] = [];
  /** What was done, for whoever looks into a failure. */
  readonly trace: string[] = [];
  private readonly lasting: Lasting;
  private running: Running;
  private nextDataset = 1;

  private constructor(lasting: Lasting, running: Running) {
    this.lasting = lasting;
    this.running = running;
  }

  static async open({ random, meta = new MemoryMetaStore(), caches }: WorldOptions): Promise<ViewWorld> {
    let segment = 0;
    const segmentIds = { take: () => ++segment };
    const segments = new MemorySegmentStore();
    const lasting = { random, meta, segments, clock: new SteppingClock(), caches, log: [], segmentIds };
    return new ViewWorld(lasting, await start(lasting));
  }

  get shared(): SharedParts {
    return this.running.shared;
  }

  get reclaimer(): Reclaimer {
    return this.running.reclaimer;
  }

  get segmentLog(): SegmentLog {
    return this.running.segmentLog;
  }

  get clock(): SteppingClock {
    return this.lasting.clock;
  }

  get log(): string[] {
    return this.lasting.log;
  }

  /** A clean stop, and a start from what is stored. */
  async restart(): Promise<void> {
    const { reclaimer, segmentLog, shared } = this.running;
    await reclaimer.stop();
    for (const tree of shared.store.trees.values()) await shared.writeBack.flushAll(tree);
    await shared.store.idle();
    await segmentLog.close();
    this.running = await start(this.lasting);
    this.trace.push('restart');
    const { store } = this.shared;
    const heads = new Set(this.datasets.map(({ operations }) => operations.records.tree.id));
    for (const tree of store.trees.values()) tree.dropped = !heads.has(tree.id);
    for (const dataset of this.datasets) {
      const [inos] = await store.parts.meta.fetch([inoSequenceKey(dataset.id)]);
      const head = store.tree(dataset.operations.records.tree.id);
      Object.assign(dataset, openDataset(this.shared, dataset.id, head, inos));
    }
    for (const kept of this.kept) {
      kept.tree = store.trees.get(kept.tree.id)!;
      kept.fileSystem = openKept(this.shared, kept.dataset, kept.tree, kept.generation);
    }
  }

  /** A new, empty dataset. */
  async create(): Promise<Dataset> {
    const { store } = this.shared;
    const { tree, rows } = newTree(store.treeIds.take(), null, store.parts.settings.caches);
    store.stageRows(rows);
    store.trees.set(tree.id, tree);
    const dataset = this.openHead(tree);
    makeRootDirectory(dataset.operations, { mode: 0o755, uid: 0, gid: 0 });
    const root = await dataset.fileSystem.root();
    dataset.model = new FileModel(newNode('directory', root));
    return dataset;
  }

  /** Does something random to a dataset. */
  async operate(dataset: Dataset): Promise<void> {
    const done = await operate(this.lasting.random, dataset);
    if (done === 'nothing') return;
    this.trace.push(`dataset ${dataset.id}: ${done}`);
    dataset.walk = null;
  }

  /** Keeps what there is, while `meanwhile` changes it again. */
  async keep(dataset: Dataset, meanwhile: () => Promise<void> = async () => {}): Promise<Kept> {
    const { shared } = this;
    const seen = await walk(dataset.fileSystem);
    const model = dataset.model.copy();
    const { tree } = dataset.operations.records;
    const { generation, ready } = takeGeneration(shared, tree, SNAPSHOT);
    this.trace.push(`dataset ${dataset.id}: keep generation ${generation} of tree ${tree.id}`);
    await Promise.all([ready, meanwhile()]);
    const fileSystem = openKept(shared, dataset.id, tree, generation);
    const kept = { dataset: dataset.id, tree, generation, fileSystem, model, walk: seen };
    this.kept.push(kept);
    return kept;
  }

  /** A new dataset that begins with what was kept. */
  async clone(kept: Kept): Promise<Dataset> {
    const tree = await this.branch(kept);
    const origin = this.datasets.find(({ id }) => id === kept.dataset)!;
    const dataset = this.openHead(tree, stageInosOfClone(origin.operations, this.nextDataset));
    dataset.model = kept.model.copy();
    this.trace.push(`dataset ${dataset.id}: clone of generation ${kept.generation} of tree ${kept.tree.id}`);
    expect(await walk(dataset.fileSystem)).toEqual(kept.walk);
    expect({ ...tree.committed }).toEqual({ usedBytes: tree.usedBytes, usedInodes: tree.usedInodes });
    return dataset;
  }

  /** The dataset goes on with what was kept. */
  async rollback(dataset: Dataset, kept: Kept): Promise<void> {
    const tree = await this.branch(kept, dataset.operations.records.tree);
    switchHead(dataset.operations, tree);
    dataset.model = kept.model.copy();
    dataset.walk = kept.walk;
    this.trace.push(`dataset ${dataset.id}: back to generation ${kept.generation} of tree ${kept.tree.id}`);
  }

  private branch({ tree, generation }: Kept, replaced?: Tree): Promise<Tree> {
    const { store } = this.shared;
    return answered(() =>
      attempt(() => {
        const branch = branchOf(store, { tree: tree.id, generation }, replaced);
        branch.stage();
        stageHold(store, tree, generation, treeHolder(branch.tree.id));
        return branch.tree;
      }),
    );
  }

  /** Everything shows what it must, and a check finds nothing. */
  async compare(): Promise<void> {
    await this.compareShown();
    expect(await this.findings()).toEqual([]);
  }

  /** Everything shows what it must. */
  async compareShown(): Promise<void> {
    for (const dataset of this.datasets) {
      const seen = await walk(dataset.fileSystem);
      expect(asModelled(seen), `dataset ${dataset.id}`).toEqual(dataset.model.shown());
      if (dataset.walk)
        expect(seen, `dataset ${dataset.id} since it was last looked at`).toEqual(dataset.walk);
      dataset.walk = seen;
    }
    await this.compareKept();
    expect(this.log).toEqual([]);
  }

  /** What a check of the store finds. */
  async findings(): Promise<string[]> {
    const { store } = this.shared;
    await this.reclaimer.pause();
    await store.durable(store.ticket);
    const found: string[] = [];
    for await (const { message } of new StoreCheck({ store, cookieOf: nameCookie(HASH_KEY) }).run())
      found.push(message);
    this.reclaimer.resume();
    return found;
  }

  async compareKept(): Promise<void> {
    for (const { dataset, generation, fileSystem, walk: kept } of this.kept) {
      const what = `generation ${generation} of dataset ${dataset}`;
      expect(await walk(fileSystem), what).toEqual(kept);
      const used = { usedBytes: 0, usedInodes: 0 };
      const inodes = new Map([...kept.values()].map(({ attributes }) => [attributes.ino, attributes]));
      for (const { allocated } of inodes.values()) {
        used.usedBytes += allocated;
        used.usedInodes++;
      }
      expect(await fileSystem.usage(), `usage of ${what}`).toMatchObject(used);
    }
  }

  openHead(tree: Tree, inos?: Buffer): Dataset {
    const id = this.nextDataset++;
    const { fileSystem, operations } = openDataset(this.shared, id, tree, inos);
    const none = { ino: 0, generation: 0, mode: 0 };
    const dataset = {
      id,
      fileSystem,
      operations,
      model: new FileModel(newNode('directory', none)),
      walk: null,
    };
    this.datasets.push(dataset);
    return dataset;
  }
}

async function start({
  random,
  meta,
  segments,
  clock,
  caches,
  log: lines,
  segmentIds,
}: Lasting): Promise<Running> {
  const bytes: Random = (count) => Buffer.from(Array.from({ length: count }, () => upTo(random, 255)));
  const add = (details: object, message: string) => void lines.push(`${message} ${JSON.stringify(details)}`);
  const log = { error: add, warn: add, info: add };
  const bounds = caches ?? treeCaches({ inodes: 4096, names: 4096, chunkBytes: 2 ** 20 });
  const settings = { strict: true, relaxedSyncMs: 1000, caches: bounds };
  const store = await Store.open({
    ...{ meta, segments, hashKey: HASH_KEY, clock, random: bytes, log, settings },
  });
  const segmentLog = new SegmentLog({ segments, ids: segmentIds, segmentBytesMax: 2 ** 20 });
  const space = { dirtyBytesMax: 2 ** 20, diskReserveBytes: 0 };
  const writeBack = await WriteBack.open({ store, segmentLog, clock, log, ...space });
  const reclaimer = new Reclaimer({ store, segmentLog, clock, log });
  return { shared: { store, writeBack, reclaimer, clock, random: bytes }, reclaimer, segmentLog };
}

/** Time that goes on with every look at it; nothing is ever due. */
class SteppingClock implements Clock {
  stepMicroseconds = 7;
  private microseconds = 1e15;

  readonly now = () => {
    this.microseconds += this.stepMicroseconds;
    return { seconds: Math.floor(this.microseconds / 1e6), nanoseconds: (this.microseconds % 1e6) * 1000 };
  };
  readonly elapsedMs = () => this.microseconds / 1000;
  readonly after = () => ({ cancel() {} });
}

const KINDS: Readonly<Record<number, string>> = {
  [FileType.file]: 'file',
  [FileType.directory]: 'directory',
  [FileType.symlink]: 'symlink',
};

/** A walk in the words of a model, by path. */
function asModelled(seen: Walk): Map<string, object> {
  const paths = [...seen].map(([path, { attributes, target, blocks }]): [string, object] => {
    const { ino, generation, type, nlink, mode, size } = attributes;
    const kind = KINDS[type]!;
    return [path, { ino, generation, kind, nlink, mode, target, ...(kind === 'file' && { size, blocks }) }];
  });
  return new Map(paths.sort());
}
