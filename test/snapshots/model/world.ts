// A volume of several datasets over stores that crash, with the background that takes back what nobody needs: as
// volume.ts puts it together, but that what the registries would say of datasets is one row each.

import type { Random } from '../../../src/clock.ts';
import type { DroppedTrees } from '../../../src/datasets/dropped-trees.ts';
import { inoSequenceKey, type SharedParts } from '../../../src/fs/open-dataset.ts';
import type { Reclaimer } from '../../../src/fs/reclaimer.ts';
import type { SegmentLog } from '../../../src/fs/segment-log.ts';
import type { Store } from '../../../src/fs/store.ts';
import type { Sweeps } from '../../../src/fs/sweep.ts';
import type { Tree } from '../../../src/fs/tree.ts';
import { keys } from '../../../src/kv/keys.ts';
import { HASH_KEY, ModelClock, type WorldOptions } from '../../fs/model/world.ts';
import { AbsentMetaStore } from '../../kv/absent-meta-store.ts';
import { type Crash, CrashingMetaStore } from '../../kv/crashing-meta-store.ts';
import { CrashingSegmentStore } from '../../kv/crashing-segment-store.ts';
import { upTo } from '../../kv/seeded-random.ts';
import { SeededScheduler } from '../../kv/seeded-scheduler.ts';
import { Head } from './head.ts';

/** Written with every item: after a crash it tells how far the store has come. */
const LAST_TICKET = keys.system.key('model/ticket');

/** What lives from a start to the next crash. */
export interface VolumeProcess {
  readonly shared: SharedParts;
  readonly store: Store;
  readonly segmentLog: SegmentLog;
  readonly reclaimer: Reclaimer;
  readonly sweeps: Sweeps;
  readonly trees: DroppedTrees;
  /** By dataset. */
  readonly heads: Map<number, Head>;
  /** Of the item that kept the generation that was kept last. */
  keepTicket: number;
}

export class SnapshotWorld {
  readonly scheduler: SeededScheduler;
  readonly options: WorldOptions;
  meta: CrashingMetaStore;
  segments: CrashingSegmentStore;
  private readonly clock: ModelClock;
  private readonly randomBytes: Random;
  private nextSegment = 1;
  /** In the store when the process started; it counts from 1 again. */
  private earlierTickets = 0;
  private running: VolumeProcess | null = null;

  constructor(options: WorldOptions) {
    const { random } = options;
    this.options = options;
    this.scheduler = new SeededScheduler(random);
    this.clock = new ModelClock(this.scheduler);
    this.meta = new CrashingMetaStore(this.scheduler, random);
    this.segments = new CrashingSegmentStore(this.scheduler, random);
    this.randomBytes = (bytes) => Buffer.from(Array.from({ length: bytes }, () => upTo(random, 255)));
  }

  get process(): VolumeProcess {
    if (!this.running) throw new Error('Nothing runs');
    return this.running;
  }

  async start(): Promise<void> {
    this.running = await this.until(this.open());
  }

  /** @returns the ticket up to which the next start finds everything */
  crash(kind: Crash): number {
    this.meta = this.meta.crash(kind);
    this.segments = this.segments.crash(kind);
    this.scheduler.discard();
    this.running = null;
    const tickets = this.meta.get(LAST_TICKET)?.readUIntBE(0, 6) ?? 0;
    const last = tickets - this.earlierTickets;
    this.earlierTickets = tickets;
    return last;
  }

  until<T>(value: T | Promise<T>): Promise<T> {
    return this.scheduler.until(Promise.resolve(value));
  }

  /** Everything in the background has come to its end; false when the store is poisoned. */
  async quiesce(): Promise<boolean> {
    const { store, reclaimer, sweeps, trees, shared } = this.process;
    const work = async () => {
      for (let before = -1; before !== store.ticket; ) {
        before = store.ticket;
        for (const { tree } of this.process.heads.values()) await shared.writeBack.flushAll(tree);
        reclaimer.wake();
        await reclaimer.idle();
        await sweeps.idle();
        await trees.drained();
        await store.idle();
      }
    };
    try {
      await this.until(work());
    } catch (error) {
      if (!store.poisoned) throw error;
    }
    return !store.poisoned;
  }

  /** Of a dataset whose head is `tree`. */
  openHead(dataset: number, tree: Tree, inos: Buffer | undefined): Head {
    const { process, options } = this;
    const head = new Head(options.product, process, { dataset, tree, inos });
    process.heads.set(dataset, head);
    return head;
  }

  private async open(): Promise<VolumeProcess> {
    const { product, random, absence, cachedRecords, dirtyBytesMax, segmentBytesMax, flushWindows } =
      this.options;
    const { clock, segments, randomBytes } = this;
    const log = this.log();
    const meta = absence > 0 ? new AbsentMetaStore(this.meta, random, absence) : this.meta;
    const caches = product.tree.treeCaches({
      inodes: cachedRecords,
      names: cachedRecords,
      chunkBytes: cachedRecords * 4096,
    });
    const settings = { strict: true, relaxedSyncMs: 1000, caches };
    const store = await product.store.Store.open({
      ...{ meta, segments, hashKey: HASH_KEY, clock, random: randomBytes, log, settings },
    });
    this.observe(store);
    const ids = { take: () => this.nextSegment++ };
    const segmentLog = new product.segmentLog.SegmentLog({ segments, ids, segmentBytesMax });
    const writeBack = await product.writeBack.WriteBack.open({
      ...{ store, segmentLog, clock, log, dirtyBytesMax, diskReserveBytes: 0, flushWindows },
    });
    const reclaimer = new product.reclaimer.Reclaimer({ store, segmentLog, clock, log });
    const sweeps = new product.sweep.Sweeps(store, log);
    const trees = await product.droppedTrees.DroppedTrees.open(store, sweeps);
    await reclaimer.start();
    sweeps.start();
    const shared = { store, writeBack, reclaimer, clock, random: randomBytes };
    const process = { shared, store, segmentLog, reclaimer, sweeps, trees, heads: new Map(), keepTicket: 0 };
    this.running = process;
    for (const [dataset, tree] of await this.storedHeads())
      this.openHead(dataset, store.tree(tree), this.meta.get(inoSequenceKey(dataset)));
    return process;
  }

  /** The head tree of each dataset. */
  async storedHeads(): Promise<Map<number, number>> {
    const heads = new Map<number, number>();
    for (const [key, value] of await this.meta.page(keys.dataset.range(), 1000))
      heads.set(keys.dataset.parse(key).dataset, value.readUInt32BE());
    return heads;
  }

  /** Every item carries its ticket into the store, and is told about. */
  private observe(store: Store): void {
    const stage = store.stage.bind(store);
    store.stage = (item) => {
      const ticket = stage(item);
      const value = Buffer.alloc(6);
      value.writeUIntBE(this.earlierTickets + ticket, 0, 6);
      item.rows.push({ key: LAST_TICKET, value });
      const { running } = this;
      if (!running) return ticket;
      if (item.action.kind === 'keep') running.keepTicket = ticket;
      for (const head of running.heads.values()) if (head.tree === item.tree) head.onStage(ticket, item);
      return ticket;
    };
  }

  private log() {
    const add = (details: object, message: string) => {
      const cause =
        'err' in details ? `: ${String(details.err instanceof Error ? details.err.stack : details.err)}` : '';
      this.options.trace.push(message + cause);
    };
    return { error: add, warn: add, info: add };
  }
}

/** The row of a dataset. */
export function headRow(dataset: number, tree: Tree | null) {
  const value = tree && Buffer.alloc(4);
  value?.writeUInt32BE(tree!.id);
  return { key: keys.dataset.key(dataset), value };
}
