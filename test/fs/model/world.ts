// A volume of one dataset over stores that crash, from its first start through every crash. The scheduler decides what
// completes when, timers included; all randomness and time come from the seed.

import type { Clock, Random } from '../../../src/clock.ts';
import type { FlushWindows } from '../../../src/fs/dirty-file.ts';
import type { FileSystem } from '../../../src/fs/file-system.ts';
import { FileType } from '../../../src/fs/file-system.ts';
import { inodeRecord, WINDOW_LOG2_DEFAULT } from '../../../src/fs/inode-record.ts';
import type { Item } from '../../../src/fs/item.ts';
import { type OperationContext, ROOT_INO } from '../../../src/fs/operation.ts';
import type { Reclaimer } from '../../../src/fs/reclaimer.ts';
import type { SegmentLog } from '../../../src/fs/segment-log.ts';
import type { Store } from '../../../src/fs/store.ts';
import type { Tree } from '../../../src/fs/tree.ts';
import type { WriteBack } from '../../../src/fs/write-back.ts';
import { keys } from '../../../src/kv/keys.ts';
import { AbsentMetaStore } from '../../kv/absent-meta-store.ts';
import { type Crash, CrashingMetaStore } from '../../kv/crashing-meta-store.ts';
import { CrashingSegmentStore } from '../../kv/crashing-segment-store.ts';
import { type SeededRandom, upTo } from '../../kv/seeded-random.ts';
import { type Scheduler, SeededScheduler } from '../../kv/seeded-scheduler.ts';
import type { Product } from './product.ts';

export interface WorldOptions {
  readonly product: Product;
  readonly random: SeededRandom;
  /** How often a record is not resident, from 0 to 1. */
  readonly absence: number;
  readonly cachedRecords: number;
  readonly dirtyBytesMax: number;
  readonly segmentBytesMax: number;
  readonly flushWindows: FlushWindows;
  /** What the server logs goes here. */
  readonly trace: string[];
}

/** What lives from a start to the next crash. */
export interface Process {
  readonly store: Store;
  readonly tree: Tree;
  readonly writeBack: WriteBack;
  readonly segmentLog: SegmentLog;
  readonly reclaimer: Reclaimer;
  readonly fileSystem: FileSystem;
  readonly operations: OperationContext;
}

export const HASH_KEY = Buffer.alloc(16, 7);
const TREE = 1;
const DATASET = 1;
/** Written with every item: after a crash it tells how far the store has come. */
const LAST_TICKET = keys.system.key('model/ticket');

/** Time that goes on with every look at it; a timer rings when the scheduler says so, and then its time has come. */
export class ModelClock implements Clock {
  private microseconds = 1e15;
  private ms = 0;
  private readonly scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
  }

  readonly now = () => {
    const microseconds = ++this.microseconds;
    return { seconds: Math.floor(microseconds / 1e6), nanoseconds: (microseconds % 1e6) * 1000 };
  };

  readonly elapsedMs = () => this.ms;

  readonly after = (delayMs: number, task: () => void) => {
    const due = this.ms + delayMs;
    let cancelled = false;
    this.scheduler.later('timer', () => {
      if (cancelled) return;
      this.ms = Math.max(this.ms, due);
      task();
    });
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  };
}

export class World {
  readonly scheduler: SeededScheduler;
  readonly clock: ModelClock;
  meta: CrashingMetaStore;
  segments: CrashingSegmentStore;
  private readonly options: WorldOptions;
  private readonly randomBytes: Random;
  private nextSegment = 1;
  /** In the store when the process started; it counts from 1 again. */
  private earlierTickets = 0;
  private running: Process | null = null;
  /** Called in the turn in which an item is staged. */
  onStage: (ticket: number, item: Item) => void = () => {};

  constructor(options: WorldOptions) {
    const { random } = options;
    this.options = options;
    this.scheduler = new SeededScheduler(random);
    this.clock = new ModelClock(this.scheduler);
    this.meta = new CrashingMetaStore(this.scheduler, random);
    this.segments = new CrashingSegmentStore(this.scheduler, random);
    this.randomBytes = (bytes) => Buffer.from(Array.from({ length: bytes }, () => upTo(random, 255)));
  }

  get process(): Process {
    if (!this.running) throw new Error('Nothing runs');
    return this.running;
  }

  async start(): Promise<void> {
    this.running = await this.scheduler.until(this.open());
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

  /** As volume.ts puts it together, for one dataset. */
  private async open(): Promise<Process> {
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
    const diskReserveBytes = 0;
    const writeBack = await product.writeBack.WriteBack.open({
      ...{ store, segmentLog, clock, log, dirtyBytesMax, diskReserveBytes, flushWindows },
    });
    const reclaimer = new product.reclaimer.Reclaimer({ store, segmentLog, clock, log });
    await reclaimer.start();
    const made = store.trees.size === 0 ? product.treeRows.newTree(TREE, null, caches) : null;
    if (made) {
      store.trees.set(TREE, made.tree);
      store.stageRows(made.rows);
    }
    const tree = store.tree(TREE);
    const [inos] = await this.meta.fetch([product.openDataset.inoSequenceKey(DATASET)]);
    const shared = { store, writeBack, reclaimer, clock, random: randomBytes };
    const { fileSystem, operations } = product.openDataset.openDataset(shared, DATASET, tree, inos);
    if (made) await this.makeRoot(operations);
    return { store, tree, writeBack, segmentLog, reclaimer, fileSystem, operations };
  }

  /** Every item carries its ticket into the store, and is told about. */
  private observe(store: Store): void {
    const stage = store.stage.bind(store);
    store.stage = (item) => {
      const ticket = stage(item);
      const value = Buffer.alloc(6);
      value.writeUIntBE(this.earlierTickets + ticket, 0, 6);
      item.rows.push({ key: LAST_TICKET, value });
      this.onStage(ticket, item);
      return ticket;
    };
  }

  private async makeRoot({ records, clock }: OperationContext): Promise<void> {
    const turn = new this.options.product.turn.Turn(records, clock.now());
    const { seconds, nanoseconds } = turn.now;
    turn.put(
      inodeRecord({
        ...{ ino: ROOT_INO, generation: 1, type: FileType.directory, mode: 0o755, nlink: 2, uid: 0, gid: 0 },
        ...{ size: 4096, allocated: 0, rdevMajor: 0, rdevMinor: 0, mountedDataset: 0, change: 1 },
        ...{ atimeSeconds: seconds, atimeNanoseconds: nanoseconds, mtimeSeconds: seconds },
        ...{ mtimeNanoseconds: nanoseconds, ctimeSeconds: seconds, ctimeNanoseconds: nanoseconds },
        ...{ btimeSeconds: seconds, btimeNanoseconds: nanoseconds, entryCount: 0, parents: [], dataId: 0 },
        ...{
          windowLog2: WINDOW_LOG2_DEFAULT,
          verifier: null,
          flags: 0,
          projectId: 0,
          target: null,
          tail: null,
        },
      }),
    );
    turn.count(0, 1);
    await records.store.durable(turn.commit());
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
