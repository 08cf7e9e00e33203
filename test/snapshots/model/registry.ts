// What datasets and snapshots there are, and what is done with them beside their clients' calls. The rows and the
// moments are those of the product; the names are left out. Each operation notes the ticket with which it was staged,
// so that after a crash it is known what must be there.

import type { Attributes, NodeRef } from '../../../src/fs/file-system.ts';
import { snapshotHolder, treeHolder } from '../../../src/fs/holder.ts';
import { stageHold, stageRelease } from '../../../src/fs/holds.ts';
import type { KeptFileSystem } from '../../../src/fs/kept-file-system.ts';
import { inoSequenceKey } from '../../../src/fs/open-dataset.ts';
import type { Tree } from '../../../src/fs/tree.ts';
import { JOB_HOLDER } from '../../../src/fs/tree-rows.ts';
import { keys } from '../../../src/kv/keys.ts';
import { Client } from '../../fs/model/client.ts';
import { check } from '../../fs/model/file-state.ts';
import { copyOf, Oracle, type State } from '../../fs/model/oracle.ts';
import { compare } from './compare.ts';
import type { Head } from './head.ts';
import { headRow, type SnapshotWorld } from './world.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** When something is there: from the item that makes it up to the item that takes it away. */
interface Life {
  born: number;
  died: number;
  /** A reply has said so. */
  bornAcknowledged: boolean;
  diedAcknowledged: boolean;
}

export interface ModelDataset extends Life {
  readonly id: number;
  oracle: Oracle;
  client: Client;
  /** One operation at a time, as the locks of the product have it. */
  isBusy: boolean;
}

export interface ModelSnapshot extends Life {
  readonly id: number;
  readonly dataset: number;
  readonly tree: number;
  readonly generation: number;
  readonly state: State;
  fileSystem: KeptFileSystem;
}

export interface RegistryOptions {
  readonly world: SnapshotWorld;
  /** The same in every dataset. */
  readonly directories: readonly NodeRef[];
  readonly windowLog2: number;
  /** Half of the snapshots are let go of before their data is flushed, as those of a full disk are. */
  readonly givesUp: boolean;
  readonly trace: string[];
}

export class ModelRegistry {
  readonly datasets = new Map<number, ModelDataset>();
  readonly snapshots = new Map<number, ModelSnapshot>();
  private readonly options: RegistryOptions;
  private readonly detaching = new WeakSet<Tree>();
  private detaches = 0;
  private nextDataset = 1;
  private nextSnapshot = 1;

  constructor(options: RegistryOptions) {
    this.options = options;
  }

  /** The first dataset; the rest are clones. */
  first(head: Head): void {
    const id = this.nextDataset++;
    const life = { born: 0, died: NEVER, bornAcknowledged: true, diedAcknowledged: false };
    const oracle = new Oracle();
    this.datasets.set(id, { id, oracle, client: this.connect(head, oracle), isBusy: false, ...life });
  }

  /** Those that nobody has deleted. */
  get present(): ModelDataset[] {
    return [...this.datasets.values()].filter(({ born, died }) => born < NEVER && died === NEVER);
  }

  get presentSnapshots(): ModelSnapshot[] {
    return [...this.snapshots.values()].filter(({ died }) => died === NEVER);
  }

  async snapshot(dataset: ModelDataset): Promise<void> {
    const { world, trace } = this.options;
    const { product } = world.options;
    const { process } = world;
    const { store, shared } = process;
    const { tree } = process.heads.get(dataset.id)!;
    const id = this.nextSnapshot++;
    const { generation, ready } = product.takeGeneration.takeGeneration(shared, tree, JOB_HOLDER);
    dataset.oracle.staged(process.keepTicket, { kind: 'keep', generation: id });
    trace.push(`snapshot ${id} of dataset ${dataset.id}: generation ${generation} of tree ${tree.id}`);
    if (this.options.givesUp && world.options.random() < 0.5) {
      ready.catch(() => {});
      await store.durable(process.keepTicket);
      stageRelease(store, tree, generation, JOB_HOLDER);
      trace.push(`snapshot ${id} is given up`);
      return;
    }
    await ready;
    void dataset.oracle.now;
    const state = dataset.oracle.kept.get(id)!;
    stageHold(store, tree, generation, snapshotHolder(dataset.id, id));
    stageRelease(store, tree, generation, JOB_HOLDER);
    const born = store.stageRows([{ key: keys.snapshot.key(dataset.id, id), value: Buffer.from('there') }]);
    const fileSystem = product.keptFileSystem.openKept(shared, dataset.id, tree, generation);
    const life = { born, died: NEVER, bornAcknowledged: false, diedAcknowledged: false };
    const snapshot = { id, dataset: dataset.id, tree: tree.id, generation, state, fileSystem, ...life };
    this.snapshots.set(id, snapshot);
    await store.durable(store.ticket);
    snapshot.bornAcknowledged = true;
    trace.push(`snapshot ${id} is there`);
  }

  async delete(snapshot: ModelSnapshot): Promise<void> {
    const { store } = this.options.world.process;
    this.options.trace.push(`delete snapshot ${snapshot.id}`);
    this.stageDelete(snapshot);
    await store.durable(store.ticket);
    snapshot.diedAcknowledged = true;
  }

  async clone(snapshot: ModelSnapshot): Promise<void> {
    const { world, trace } = this.options;
    const { product } = world.options;
    const { store } = world.process;
    const id = this.nextDataset++;
    const files = await this.filesOf(snapshot);
    const dataset = await product.attempt.attempt(() => {
      if (snapshot.died < NEVER) return null;
      const tree = this.stageBranch(snapshot);
      const origin = world.process.heads.get(snapshot.dataset)!;
      const inos = product.branch.stageInosOfClone(origin.operations, id);
      const born = store.stageRows([headRow(id, tree)]);
      const head = world.openHead(id, tree, inos);
      const oracle = new Oracle(snapshot.state);
      const client = this.connect(head, oracle);
      client.found(files);
      const life = { born, died: NEVER, bornAcknowledged: false, diedAcknowledged: false };
      const made: ModelDataset = { id, oracle, client, isBusy: false, ...life };
      this.datasets.set(id, made);
      trace.push(`dataset ${id} is a clone of snapshot ${snapshot.id}: tree ${tree.id}`);
      return made;
    });
    if (!dataset) return;
    await store.durable(store.ticket);
    dataset.bornAcknowledged = true;
  }

  async rollback(dataset: ModelDataset, snapshot: ModelSnapshot): Promise<void> {
    const { world, trace } = this.options;
    const { product } = world.options;
    const { store, heads, trees } = world.process;
    const files = await this.filesOf(snapshot);
    await product.attempt.attempt(() => {
      if (snapshot.died < NEVER) return;
      const { operations } = heads.get(dataset.id)!;
      const tree = this.stageBranch(snapshot, operations.records.tree);
      store.stageRows([headRow(dataset.id, tree)]);
      const before = product.branch.switchHead(operations, tree);
      trees.drop(before);
      dataset.oracle.staged(store.ticket, { kind: 'rollback', state: copyOf(snapshot.state) });
      dataset.client.found(files);
      trace.push(`dataset ${dataset.id} is back at snapshot ${snapshot.id}: tree ${before.id} -> ${tree.id}`);
    });
    await store.durable(store.ticket);
  }

  /**
   * In the background, beside everything else; a crash cuts it short, and nobody goes on with it. Of three one is
   * flattened alone.
   */
  async detach(dataset: ModelDataset): Promise<void> {
    const { world, trace } = this.options;
    const { product } = world.options;
    const { store, segmentLog, shared, heads } = world.process;
    const { tree } = heads.get(dataset.id)!;
    const pins = new product.pinnedGenerations.PinnedGenerations(shared);
    const { signal } = new AbortController();
    const parts = { store, segmentLog, writeBack: shared.writeBack, pins, signal, onProgress() {} };
    if (tree.parent === null || this.detaching.has(tree)) return;
    this.detaching.add(tree);
    const how = this.detaches++ % 3 === 1 ? 'flatten' : 'detach';
    trace.push(`${how} dataset ${dataset.id}: tree ${tree.id}`);
    try {
      const isDone = await product.detach[how](parts, tree, []);
      trace.push(`${how} of tree ${tree.id} is ${isDone ? '' : 'not '}done`);
    } catch (error) {
      // The disk has failed where it copied: the job ends, and what is done of it stays.
      if (!/the disk failed|an earlier write failed/.test(String(error))) throw error;
    } finally {
      this.detaching.delete(tree);
    }
  }

  /** With its snapshots; its clones stay. */
  async deleteDataset(dataset: ModelDataset): Promise<void> {
    const { world, trace } = this.options;
    const { store, heads, trees } = world.process;
    const { operations, tree } = heads.get(dataset.id)!;
    trace.push(`delete dataset ${dataset.id}, tree ${tree.id}`);
    const own = this.presentSnapshots.filter((snapshot) => snapshot.dataset === dataset.id);
    for (const snapshot of own) this.stageDelete(snapshot);
    store.forgetSequence(operations.inos);
    store.stageRows([headRow(dataset.id, null), { key: inoSequenceKey(dataset.id), value: null }]);
    heads.delete(dataset.id);
    trees.drop(tree);
    dataset.died = store.ticket;
    await store.durable(store.ticket);
    for (const gone of [dataset, ...own]) gone.diedAcknowledged = true;
  }

  /** What the next process finds, where the store has everything up to `ticket`, and compares it with what must be. */
  async restart(ticket: number): Promise<void> {
    const { world } = this.options;
    const snapshots = new Set<number>();
    for (const [key] of await world.until(world.meta.page(keys.snapshot.range(), 1000)))
      snapshots.add(keys.snapshot.parse(key).snapshot);
    for (const snapshot of this.snapshots.values())
      survive(this.snapshots, snapshot, `snapshot ${snapshot.id}`, snapshots.has(snapshot.id), ticket);
    const stored = await world.until(world.storedHeads());
    for (const dataset of this.datasets.values())
      survive(this.datasets, dataset, `dataset ${dataset.id}`, stored.has(dataset.id), ticket);
    const { product } = world.options;
    const { process } = world;
    for (const { id, oracle } of this.datasets.values()) {
      const head = process.heads.get(id)!;
      const compared = await this.compareHead(id, oracle.after(ticket));
      const dataset = this.datasets.get(id)!;
      dataset.oracle = new Oracle(compared.state);
      dataset.client = this.connect(head, dataset.oracle);
      dataset.client.found(compared.files);
      dataset.isBusy = false;
    }
    for (const snapshot of this.snapshots.values()) {
      const tree = process.store.trees.get(snapshot.tree);
      check(tree !== undefined, `snapshot ${snapshot.id}: tree ${snapshot.tree} is gone`);
      const { dataset, generation } = snapshot;
      snapshot.fileSystem = product.keptFileSystem.openKept(process.shared, dataset, tree, generation);
    }
    await this.compareSnapshots();
  }

  async compareAll(): Promise<void> {
    for (const { id, oracle } of this.present) await this.compareHead(id, oracle.now);
    await this.compareSnapshots();
  }

  private compareHead(id: number, expected: State) {
    const { world, directories } = this.options;
    const { fileSystem } = world.process.heads.get(id)!;
    return compare(world, `dataset ${id}`, fileSystem, directories, expected);
  }

  private async compareSnapshots(): Promise<void> {
    const { world, directories } = this.options;
    for (const { id, fileSystem, state } of this.presentSnapshots)
      await compare(world, `snapshot ${id}`, fileSystem, directories, state);
  }

  private connect(head: Head, oracle: Oracle): Client {
    const { world, directories, windowLog2, trace } = this.options;
    return new Client({
      product: world.options.product,
      world: head,
      oracle,
      directories,
      windowLog2,
      trace,
    });
  }

  private async filesOf({ state, fileSystem }: ModelSnapshot): Promise<Attributes[]> {
    const found = await fileSystem.attributesOf([...state.files.keys()]);
    return found.filter((node) => node !== undefined);
  }

  private stageBranch({ tree: id, generation }: ModelSnapshot, replaced?: Tree): Tree {
    const { world } = this.options;
    const { store } = world.process;
    const branch = world.options.product.branch.branchOf(store, { tree: id, generation }, replaced);
    branch.stage();
    stageHold(store, store.trees.get(id)!, generation, treeHolder(branch.tree.id));
    return branch.tree;
  }

  private stageDelete(snapshot: ModelSnapshot): void {
    const { store } = this.options.world.process;
    const { id, dataset, tree, generation } = snapshot;
    snapshot.fileSystem.close();
    stageRelease(store, store.trees.get(tree)!, generation, snapshotHolder(dataset, id));
    snapshot.died = store.stageRows([{ key: keys.snapshot.key(dataset, id), value: null }]);
  }
}

function survive<T extends Life>(
  all: Map<number, T>,
  one: T & { readonly id: number },
  what: string,
  isThere: boolean,
  ticket: number,
): void {
  const { born, died } = one;
  check(born <= ticket || !one.bornAcknowledged, `${what} was acknowledged and is lost`);
  check(died <= ticket || !one.diedAcknowledged, `${what} was deleted, and is back`);
  check(isThere === (born <= ticket && died > ticket), `${what} is ${isThere ? '' : 'not '}there`);
  if (!isThere) all.delete(one.id);
  // The process counts its tickets anew.
  one.born = 0;
  one.died = NEVER;
  one.bornAcknowledged = true;
}
