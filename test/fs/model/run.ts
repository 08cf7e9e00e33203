// One run of the model: commands, steps of the scheduler, failures and crashes in an order that follows from the seed,
// with everything compared after each crash and now and then at rest.

import { StoreCheck } from '../../../src/fs/check/check-store.ts';
import { FLUSH_WINDOWS } from '../../../src/fs/dirty-file.ts';
import type { Attributes, NodeRef } from '../../../src/fs/file-system.ts';
import { decodeKept } from '../../../src/fs/generation-records.ts';
import { nameCookie } from '../../../src/fs/name-cookie.ts';
import { keys } from '../../../src/kv/keys.ts';
import type { Crash } from '../../kv/crashing-meta-store.ts';
import { type SeededRandom, seededRandom, upTo } from '../../kv/seeded-random.ts';
import { Client, mtimeOf } from './client.ts';
import { Commands } from './command.ts';
import { check, type FileState, settledState } from './file-state.ts';
import { GenerationView, isFile } from './generation-view.ts';
import { historyFindings } from './history-findings.ts';
import { completedKey } from './keep-generation.ts';
import { Oracle, type State } from './oracle.ts';
import type { Product } from './product.ts';
import { HASH_KEY, World } from './world.ts';

const CALLER = { uid: 0, gid: 0, groups: [] };
const CALLS_MAX = 7;
const KEPT_MAX = 6;
const FAILURES_MAX = 2;
const WINDOW_LOG2 = [13, 16, 16, 20];
const ALL = 1_000_000;
/** Work that goes round in circles never ends by itself. */
const PATIENCE_STEPS = 100_000;

/** The last lines of a run's trace that a failure shows. */
const TRACE_LINES = 60;

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
    const again = `MODEL_SEEDS=${seed}-${seed} npx vitest run test/fs/model/file-data.test.ts`;
    throw new RunFailure(`seed ${seed} (${again}): ${String(error)}\n  ${lines}`, { cause: error });
  }
}

class Run {
  private readonly product: Product;
  private readonly random: SeededRandom;
  private readonly world: World;
  private readonly seed: number;
  private readonly trace: string[];
  private readonly windowLog2: number;
  private readonly crashRate: number;
  private readonly callRate: number;
  private directories: NodeRef[] = [];
  private oracle = new Oracle();
  private commands!: Commands;
  private client!: Client;
  /** Files as they were last compared. */
  private found: Attributes[] = [];
  private calls = 0;
  private kept = 0;
  /** Since the last crash. */
  private failures = 0;

  constructor(product: Product, seed: number, trace: string[]) {
    const random = seededRandom(seed);
    this.product = product;
    this.random = random;
    this.trace = trace;
    this.world = new World({
      product,
      random,
      // All that an operation needs must now and then be there at once.
      absence: random() < 0.25 ? 0.03 : 0,
      cachedRecords: random() < 0.3 ? 3 : 1000,
      dirtyBytesMax: random() < 0.25 ? 200_000 : 2 ** 26,
      segmentBytesMax: random() < 0.7 ? 2 ** 18 : 2 ** 20,
      // Most files have more windows than a flush takes, and most writes are in two of them.
      flushWindows: seed % 2 ? { bytes: 4096, max: 2 } : FLUSH_WINDOWS,
      trace,
    });
    this.windowLog2 = WINDOW_LOG2[upTo(random, WINDOW_LOG2.length - 1)]!;
    this.crashRate = random() < 0.7 ? 0.012 : 0;
    this.callRate = 0.15 + random() * 0.35;
    this.seed = seed;
  }

  async run(steps: number): Promise<void> {
    await this.world.start();
    await this.makeDirectory();
    this.connect();
    for (let step = 0; step < steps; step++) await this.step();
    await this.rest();
    await this.crash();
    await this.rest();
  }

  private async makeDirectory(): Promise<void> {
    const { fileSystem, store } = this.world.process;
    const root = await this.until(fileSystem.root());
    const made = await this.until(
      fileSystem.mkdir({ caller: CALLER }, root, Buffer.from('sub'), { mode: 0o755 }),
    );
    await this.until(store.durable(made.ticket));
    this.directories = [root, made.result.node];
    const { random, seed: mix, windowLog2 } = this;
    this.commands = new Commands({
      random,
      mix,
      directories: this.directories.map(({ ino }) => ino),
      windowLog2,
    });
  }

  private connect(): void {
    const { product, world, oracle, directories, windowLog2, trace } = this;
    this.client = new Client({ product, world, oracle, directories, windowLog2, trace });
  }

  private async step(): Promise<void> {
    const { random, world, client } = this;
    const chance = random();
    if (chance < (world.process.store.poisoned ? 0.1 : this.crashRate)) return this.crash();
    if (chance > 0.996) return this.rest();
    if (chance > 0.992) this.failSomething();
    if (client.waiting.size < CALLS_MAX && random() < this.callRate) this.call();
    else {
      await world.scheduler.step();
      void this.oracle.now;
    }
    if (client.failure) throw client.failure;
  }

  private call(): void {
    for (const command of this.commands.next(this.oracle.known)) {
      if (command.kind === 'keep' && ++this.kept > KEPT_MAX) return;
      const number = ++this.calls;
      this.trace.push(`#${number} ${JSON.stringify(command)}`);
      this.client.call(number, command);
    }
  }

  private failSomething(): void {
    const { random, world } = this;
    // One more in a row, and a flush may give up.
    if (++this.failures > FAILURES_MAX) return;
    const what = ['append', 'sync', 'sync', 'create', 'write'][upTo(random, 4)]!;
    this.trace.push(`the next ${what} fails`);
    if (what === 'write') world.meta.failNextWrite();
    else world.segments.failNext(what as 'append' | 'sync' | 'create');
  }

  private async crash(): Promise<void> {
    const { world, oracle } = this;
    await reactions();
    const kind: Crash = this.random() < 0.7 ? 'power' : 'process';
    if (this.client.failure) throw this.client.failure;
    void oracle.now;
    const ticket = world.crash(kind);
    this.failures = 0;
    this.trace.push(`CRASH (${kind}): the store has everything up to ${ticket}`);
    const expected = oracle.after(ticket);
    await world.start();
    const kept = [...oracle.kept].filter(([generation]) => world.meta.get(completedKey(generation)));
    this.oracle = new Oracle(await this.compare(expected));
    for (const [generation, state] of kept) this.oracle.kept.set(generation, state);
    this.connect();
    this.client.found(this.found);
    await this.compareViews();
  }

  /** Lets everything end that has begun, and compares all there is; a poisoned store has to crash first. */
  private async rest(): Promise<void> {
    const { world, client } = this;
    for (let steps = 0; client.waiting.size > 0; steps++) {
      const goesOn = steps < PATIENCE_STEPS && (await world.scheduler.step());
      check(
        goesOn || client.waiting.size === 0,
        `${client.waiting.size} calls wait for nothing; pending are ${world.scheduler.pending.join(', ')}`,
      );
      if (client.failure) throw client.failure;
    }
    if (world.process.store.poisoned) return this.crash();
    this.trace.push('at rest');
    const { writeBack, tree, store, reclaimer } = world.process;
    await this.until(this.flushed());
    if (world.process.store.poisoned) return this.crash();
    reclaimer.wake();
    await this.until(reclaimer.idle());
    await this.until(store.idle().catch(() => {}));
    if (world.process.store.poisoned) return this.crash();
    check(tree.dirty.size === 0 && writeBack.dirtyBytes === 0, 'at rest something is dirty');
    check(tree.dirtyGrowth === 0, `at rest ${tree.dirtyGrowth} bytes of growth are counted as dirty`);
    await this.compare(this.oracle.now);
    await this.compareViews();
    await this.checkStore();
  }

  private async flushed(): Promise<void> {
    const { writeBack, tree } = this.world.process;
    try {
      await writeBack.flushAll(tree);
    } catch (error) {
      if (!this.world.process.store.poisoned) throw error;
    }
  }

  /** @returns what is there, of all that may be */
  private async compare(expected: State): Promise<State> {
    const { fileSystem } = this.world.process;
    this.found = [];
    const names = new Map<string, number>();
    for (const directory of this.directories) {
      const { entries } = await this.until(fileSystem.readdir(CALLER, directory, { high: 0, low: 0 }, ALL));
      for (const { name, ino } of entries)
        if (!this.directories.some((one) => one.ino === ino))
          names.set(`${directory.ino}/${name.toString()}`, ino);
    }
    checkNames('live', names, expected);
    const files = new Map<number, FileState>();
    for (const [ino, file] of expected.files) {
      const [node] = await this.until(fileSystem.attributesOf([ino]));
      check(node !== undefined, `inode ${ino} is gone`);
      const read = async (from: number, to: number) =>
        Buffer.concat((await this.until(fileSystem.read(CALLER, node, from, to - from))).buffers);
      const found = { ...node, mtime: mtimeOf(node), read };
      files.set(ino, await settledState(`inode ${ino}`, file, found));
      this.found.push(node);
    }
    return { names, files };
  }

  /** What a kept generation shows never changes. */
  private async compareViews(): Promise<void> {
    const { product, world, oracle } = this;
    for (const [generation, state] of oracle.kept) {
      if (!world.meta.get(completedKey(generation))) continue;
      const view = new GenerationView(product, world.process, world.meta, generation);
      const what = `kept generation ${generation}`;
      const entries = (await this.until(view.entries())).filter(isFile);
      checkNames(
        what,
        new Map(entries.map(({ directory, name, ino }) => [`${directory}/${name}`, ino])),
        state,
      );
      for (const [ino, file] of state.files) {
        const record = await this.until(view.inode(ino));
        check(record !== undefined, `${what}: inode ${ino} is gone`);
        const read = (from: number, to: number) => this.until(view.read(record, from, to));
        const found = { ...record, mtime: mtimeOf(record), read };
        const settled = await settledState(`${what}: inode ${ino}`, file, found);
        state.files.set(ino, settled);
      }
      await this.compareUsage(view, what);
    }
  }

  private async compareUsage(view: GenerationView, what: string): Promise<void> {
    const { usedBytes, usedInodes } = await this.until(view.usage());
    const counted = decodeKept(
      this.world.meta.get(keys.kept.key(this.world.process.tree.id, view.generation))!,
    );
    check(
      counted.usedBytes === usedBytes && counted.usedInodes === usedInodes,
      `${what} counts ${counted.usedBytes} bytes and ${counted.usedInodes} inodes, has ${usedBytes} and ${usedInodes}`,
    );
  }

  private async checkStore(): Promise<void> {
    const { meta, process } = this.world;
    await this.until(process.reclaimer.pause());
    const cookieOf = nameCookie(HASH_KEY);
    const findings: string[] = [];
    const look = async () => {
      for await (const { message } of new StoreCheck({ store: process.store, cookieOf }).run())
        findings.push(message);
      findings.push(...(await historyFindings(meta, process.tree)));
    };
    await this.until(look());
    process.reclaimer.resume();
    check(findings.length === 0, `the store at rest: ${findings.join('; ')}`);
  }

  private until<T>(value: T | Promise<T>): Promise<T> {
    return this.world.scheduler.until(Promise.resolve(value));
  }
}

function checkNames(what: string, names: ReadonlyMap<string, number>, { names: expected }: State): void {
  for (const place of new Set([...names.keys(), ...expected.keys()])) {
    const ino = names.get(place);
    check(ino === expected.get(place), `${what}: ${place} is inode ${ino}, should be ${expected.get(place)}`);
  }
}

function reactions(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
