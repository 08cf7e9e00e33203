// A tree in memory: its generations, its counters and what is cached of it. The rows behind it are TREE, KEPT and STATS.
//
// Two clocks that meet in the queue: operations stamp what they stage with `accept`; the commit worker has reached
// `generations.current`. A snapshot bumps `accept` in the turn in which it takes its place in the queue.

import { ChangeTimes } from './change-time.ts';
import { type ChunkMap, inlineBytes } from './chunk-map.ts';
import type { DirtyFile } from './dirty-file.ts';
import type { Generations } from './generations.ts';
import type { InodeRecord } from './inode-record.ts';
import { ListedPagePool, ListedPages } from './listed-pages.ts';
import { LISTING_LIMITS, ListingCache, type ListingLimits } from './listing-cache.ts';
import { MadeDirectories } from './made-directories.ts';
import { SpaceRows } from './space-rows.ts';
import { CachePool, TwoGenerationCache } from './two-generation-cache.ts';
import { Undrained } from './undrained.ts';

/** The kept generation of another tree that shows through where this tree has nothing. */
export interface ParentTree {
  readonly tree: number;
  readonly generation: number;
}

export interface NameEntry {
  readonly ino: number;
  readonly type: number;
  readonly cookieHigh: number;
  readonly cookieLow: number;
}

export interface Usage {
  readonly usedBytes: number;
  readonly usedInodes: number;
}

/** What limits a tree's growth besides the disk; the datasets layer provides it. */
export interface SpaceLimits {
  /** Logical bytes that may still be added to the tree; Infinity without a limit. */
  availableBytes(): number;
}

/** A staged, not yet applied directory bucket; the directory's index of the overlay. */
export interface StagedBucket {
  readonly key: Buffer;
  readonly value: Buffer | null;
  readonly ticket: number;
}

/** What all trees of a volume may keep in memory together. */
export interface TreeCaches {
  /** These three are measured in bytes. */
  readonly inodes: CachePool;
  readonly names: CachePool;
  readonly chunks: CachePool;
  /** Measured in slots of {@link MadeDirectories}. */
  readonly madeDirectories: CachePool;
  readonly listedPages: ListedPagePool;
  readonly listings?: ListingLimits;
}

/** 1 MiB. */
const MADE_DIRECTORY_SLOTS = 1 << 18;
/** Of a map in memory: per extent, beside its inline bytes. */
const EXTENT_BYTES = 200;
/** A decoded inode and a decoded name, with their keys, take about so much. */
export const INODE_BYTES = 600;
export const NAME_BYTES = 250;
/** A name's key so long is in {@link NAME_BYTES}. */
const NAME_KEY_BYTES = 40;
/** Beside the bytes themselves. */
const BUFFER_BYTES = 200;

/** @param bounds inodes and names as many as there are of ordinary ones: long ones count as several */
export function treeCaches(bounds: {
  readonly inodes: number;
  readonly names: number;
  readonly chunkBytes: number;
}): TreeCaches {
  return {
    inodes: new CachePool(bounds.inodes * INODE_BYTES),
    names: new CachePool(bounds.names * NAME_BYTES),
    chunks: new CachePool(bounds.chunkBytes),
    madeDirectories: new CachePool(MADE_DIRECTORY_SLOTS),
    listedPages: new ListedPagePool(),
  };
}

function inodeCost({ target, tail }: InodeRecord): number {
  let cost = INODE_BYTES;
  if (target !== null) cost += BUFFER_BYTES + target.length;
  if (tail !== null) cost += BUFFER_BYTES + tail.length;
  return cost;
}

function nameCost(_entry: NameEntry | null, key: string): number {
  return key.length > NAME_KEY_BYTES ? NAME_BYTES + key.length - NAME_KEY_BYTES : NAME_BYTES;
}

function chunkCost(map: ChunkMap | null): number {
  return EXTENT_BYTES + (map ? map.length * EXTENT_BYTES + inlineBytes(map) : 0);
}

export class Tree {
  readonly id: number;
  /** None any more when the tree was detached. */
  parent: ParentTree | null;
  /** It had a parent, so that generation 0 was the fork: its own begin with 1. */
  detached: boolean;
  /** It has itself all records that it shows of its parent, so reads stop at it; frames may be its parent's still. */
  flat: boolean;
  /** Kept generations of other trees that it holds beside its parent's, taken over from a tree that was detached. */
  furtherHolds: readonly ParentTree[];
  /** As of the last applied batch. */
  generations: Generations;
  /** As of the last applied batch: what which kept generations hold. */
  readonly space = new SpaceRows();
  /** No version in HISTORY died later, so what was kept from then on is all live, or not there. */
  newestDeath = -1;
  /** Of kept generations that clones show: whether the tree had nothing of its own. See versions-at.ts. */
  readonly blankAt = new Map<number, boolean>();
  /** Kept at the last start by snapshots that were never finished. */
  readonly unfinished: readonly number[];
  /** The generation that operations stamp on what they stage. */
  accept: number;
  /** Logical bytes and inodes as of the last staged operation. */
  usedBytes = 0;
  usedInodes = 0;
  /** The same as of the last applied batch: what the STATS row says. */
  committed: Usage = { usedBytes: 0, usedInodes: 0 };
  /** Dirty bytes over holes: what a flush will add to `usedBytes`. */
  dirtyGrowth = 0;
  limits: SpaceLimits = { availableBytes: () => Number.POSITIVE_INFINITY };
  /** What has given the ctimes of this run. */
  changeTimes = new ChangeTimes();
  /** The tree was given up: its operations answer ESTALE. */
  dropped = false;

  readonly inodes: TwoGenerationCache<number, InodeRecord>;
  readonly names: TwoGenerationCache<string, NameEntry | null>;
  readonly chunks: TwoGenerationCache<string, ChunkMap | null>;
  /** Data ids whose maps were summed up: see lost-maps.ts. */
  readonly trustedMaps: TwoGenerationCache<number, true>;
  readonly madeDirectories: MadeDirectories;
  readonly listings: ListingCache;
  readonly listedPages: ListedPages;
  readonly dirty = new Map<number, DirtyFile>();
  /** Inodes in the hands of an operation of several batches, and when it lets go. */
  readonly held = new Map<number, Promise<void>>();
  /** What waits for all that are held, to be done itself: those who would hold an inode come behind it. */
  readonly pauses = new Set<Promise<void>>();
  readonly undrained = new Undrained();
  readonly stagedBuckets = new Map<number, Map<string, StagedBucket>>();

  constructor(
    row: {
      readonly id: number;
      readonly parent: ParentTree | null;
      readonly detached?: boolean;
      readonly flat?: boolean;
      readonly furtherHolds?: readonly ParentTree[];
      readonly generations: Generations;
      readonly unfinished?: readonly number[];
    },
    caches: TreeCaches,
  ) {
    this.id = row.id;
    this.parent = row.parent;
    this.detached = row.detached ?? false;
    this.flat = row.flat ?? false;
    this.furtherHolds = row.furtherHolds ?? [];
    this.generations = row.generations;
    this.accept = row.generations.current;
    this.unfinished = row.unfinished ?? [];
    this.inodes = new TwoGenerationCache(caches.inodes, inodeCost);
    this.names = new TwoGenerationCache(caches.names, nameCost);
    this.chunks = new TwoGenerationCache(caches.chunks, chunkCost);
    this.trustedMaps = new TwoGenerationCache(caches.names, () => NAME_BYTES);
    this.madeDirectories = new MadeDirectories(caches.madeDirectories);
    this.listings = new ListingCache(caches.listings ?? LISTING_LIMITS);
    this.listedPages = new ListedPages(caches.listedPages, row.id);
  }

  /** All kept generations of other trees that it holds. */
  get holds(): readonly ParentTree[] {
    return this.parent ? [this.parent, ...this.furtherHolds] : this.furtherHolds;
  }

  /** Whether a generation is kept that shows what was accepted in `generation`, or may be: a snapshot is in the queue. */
  keepsSince(generation: number): boolean {
    const { generations, accept } = this;
    return generations.current < accept || generations.lastKept(accept) >= generation;
  }

  /** From this turn on its operations answer ESTALE, and nobody reads or commits what waits in memory. */
  giveUp(): void {
    this.dropped = true;
    for (const file of [...this.dirty.values()]) file.cut(0, Number.POSITIVE_INFINITY, 0);
    this.listedPages.clear();
  }

  /** Gives up what is cached. */
  forget(): void {
    this.inodes.close();
    this.names.close();
    this.chunks.close();
    this.trustedMaps.close();
    this.madeDirectories.close();
    this.listedPages.clear();
  }

  /** Sets the counters to what the store says. */
  count(usedBytes: number, usedInodes: number): void {
    this.usedBytes = usedBytes;
    this.usedInodes = usedInodes;
    this.committed = { usedBytes, usedInodes };
  }
}
