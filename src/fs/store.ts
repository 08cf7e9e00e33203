// The versioned store: what is staged and what is committed, seen as one. Operations read through `value`, hand what
// they change to `stage`, and hold their replies until `settled`.

import type { Clock, Random, Timestamp } from '../clock.ts';
import { keys } from '../kv/keys.ts';
import { type MetaStore, NOT_RESIDENT, type Range, type Row, type Write } from '../kv/meta-store.ts';
import type { SegmentStore } from '../kv/segment-store.ts';
import { applyItem } from './apply-item.ts';
import { Wait } from './attempt.ts';
import type { Batch } from './batch.ts';
import { getU64 } from './big-endian.ts';
import { CHANGE_MARK_KEY, ChangeMark } from './change-mark.ts';
import { type ChangeTime, ChangeTimes } from './change-time.ts';
import { CommitWorker } from './commit-worker.ts';
import { DamageLog } from './damage-log.ts';
import type { Frame } from './extent.ts';
import { FsError } from './fs-error.ts';
import { IdSequence } from './ids.ts';
import { type Item, PLAIN_ITEM, type QueuedItem, queued, VersionedKind } from './item.ts';
import { KEY_HEAD_BYTES } from './key-history.ts';
import { keyId } from './key-id.ts';
import { LiveFrames } from './live-frames.ts';
import { OpenViews } from './open-views.ts';
import type { SpaceLimits, Tree, TreeCaches } from './tree.ts';
import { loadTrees } from './tree-rows.ts';
import { CachePool, TwoGenerationCache } from './two-generation-cache.ts';

/** What the store needs of a logger; pino fits. */
export interface Log {
  error(details: object, message: string): void;
  warn(details: object, message: string): void;
  info(details: object, message: string): void;
}

export interface StoreSettings {
  /** Replies of metadata operations wait for the sync. */
  readonly strict: boolean;
  /** `relaxed`: the longest time until what was acknowledged is written and synced. */
  readonly relaxedSyncMs: number;
  readonly caches: TreeCaches;
}

export interface StoreParts {
  readonly meta: MetaStore;
  readonly segments: SegmentStore;
  /** 16 bytes; hashes directory names to cookies. */
  readonly hashKey: Buffer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: StoreSettings;
}

interface StagedValue {
  readonly value: Buffer | null;
  readonly ticket: number;
}

export class Store {
  readonly parts: StoreParts;
  readonly trees: Map<number, Tree>;
  readonly live: LiveFrames;
  readonly damageLog: DamageLog;
  readonly dataIds: IdSequence;
  readonly treeIds: IdSequence;
  /** What kept generations show of HISTORY, by the key from which it was looked for; null is nothing. See versions-at.ts. */
  readonly history: TwoGenerationCache<string, Buffer | null>;
  /** Moves whenever a kept generation gets a holder that is no new one's, or loses one. See holds.ts. */
  holdsVersion = 0;
  readonly views = new OpenViews();
  readonly changeMark: ChangeMark;
  private readonly worker: CommitWorker;
  private readonly staged = new Map<string, StagedValue>();
  private readonly unsaved = new Set<IdSequence | ChangeMark>();
  private lastTicket = 0;
  private readonly releaseListeners: (() => void)[] = [];

  private constructor(parts: StoreParts, loaded: LoadedRows) {
    this.parts = parts;
    this.trees = loaded.trees;
    this.live = loaded.live;
    this.damageLog = new DamageLog(parts);
    this.dataIds = this.sequence('next/data', 1, loaded.nextData);
    this.treeIds = this.sequence('next/tree', 1, loaded.nextTree);
    this.changeMark = new ChangeMark(loaded.changeMark, (mark) => this.unsaved.add(mark));
    // What a rollback gave up before the last stop had ctimes that must not come again.
    for (const tree of this.trees.values())
      if (tree.parent !== null || tree.detached) tree.changeTimes = new ChangeTimes(this.changeMark.before);
    this.history = new TwoGenerationCache(new CachePool(HISTORY_BYTES_MAX), historyCost);
    this.worker = new CommitWorker({
      meta: parts.meta,
      delayMs: parts.settings.strict ? 0 : parts.settings.relaxedSyncMs,
      clock: parts.clock,
      apply: (batch, item) => applyItem(batch, this.live, item),
      applied: (items, batch) => this.applied(items, batch),
      failed: (error) =>
        parts.log.error({ err: error }, 'Cannot write to the store: nothing more is acknowledged'),
    });
  }

  static async open(parts: StoreParts): Promise<Store> {
    const [nextData, nextTree, changeMark] = await parts.meta.fetch([
      keys.system.key('next/data'),
      keys.system.key('next/tree'),
      CHANGE_MARK_KEY,
    ]);
    const trees = await loadTrees(parts.meta, parts.settings.caches);
    const live = await LiveFrames.open(parts.meta);
    return new Store(parts, { trees, live, nextData, nextTree, changeMark });
  }

  /** A number sequence whose row goes along with what is staged next. */
  sequence(name: string, first: number, stored: Buffer | undefined): IdSequence {
    return new IdSequence(name, first, stored, (sequence) => this.unsaved.add(sequence));
  }

  /** The ctime of a change now to an inode of the tree whose last was at `last`. */
  changeTime(tree: Tree, now: Timestamp, last: ChangeTime): Timestamp {
    const time = tree.changeTimes.next(now, last);
    this.changeMark.given(time);
    return time;
  }

  /** A sequence that nobody will use again: its row is the caller's to delete, and must not be written any more. */
  forgetSequence(sequence: IdSequence): void {
    this.unsaved.delete(sequence);
  }

  /**
   * The newest value of a key, staged or committed.
   * @throws Wait when it is not resident
   */
  value(key: Buffer): Buffer | undefined {
    if (this.staged.size > 0) {
      const staged = this.staged.get(keyId(key));
      if (staged) return staged.value ?? undefined;
    }
    return this.committed(key);
  }

  /** As {@link value}, without what is staged: the store as the last applied batch left it. */
  committed(key: Buffer): Buffer | undefined {
    const value = this.parts.meta.get(key);
    if (value === NOT_RESIDENT) throw new Wait(this.parts.meta.fetch([key]));
    return value;
  }

  /** `listener` is told when a kept generation has lost a holder. */
  onRelease(listener: () => void): void {
    this.releaseListeners.push(listener);
  }

  /** A new operation begins: those before it have staged all that they will. */
  beginOperation(): void {
    this.worker.startEarly();
  }

  /** @throws FsError `EIO` once the store is poisoned */
  check(): void {
    this.worker.check();
  }

  /** Whether a frame that some map named is named still, as of the last applied batch. */
  isFrameLive(frame: Frame): boolean {
    return this.live.isLive(frame, (key) => this.committed(key));
  }

  isStaged(key: Buffer): boolean {
    return this.staged.has(keyId(key));
  }

  page(range: Range, limit: number): Promise<Row[]> {
    return this.parts.meta.page(range, limit);
  }

  /**
   * Puts an item into the queue; later operations see it at once.
   * @returns its ticket
   * @throws FsError `EIO` once the store is poisoned, and then nothing is staged
   */
  stage(item: Item): number {
    this.worker.check();
    const ticket = ++this.lastTicket;
    const { tree } = item;
    for (const write of item.writes) {
      this.staged.set(write.id, { value: write.value, ticket });
      if (write.kind === VersionedKind.entry)
        this.stageBucket(tree!, write.key, write.id, write.value, ticket);
    }
    if (tree) {
      tree.usedBytes += item.usedBytes;
      tree.usedInodes += item.usedInodes;
    }
    if (this.unsaved.size > 0) {
      for (const sequence of this.unsaved) item.rows.push(sequence.row());
      this.unsaved.clear();
    }
    this.worker.push(queued(item, ticket));
    return ticket;
  }

  /** Stages rows that have no versions: registry, jobs. */
  stageRows(rows: Write[]): number {
    return this.stage({ ...PLAIN_ITEM, rows });
  }

  /** When a reply that showed everything staged so far may go out. */
  get ticket(): number {
    return this.lastTicket;
  }

  /** Undefined when a metadata reply with this ticket may be sent; `relaxed` never makes one wait. */
  settled(ticket: number): Promise<void> | undefined {
    if (!this.parts.settings.strict && !this.worker.poisoned) return undefined;
    return this.worker.durable(ticket);
  }

  /** Undefined when everything up to `ticket` is on stable storage, in either mode. */
  durable(ticket: number): Promise<void> | undefined {
    return this.worker.durable(ticket);
  }

  /** Resolves when everything staged is on stable storage. */
  idle(): Promise<void> {
    return this.worker.idle();
  }

  get statistics() {
    return this.worker.statistics;
  }

  get poisoned(): boolean {
    return this.worker.poisoned;
  }

  /** @throws FsError `ESTALE` */
  tree(id: number): Tree {
    const tree = this.trees.get(id);
    if (!tree || tree.dropped) throw new FsError('ESTALE', `There is no tree ${id}`);
    return tree;
  }

  limit(tree: Tree, limits: SpaceLimits): void {
    tree.limits = limits;
  }

  private stageBucket(tree: Tree, key: Buffer, id: string, value: Buffer | null, ticket: number): void {
    const directory = directoryIn(key);
    let buckets = tree.stagedBuckets.get(directory);
    if (!buckets) {
      buckets = new Map();
      tree.stagedBuckets.set(directory, buckets);
    }
    buckets.set(id, { key, value, ticket });
  }

  private applied(items: readonly QueuedItem[], batch: Batch): void {
    this.live.install(batch);
    for (const item of items) {
      for (const { id, kind, key } of item.writes) {
        if (this.staged.get(id)?.ticket !== item.ticket) continue;
        this.staged.delete(id);
        if (kind === VersionedKind.entry) this.unstageBucket(item.tree!, key, id);
      }
      item.landed?.();
      if (item.action.kind === 'release' || item.action.kind === 'orphan') this.released();
    }
  }

  private released(): void {
    for (const listener of this.releaseListeners) listener();
  }

  private unstageBucket(tree: Tree, key: Buffer, id: string): void {
    const directory = directoryIn(key);
    const buckets = tree.stagedBuckets.get(directory);
    if (!buckets) return;
    buckets.delete(id);
    if (buckets.size === 0) tree.stagedBuckets.delete(directory);
  }
}

/** Without the rest of {@link keys.dirEntry}'s fields, which cost more than the number. */
function directoryIn(key: Buffer): number {
  return getU64(key, KEY_HEAD_BYTES);
}

/**
 * Far more than one operation looks up: what it waited for must still be there when it starts over, or it never ends.
 */
const HISTORY_BYTES_MAX = 8 * 2 ** 20;

/** With its key and what holds them. */
function historyCost(value: Buffer | null): number {
  return 200 + (value?.length ?? 0);
}

interface LoadedRows {
  readonly trees: Map<number, Tree>;
  readonly live: LiveFrames;
  readonly nextData: Buffer | undefined;
  readonly nextTree: Buffer | undefined;
  readonly changeMark: Buffer | undefined;
}
