// One run of the model: calls of clients, snapshots, clones, rollbacks and deletions, steps of the scheduler, failures
// and crashes in an order that follows from the seed. At the end everything is deleted, in any order, and the store must
// be as empty as a new one.

import { FLUSH_WINDOWS } from '../../../src/fs/dirty-file.ts';
import type { NodeRef } from '../../../src/fs/file-system.ts';
import type { Tree } from '../../../src/fs/tree.ts';
import { Commands } from '../../fs/model/command.ts';
import { check } from '../../fs/model/file-state.ts';
import type { Product } from '../../fs/model/product.ts';
import type { Crash } from '../../kv/crashing-meta-store.ts';
import { type SeededRandom, seededRandom, upTo } from '../../kv/seeded-random.ts';
import { type ModelDataset, ModelRegistry } from './registry.ts';
import { rowFindings } from './row-findings.ts';
import { headRow, SnapshotWorld } from './world.ts';

const CALLER = { uid: 0, gid: 0, groups: [] };
const CALLS_MAX = 6;
const DATASETS_MAX = 4;
const SNAPSHOTS_MAX = 8;
const FAILURES_MAX = 2;
/** A store that fails at every start crashes for ever. */
const CRASHES_MAX = 200;
const WINDOW_LOG2 = [13, 13, 16];
/** Work that goes round in circles never ends by itself. */
const PATIENCE_STEPS = 20_000;
/** The last lines of a run's trace that a failure shows. */
const TRACE_LINES = 80;

type Deed = 'snapshot' | 'delete' | 'clone' | 'rollback' | 'deleteDataset' | 'detach';

/** Some runs do everything, others dwell on a few things. */
const MIXES: readonly Readonly<Record<Deed, number>>[] = [
  { snapshot: 6, delete: 5, clone: 2, rollback: 2, deleteDataset: 1, detach: 1 },
  { snapshot: 8, delete: 7, clone: 0, rollback: 0, deleteDataset: 0, detach: 0 },
  { snapshot: 6, delete: 5, clone: 4, rollback: 0, deleteDataset: 3, detach: 2 },
  { snapshot: 6, delete: 5, clone: 0, rollback: 5, deleteDataset: 0, detach: 2 },
];

export class RunFailure extends Error {
  override readonly name = 'RunFailure';
}

/** @throws RunFailure with the seed and what led to it */
export async function run(product: Product, seed: number, steps: number): Promise<void> {
  const trace: string[] = [];
  try {
    await new Run(product, seed, trace).run(steps);
  } catch (error) {
    const lines = trace.slice(-TRACE_LINES).join('\n  ');
    const again = `MODEL_SEEDS=${seed}-${seed} npx vitest run test/snapshots/model/snapshots.test.ts`;
    throw new RunFailure(`seed ${seed} (${again}): ${String(error)}\n  ${lines}`, { cause: error });
  }
}

class Run {
  private readonly random: SeededRandom;
  private readonly seed: number;
  private readonly world: SnapshotWorld;
  private readonly trace: string[];
  private readonly windowLog2: number;
  private readonly crashRate: number;
  private readonly callRate: number;
  private readonly deeds: readonly Deed[];
  private registry!: ModelRegistry;
  private commands!: Commands;
  private readonly waiting = new Set<Promise<void>>();
  private failure: unknown;
  private calls = 0;
  private crashes = 0;
  /** Since the last crash. */
  private failures = 0;

  constructor(product: Product, seed: number, trace: string[]) {
    const random = seededRandom(seed);
    this.random = random;
    this.seed = seed;
    this.trace = trace;
    this.world = new SnapshotWorld({
      product,
      random,
      absence: random() < 0.2 ? 0.03 : 0,
      cachedRecords: random() < 0.3 ? 3 : 1000,
      dirtyBytesMax: 2 ** 26,
      segmentBytesMax: random() < 0.7 ? 2 ** 18 : 2 ** 20,
      flushWindows: seed % 3 === 1 ? { bytes: 4096, max: 2 } : FLUSH_WINDOWS,
      trace,
    });
    this.windowLog2 = WINDOW_LOG2[upTo(random, WINDOW_LOG2.length - 1)]!;
    this.crashRate = random() < 0.5 ? 0.012 : 0;
    this.callRate = 0.2 + random() * 0.4;
    const mix = MIXES[seed % MIXES.length]!;
    this.deeds = (Object.keys(mix) as Deed[]).flatMap((deed) => Array<Deed>(mix[deed]).fill(deed));
  }

  async run(steps: number): Promise<void> {
    await this.world.start();
    await this.makeFirst();
    for (let step = 0; step < steps; step++) await this.step();
    await this.rest();
    if (this.random() < 0.5) await this.crash();
    await this.deleteEverything();
  }

  private async makeFirst(): Promise<void> {
    const { world, windowLog2, trace, random } = this;
    const { product } = world.options;
    const { store } = world.process;
    const { tree, rows } = product.treeRows.newTree(store.treeIds.take(), null, store.parts.settings.caches);
    store.trees.set(tree.id, tree);
    store.stageRows([...rows, headRow(1, tree)]);
    const head = world.openHead(1, tree, undefined);
    product.rootDirectory.makeRootDirectory(head.operations, { mode: 0o755, uid: 0, gid: 0 });
    const root = await world.until(head.fileSystem.root());
    const made = await world.until(
      head.fileSystem.mkdir({ caller: CALLER }, root, Buffer.from('sub'), { mode: 0o755 }),
    );
    await world.until(store.durable(made.ticket));
    const directories: NodeRef[] = [root, made.result.node];
    this.registry = new ModelRegistry({
      world,
      directories,
      windowLog2,
      givesUp: this.seed % 7 === 3,
      trace,
    });
    this.registry.first(head);
    const places = directories.map(({ ino }) => ino);
    this.commands = new Commands({ random, mix: this.seed, directories: places, windowLog2 });
  }

  private async step(): Promise<void> {
    const { random, world, registry } = this;
    const chance = random();
    if (chance < (world.process.store.poisoned ? 0.1 : this.crashRate)) return this.crash();
    if (chance > 0.997) return this.rest();
    if (chance > 0.993) this.failSomething();
    if (this.pending < CALLS_MAX && random() < this.callRate) {
      if (random() < 0.15) this.begin(this.any(this.deeds));
      else this.call();
    } else {
      await world.scheduler.step();
      for (const { oracle } of registry.datasets.values()) void oracle.now;
    }
    this.check();
  }

  private get pending(): number {
    let calls = this.waiting.size;
    for (const { client } of this.registry.datasets.values()) calls += client.waiting.size;
    return calls;
  }

  private check(): void {
    if (this.failure) throw this.failure;
    for (const { client } of this.registry.datasets.values()) if (client.failure) throw client.failure;
  }

  private call(): void {
    const { present } = this.registry;
    if (present.length === 0) return;
    const dataset = this.any(present);
    for (const command of this.commands.next(dataset.oracle.known)) {
      if (command.kind === 'keep') return;
      const number = ++this.calls;
      this.trace.push(`#${number} dataset ${dataset.id}: ${JSON.stringify(command)}`);
      dataset.client.call(number, command);
    }
  }

  private begin(deed: Deed): void {
    const { registry } = this;
    const { presentSnapshots } = registry;
    const idle = registry.present.filter(({ isBusy }) => !isBusy);
    const snapshots = presentSnapshots.filter((one) => idle.some(({ id }) => id === one.dataset));
    if (idle.length === 0) return;
    const dataset = this.any(idle);
    const own = snapshots.filter((one) => one.dataset === dataset.id);
    switch (deed) {
      case 'snapshot':
        if (presentSnapshots.length < SNAPSHOTS_MAX) this.do([dataset], () => registry.snapshot(dataset));
        return;
      case 'delete':
        if (snapshots.length > 0) this.do([], () => registry.delete(this.any(snapshots)));
        return;
      case 'clone':
        if (snapshots.length > 0 && registry.present.length < DATASETS_MAX)
          this.do([], () => registry.clone(this.any(snapshots)));
        return;
      case 'rollback':
        if (own.length > 0) this.do([dataset], () => registry.rollback(dataset, this.any(own)));
        return;
      case 'detach':
        this.do([], () => registry.detach(dataset));
        return;
      case 'deleteDataset':
        if (registry.present.length > 1) this.do([dataset], () => registry.deleteDataset(dataset));
    }
  }

  private do(datasets: readonly ModelDataset[], deed: () => Promise<void>): void {
    const { store } = this.world.process;
    for (const dataset of datasets) dataset.isBusy = true;
    const done = deed()
      .catch((error: unknown) => {
        const { FsError } = this.world.options.product.fsError;
        const code = error instanceof FsError ? error.code : undefined;
        this.trace.push(`refused: ${String(error)}`);
        // What it was about is gone.
        if (code !== 'ESTALE' && !(code === 'EIO' && store.poisoned)) this.failure ??= error;
      })
      .finally(() => {
        for (const dataset of datasets) dataset.isBusy = false;
        this.waiting.delete(done);
      });
    this.waiting.add(done);
  }

  private failSomething(): void {
    const { random, world } = this;
    // One more in a row, and a flush may give up.
    if (++this.failures > FAILURES_MAX) return;
    const what = this.any(['append', 'sync', 'sync', 'create', 'write'] as const);
    if (random() < 0.5) return;
    this.trace.push(`the next ${what} fails`);
    if (what === 'write') world.meta.failNextWrite();
    else world.segments.failNext(what);
  }

  private async crash(): Promise<void> {
    const { world, registry } = this;
    await reactions();
    const kind: Crash = this.random() < 0.7 ? 'power' : 'process';
    this.check();
    for (const { oracle } of registry.datasets.values()) void oracle.now;
    const ticket = world.crash(kind);
    this.failures = 0;
    check(++this.crashes <= CRASHES_MAX, 'the store fails again and again');
    this.waiting.clear();
    this.trace.push(`CRASH (${kind}): the store has everything up to ${ticket}`);
    await world.start();
    await registry.restart(ticket);
  }

  /** Lets everything end that has begun, and compares all there is; a poisoned store has to crash first. */
  private async rest(): Promise<void> {
    const { world, registry } = this;
    for (let steps = 0; this.pending > 0; steps++) {
      const goesOn = steps < PATIENCE_STEPS && (await world.scheduler.step());
      check(
        goesOn || this.pending === 0,
        `${this.pending} calls wait for nothing; pending are ${world.scheduler.pending.join(', ')}`,
      );
      this.check();
    }
    if (world.process.store.poisoned || !(await world.quiesce())) return this.crash();
    this.trace.push('at rest');
    const { dirtyBytes } = world.process.shared.writeBack;
    check(dirtyBytes === 0, `at rest ${dirtyBytes} bytes are dirty`);
    await registry.compareAll();
    await this.checkRows();
  }

  private async checkRows(): Promise<void> {
    const { world, registry } = this;
    const { reclaimer } = world.process;
    await world.until(reclaimer.pause());
    const holders = registry.presentSnapshots.map(({ id, dataset, tree, generation }) => ({
      ...{ id, dataset, tree, generation },
    }));
    const findings = await world.until(rowFindings(world, holders));
    reclaimer.resume();
    check(findings.length === 0, `the store at rest: ${findings.join('; ')}`);
  }

  private async deleteEverything(): Promise<void> {
    const { world, registry } = this;
    for (;;) {
      await this.rest();
      const { present, presentSnapshots } = registry;
      const count = present.length + presentSnapshots.length;
      if (count === 0) break;
      const at = upTo(this.random, count - 1);
      const dataset = present[at];
      if (dataset) this.do([dataset], () => registry.deleteDataset(dataset));
      else this.do([], () => registry.delete(presentSnapshots[at - present.length]!));
      for (let steps = upTo(this.random, 20); steps > 0; steps--) await world.scheduler.step();
      this.check();
    }
    await this.checkEmpty();
  }

  /** Only numbers that are never given again are left. */
  private async checkEmpty(): Promise<void> {
    const { world } = this;
    for (let isQuiet = false; !isQuiet; isQuiet = await world.quiesce()) {
      if (world.process.store.poisoned) await this.crash();
      await world.until(world.process.segmentLog.rollOver());
    }
    const everything = { gte: Buffer.alloc(1), lt: Buffer.alloc(64, 0xff) };
    const rows = await world.until(world.meta.page(everything, 1_000_000));
    const left = rows.filter(([key]) => key[0] !== 6).map(([key]) => key.toString('hex'));
    check(left.length === 0, `everything is deleted, and there are: ${left.slice(0, 20).join(' ')}`);
    const segments = await world.until(world.segments.list());
    check(segments.size === 0, `everything is deleted, and segments are left: ${[...segments.keys()]}`);
    const { store } = world.process;
    const trees: readonly Tree[] = [...store.trees.values()];
    check(trees.length === 0, `everything is deleted, and trees are left: ${trees.map(({ id }) => id)}`);
  }

  private any<T>(list: readonly T[]): T {
    return list[upTo(this.random, list.length - 1)]!;
  }
}

function reactions(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
