// What only a kept generation needed goes in the background once nobody holds it: the keys that were touched since it was
// kept are visited (visit.ts), a page of notes a batch. A sweep that is cut short begins again: the generation's KEPT
// row stays until all is done.

import { keys, versioned } from '../kv/keys.ts';
import { keyBehind } from '../kv/keyspace.ts';
import type { Range, Row } from '../kv/meta-store.ts';
import { BackgroundLoop } from './background-loop.ts';
import type { Generations } from './generations.ts';
import { stageRelease } from './holds.ts';
import { PLAIN_ITEM, type VersionedKey, type VersionedKind, type Visit } from './item.ts';
import { FORK } from './kept-generation.ts';
import { keyId } from './key-id.ts';
import type { Log, Store } from './store.ts';
import { isDrained } from './tombstone.ts';
import type { Tree } from './tree.ts';
import { JOB_HOLDER } from './tree-rows.ts';

/** Keys of one batch: what other operations may have to wait for. */
const VISITS_A_BATCH = 128;

export class Sweeps {
  private readonly store: Store;
  private readonly loop: BackgroundLoop;
  private sweeping: { readonly tree: Tree; readonly generation: number; visited: number } | null = null;
  /** Told when a tree has no sweep to finish any more. */
  onSwept: (tree: Tree) => void = () => {};

  constructor(store: Store, log: Log) {
    this.store = store;
    this.loop = new BackgroundLoop(
      () => this.sweepTrees(),
      (error) => {
        if (store.poisoned) return;
        log.error({ err: error }, 'Cannot sweep what deleted snapshots leave before the next start');
      },
    );
  }

  /** Lets go of what snapshots have kept that were never finished, and goes on with what the last run left. */
  start(): void {
    for (const tree of this.store.trees.values()) {
      for (const generation of tree.unfinished) stageRelease(this.store, tree, generation, JOB_HOLDER);
    }
    this.store.onRelease(() => this.loop.wake());
    this.loop.wake();
  }

  /** What is still to be swept, and how many keys were visited for it. */
  pending(): { readonly tree: Tree; readonly generation: number; readonly visited: number }[] {
    return [...this.store.trees.values()].flatMap((tree) =>
      tree.generations.leaving.map((generation) => ({
        tree,
        generation,
        visited:
          this.sweeping?.tree === tree && this.sweeping.generation === generation ? this.sweeping.visited : 0,
      })),
    );
  }

  /** Resolves when nothing is left to sweep now. */
  idle(): Promise<void> {
    return this.loop.idle();
  }

  /** Ends after the batch under way; the next start goes on. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async sweepTrees(): Promise<void> {
    await this.store.durable(this.store.ticket);
    for (const tree of [...this.store.trees.values()]) await this.sweepAll(tree);
  }

  private async sweepAll(tree: Tree): Promise<void> {
    while (!this.loop.stopped) {
      const { kept, gaps, hasHead } = tree.generations;
      const [gap] = gaps;
      // Of a tree that shows nothing any more everything goes, by another way.
      if (gap === undefined || (kept.length === 0 && !hasHead)) break;
      // What younger ones of the gap needed is noted behind what the oldest did: one look at the notes does for all.
      const [oldest] = gap.leaving;
      this.sweeping = { tree, generation: oldest!, visited: 0 };
      if (tree.detached && oldest === FORK && !(await this.visitAll(tree))) return;
      if (!(await this.visitNotes(tree, (generations) => notesAround(tree, generations, oldest!)))) return;
      await this.finish(tree, gap.leaving);
    }
    if (!this.loop.stopped) this.onSwept(tree);
  }

  /** Nothing is left that only these generations needed. Their rows go in batches of bounded size. */
  async finish(tree: Tree, generations: readonly number[]): Promise<void> {
    const { store } = this;
    for (let at = 0; at < generations.length; at += VISITS_A_BATCH) {
      for (const generation of generations.slice(at, at + VISITS_A_BATCH))
        store.stage({ ...PLAIN_ITEM, tree, generation, action: { kind: 'swept' }, rows: [] });
      await store.durable(store.ticket);
    }
  }

  /** The head is lost: what only it showed goes. False when it was stopped. */
  sweepHead(tree: Tree): Promise<boolean> {
    return this.visitNotes(tree, ({ current, kept }) => ({ from: (kept.at(-1) ?? -1) + 1, to: current }));
  }

  /** The tree was detached: whiteouts and drained tombstones, which notes need not lead to, have nothing to hide. */
  private async visitAll(tree: Tree): Promise<boolean> {
    for (const family of [keys.inode, keys.dirEntry, keys.link, keys.chunk]) {
      const toVisit = async (rows: readonly Row[]) =>
        this.visit(
          tree,
          rows.map(([key]) => ({ key: versionedKey(key), noted: null })),
        );
      if (!(await this.eachPage(family.range(tree.id), toVisit))) return false;
    }
    const history = keys.history.range(tree.id);
    const toVisit = async (rows: readonly Row[]) =>
      this.visit(
        tree,
        rows.map(([row]) => visitOfDead(tree, row)),
      );
    if (!(await this.eachPage(history, toVisit))) return false;
    return this.eachPage(keys.tombstone.range(tree.id), async (rows) => {
      const drained = rows.filter(([, value]) => isDrained(value));
      const ticket = this.store.stageRows(drained.map(([key]) => ({ key, value: null })));
      await this.store.durable(ticket);
    });
  }

  /** False when it was stopped. */
  private async eachPage({ gte, lt }: Range, use: (rows: readonly Row[]) => Promise<void>): Promise<boolean> {
    for (let from = gte; ; ) {
      const rows = await this.store.page({ gte: from, lt }, VISITS_A_BATCH);
      if (this.loop.stopped) return false;
      if (rows.length > 0) await use(rows);
      if (rows.length < VISITS_A_BATCH) return true;
      from = keyBehind(rows.at(-1)![0]);
    }
  }

  private async visit(tree: Tree, visits: readonly Visit[]): Promise<void> {
    const action = { kind: 'visit', visits } as const;
    const item = { ...PLAIN_ITEM, tree, generation: tree.accept, action, rows: [] };
    await this.store.durable(this.store.stage(item));
    if (this.sweeping?.tree === tree) this.sweeping.visited += visits.length;
  }

  /** @param bounds the generations whose notes lead to the keys; asked again for each page, because it may change */
  private async visitNotes(tree: Tree, bounds: (generations: Generations) => Notes): Promise<boolean> {
    let after: Buffer | null = null;
    for (;;) {
      const { from, to } = bounds(tree.generations);
      const first: Range = keys.changed.range(tree.id, from);
      const gte: Buffer = after && Buffer.compare(after, first.gte) > 0 ? after : first.gte;
      const { lt } = keys.changed.range(tree.id, to);
      if (Buffer.compare(gte, lt) >= 0) return true;
      const rows: Row[] = await this.store.page({ gte, lt }, VISITS_A_BATCH);
      if (this.loop.stopped) return false;
      if (rows.length === 0) return true;
      await this.visit(
        tree,
        rows.map(([key]) => visitOf(tree, key)),
      );
      after = keyBehind(rows.at(-1)![0]);
    }
  }
}

interface Notes {
  readonly from: number;
  readonly to: number;
}

/** The notes that lead to the keys of which `generation` may have shown another version than its neighbours. */
function notesAround(tree: Tree, generations: Generations, generation: number): Notes {
  const older = generations.lastKept(generation);
  const next = generations.nextKept(generation);
  const hasOlder = older >= 0 || tree.parent !== null;
  // Nothing follows the last generation of a tree without a head, so all that is younger than its neighbour goes.
  if (next === undefined && !generations.hasHead) return { from: older + 1, to: generations.current };
  return { from: hasOlder ? generation + 1 : 0, to: next ?? generations.current };
}

function visitOf(tree: Tree, note: Buffer): Visit {
  const { generation, kind, rest } = keys.changed.parse(note);
  return { key: versionedKey(versioned.key(tree.id, kind, rest)), noted: generation };
}

function visitOfDead(tree: Tree, row: Buffer): Visit {
  const { kind, rest } = keys.history.parse(row);
  return { key: versionedKey(versioned.key(tree.id, kind, rest)), noted: null };
}

function versionedKey(key: Buffer): VersionedKey {
  return { kind: key[0] as VersionedKind, key, id: keyId(key) };
}
