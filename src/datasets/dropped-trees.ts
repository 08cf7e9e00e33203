// Trees that were given up, and the background that takes back what they hold.
//
// Giving a tree up is one JOB row, in the batch that takes its dataset out of the registry or gives it another head. As
// long as generations of it are kept, only what its head alone showed goes. The rest goes with the last of them, in
// batches of bounded size: what has older versions, then inode by inode with the chunks of its data, so that the
// tree's own counters say what is still to come. A batch done again finds nothing left to do, so a crash needs no
// cursor.

import { BackgroundLoop } from '../fs/background-loop.ts';
import { chunkDrop } from '../fs/chunk-drop.ts';
import { treeHolder } from '../fs/holder.ts';
import { stageRelease } from '../fs/holds.ts';
import { decodeInode } from '../fs/inode-codec.ts';
import { PLAIN_ITEM, type VersionedKind, type Visit } from '../fs/item.ts';
import { keyId } from '../fs/key-id.ts';
import type { Store } from '../fs/store.ts';
import type { Sweeps } from '../fs/sweep.ts';
import type { Tree } from '../fs/tree.ts';
import { newTree } from '../fs/tree-rows.ts';
import { DamageError, isWhiteout, verify } from '../fs/versioned-value.ts';
import { keys, versioned } from '../kv/keys.ts';
import { keyBehind } from '../kv/keyspace.ts';
import type { Range, Row } from '../kv/meta-store.ts';
import { encodeJob } from './job-record.ts';
import type { Trees } from './registry-context.ts';
import { storedJobs } from './stored-jobs.ts';

/** Rows of one batch: what other operations may have to wait for. */
const BATCH_ROWS = 256;

interface Job {
  readonly id: number;
  readonly tree: Tree;
  /** What it held when it was given up, or at the start of this run. */
  readonly bytesBefore: number;
  /** What only the head showed is gone, in this run. */
  beheaded: boolean;
}

export class DroppedTrees implements Trees {
  private readonly store: Store;
  private readonly sweeps: Sweeps;
  private readonly jobs: Job[];
  private nextJob: number;
  private readonly loop: BackgroundLoop;

  private constructor(store: Store, sweeps: Sweeps, jobs: Job[], nextJob: number) {
    this.store = store;
    this.sweeps = sweeps;
    this.jobs = jobs;
    this.nextJob = nextJob;
    this.loop = new BackgroundLoop(
      () => this.advanceAll(),
      (error) => {
        const message = 'Cannot take back the space of deleted datasets before the next start';
        store.parts.log.error({ err: error }, message);
      },
    );
  }

  /** Goes on with what an earlier run left, in the `background` if there shall be one. */
  static async open(store: Store, sweeps: Sweeps, background = true): Promise<DroppedTrees> {
    const jobs: Job[] = [];
    let lastJob = 0;
    for await (const { id, job } of storedJobs(store.parts.meta)) {
      lastJob = id;
      if (job.kind !== 'drop-tree') continue;
      const tree = store.tree(job.tree);
      tree.dropped = true;
      tree.generations = tree.generations.behead();
      // Of what died behind the last kept generation the notes are gone, so they do not tell.
      tree.newestDeath = tree.generations.current;
      jobs.push({ id, tree, bytesBefore: tree.usedBytes, beheaded: false });
    }
    const dropped = new DroppedTrees(store, sweeps, jobs, lastJob + 1);
    sweeps.onSwept = (tree) => {
      if (tree.dropped) dropped.loop.wake();
    };
    if (background) dropped.loop.wake();
    return dropped;
  }

  create(): Tree {
    const { store } = this;
    const { tree, rows } = newTree(store.treeIds.take(), null, store.parts.settings.caches);
    store.stageRows(rows);
    store.trees.set(tree.id, tree);
    return tree;
  }

  /** For the row of a job of any kind. */
  newJobId(): number {
    return this.nextJob++;
  }

  drop(tree: Tree): void {
    const id = this.newJobId();
    const rows = [{ key: keys.job.key(id), value: encodeJob({ kind: 'drop-tree', tree: tree.id }) }];
    const action = { kind: 'behead' } as const;
    this.store.stage({ ...PLAIN_ITEM, tree, generation: tree.accept, action, rows });
    tree.giveUp();
    this.jobs.push({ id, tree, bytesBefore: tree.usedBytes, beheaded: false });
    this.loop.wake();
  }

  /** Of the trees that go; one that shows kept generations stays with them. */
  pending(): { readonly trees: number; readonly bytes: number; readonly inodes: number } {
    const going = this.jobs.map(({ tree }) => tree).filter((tree) => tree.generations.kept.length === 0);
    return {
      trees: going.length,
      bytes: going.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
      inodes: going.reduce((sum, { usedInodes }) => sum + usedInodes, 0),
    };
  }

  /** Those with something to do, with what each held before and what of that is left. */
  going(): readonly {
    readonly job: number;
    readonly tree: number;
    readonly bytesBefore: number;
    readonly bytes: number;
  }[] {
    const going = this.jobs.filter(({ tree, beheaded }) => !beheaded || tree.generations.kept.length === 0);
    return going.map(({ id, tree, bytesBefore }) => ({
      job: id,
      tree: tree.id,
      bytesBefore,
      bytes: tree.usedBytes,
    }));
  }

  /** Resolves when nothing is left to take back. */
  drained(): Promise<void> {
    return this.loop.idle();
  }

  /** Ends after the batch under way; the next start goes on. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async advanceAll(): Promise<void> {
    // Of one given up meanwhile not all that was staged before is in the store yet: its keys would be missed.
    const jobs = [...this.jobs];
    await this.settled();
    for (const job of jobs) if (!(await this.advance(job))) return;
  }

  /** False when it was stopped. */
  private async advance(job: Job): Promise<boolean> {
    const { tree } = job;
    if (tree.generations.kept.length === 0) {
      if (!(await this.takeBack(job))) return false;
      this.jobs.splice(this.jobs.indexOf(job), 1);
      // A parent may have nothing left either.
      this.loop.wake();
    } else if (!job.beheaded) {
      if (!(await this.sweeps.sweepHead(tree))) return false;
      job.beheaded = true;
    }
    return true;
  }

  /** Whether nothing is left of the tree; not when it was stopped. */
  private async takeBack({ id, tree }: Job): Promise<boolean> {
    // Nothing is left that its sweeps could leave: they are over.
    await this.sweeps.finish(tree, tree.generations.leaving);
    await this.eachPage(keys.history.range(tree.id), (rows) => this.dropVersions(tree, rows));
    await this.eachPage(keys.inode.range(tree.id), (rows) => this.dropInodes(tree, rows));
    await this.eachPage(keys.chunk.range(tree.id), (rows) => this.dropChunks(tree, rows));
    for (const family of [keys.dirEntry, keys.link, keys.tombstone, keys.changed, keys.space]) {
      await this.eachPage(family.range(tree.id), (rows) => this.dropRows(rows));
    }
    if (this.loop.stopped) return false;
    const rows = [keys.tree.key(tree.id), keys.stats.key(tree.id), keys.job.key(id)];
    this.store.stageRows(rows.map((key) => ({ key, value: null })));
    this.letGoOfOthers(tree);
    this.store.trees.delete(tree.id);
    tree.forget();
    await this.settled();
    return true;
  }

  /** In the same turn, and so in the same batch, as the end of the tree. */
  private letGoOfOthers({ id, holds }: Tree): void {
    for (const { tree, generation } of holds) {
      const above = this.store.trees.get(tree);
      if (above) stageRelease(this.store, above, generation, treeHolder(id));
    }
  }

  /** Keys that have older versions lose all: a frame that several of them name is freed once. */
  private dropVersions(tree: Tree, history: readonly Row[]): void {
    const visits = new Map<string, Visit>();
    for (const [row] of history) {
      const { kind, rest } = keys.history.parse(row);
      const key = versioned.key(tree.id, kind, rest);
      const id = keyId(key);
      visits.set(id, { key: { kind: kind as VersionedKind, key, id }, noted: null });
    }
    const action = { kind: 'visit', visits: [...visits.values()] } as const;
    this.store.stage({ ...PLAIN_ITEM, tree, generation: tree.accept, action, rows: [] });
  }

  /** Inodes with the chunks of their data: those of small files in one batch with them. */
  private async dropInodes(tree: Tree, inodes: readonly Row[]): Promise<void> {
    let allocatedBytes = 0;
    let count = 0;
    let chunks: Row[] = [];
    for (const [key, value] of inodes) {
      // No inode, and what it hides was never counted.
      if (isWhiteout(value)) continue;
      count++;
      const { allocated, dataId } = dataOf(keys.inode.parse(key).ino, value);
      allocatedBytes += allocated;
      if (dataId > 0) chunks.push(...(await this.dropManyChunks(tree, keys.chunk.range(tree.id, dataId))));
      if (chunks.length < BATCH_ROWS) continue;
      this.dropChunks(tree, chunks);
      chunks = [];
    }
    if (this.loop.stopped) return;
    const { writes, rows } = chunkDrop(chunks);
    for (const [key] of inodes) rows.push({ key, value: null });
    // The counters of a clone are those of what it shows: they must not fall below nothing.
    const counts = {
      usedBytes: -Math.min(allocatedBytes, tree.usedBytes),
      usedInodes: -Math.min(count, tree.usedInodes),
    };
    this.store.stage({ ...PLAIN_ITEM, tree, generation: tree.accept, writes, rows, ...counts });
  }

  /** Drops chunks of a range while a batch is full of them, and returns the rest. */
  private async dropManyChunks(tree: Tree, { gte, lt }: Range): Promise<Row[]> {
    for (let from = gte; ; ) {
      const rows = await this.store.page({ gte: from, lt }, BATCH_ROWS);
      if (rows.length < BATCH_ROWS || this.loop.stopped) return rows;
      this.dropChunks(tree, rows);
      await this.settled();
      from = keyBehind(rows.at(-1)![0]);
    }
  }

  private dropChunks(tree: Tree, chunks: readonly Row[]): void {
    this.store.stage({ ...PLAIN_ITEM, tree, generation: tree.accept, ...chunkDrop(chunks) });
  }

  private dropRows(rows: readonly Row[]): void {
    this.store.stageRows(rows.map(([key]) => ({ key, value: null })));
  }

  /**
   * Gives pages of a range to `drop` until nothing is left there; each is gone from the store before the next. It begins
   * anew only at the end: at the front a store may have to pass over thousands of rows that have just been deleted.
   */
  private async eachPage(
    { gte, lt }: Range,
    drop: (rows: readonly Row[]) => void | Promise<void>,
  ): Promise<void> {
    for (let from = gte; !this.loop.stopped; ) {
      const rows = await this.store.page({ gte: from, lt }, BATCH_ROWS);
      const last = rows.at(-1);
      if (last) {
        await drop(rows);
        await this.settled();
        from = keyBehind(last[0]);
      } else if (from === gte) {
        return;
      } else {
        from = gte;
      }
    }
  }

  private async settled(): Promise<void> {
    await this.store.durable(this.store.ticket);
  }
}

/** Of a damaged inode nothing is known: its chunks are found without it, and the counters go in the end. */
function dataOf(ino: number, value: Buffer): { readonly allocated: number; readonly dataId: number } {
  try {
    verify(value, () => `inode ${ino}`);
    return decodeInode(ino, value);
  } catch (error) {
    if (error instanceof DamageError) return { allocated: 0, dataId: 0 };
    throw error;
  }
}
