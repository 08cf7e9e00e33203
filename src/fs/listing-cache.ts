// What is kept of directories that were listed, so that the next page, and the next listing, cost no I/O.
//
// A *run* is a gapless stretch of a directory's entries in cookie order. A directory's runs are right for one value of
// its change counter. Operations tell what they do to entries, so the runs follow; a change that nobody told of is seen
// by the counter, and then all runs of the directory are dropped: being told is for speed, never for being right.

import { unpooledCopy } from '../unpooled-copy.ts';
import type { Cookie, DirectoryEntry } from './file-system.ts';
import type { InodeRecord } from './inode-record.ts';
import type { NameEntry } from './tree.ts';

export interface ListingLimits {
  /** Entries kept over all directories, about 200 bytes each; a run itself counts as {@link RUN_COST} entries. */
  readonly costMax: number;
  /** A directory of at most so many entries is kept whole; a longer run is not kept. */
  readonly runEntriesMax: number;
  /** Buckets read at a time of a directory that is not kept whole. */
  readonly readAhead: number;
}

export const LISTING_LIMITS: ListingLimits = { costMax: 131_072, runEntriesMax: 8192, readAhead: 2048 };

export const RUN_COST = 4;

/** What stands at an entry's place now; without a name, nothing any more. */
export interface EntryEdit {
  readonly at: NameEntry;
  readonly name: Buffer | null;
}

/** All entries behind `from`, up to and with `through`; to the end of the directory when that is null. */
export interface Run {
  readonly from: Cookie;
  readonly entries: DirectoryEntry[];
  readonly through: Cookie | null;
}

/** A page being read from the store, and what happened to its directory since. */
interface Load {
  readonly directory: ListedDirectory;
  readonly edits: EntryEdit[];
}

interface ListedDirectory {
  readonly ino: number;
  change: number;
  readonly runs: Set<Run>;
  readonly loads: Set<Load>;
}

interface ListingPage {
  readonly entries: readonly DirectoryEntry[];
  readonly end: boolean;
}

export class ListingCache {
  readonly limits: ListingLimits;
  private readonly directories = new Map<number, ListedDirectory>();
  /** In the order of their last use. */
  private readonly recency = new Map<Run, ListedDirectory>();
  private entries = 0;

  constructor(limits: ListingLimits) {
    this.limits = limits;
  }

  /** Some entries behind `after`, at most `limit`; undefined when that takes reading the store. */
  page(directory: InodeRecord, after: Cookie, limit: number): ListingPage | undefined {
    const listed = this.directories.get(directory.ino);
    if (!listed || listed.change !== directory.change) return undefined;
    for (const run of listed.runs) {
      if (compare(run.from.high, run.from.low, after.high, after.low) > 0) continue;
      const page = pageOf(run, after, limit);
      // At the end of the stretch, or past it.
      if (page.entries.length === 0 && !page.end) continue;
      this.recency.delete(run);
      this.recency.set(run, listed);
      return page;
    }
    return undefined;
  }

  /** A page of the directory as it is in this turn is about to be read. */
  begin(directory: InodeRecord): Load {
    let listed = this.directories.get(directory.ino);
    if (!listed || listed.change !== directory.change) {
      if (listed) this.forget(listed);
      listed = { ino: directory.ino, change: directory.change, runs: new Set(), loads: new Set() };
      this.directories.set(directory.ino, listed);
    }
    const load = { directory: listed, edits: [] };
    listed.loads.add(load);
    return load;
  }

  /** The page has been read: brings it up to date and keeps it, unless changes were missed meanwhile. */
  finish(load: Load, run: Run | undefined): void {
    const { directory, edits } = load;
    directory.loads.delete(load);
    if (run && this.isCurrent(directory)) {
      for (const edit of edits) applyEdit(run, edit);
      this.keep(directory, run);
    }
    this.forgetIfUnused(directory);
  }

  /** Entries of a directory changed between these two states of it. */
  changed(before: InodeRecord, after: InodeRecord, edits: readonly EntryEdit[]): void {
    const listed = this.directories.get(before.ino);
    if (!listed) return;
    if (listed.change !== before.change) {
      this.forget(listed);
      return;
    }
    listed.change = after.change;
    for (const load of listed.loads) load.edits.push(...edits);
    for (const run of listed.runs) {
      const length = run.entries.length;
      for (const edit of edits) applyEdit(run, edit);
      this.entries += run.entries.length - length;
      if (run.entries.length > this.limits.runEntriesMax) this.drop(run, listed);
    }
    this.shrink();
    this.forgetIfUnused(listed);
  }

  get cost(): number {
    return this.entries + this.recency.size * RUN_COST;
  }

  private keep(listed: ListedDirectory, run: Run): void {
    if (run.entries.length > this.limits.runEntriesMax) return;
    listed.runs.add(run);
    this.recency.set(run, listed);
    this.entries += run.entries.length;
    this.shrink();
  }

  private shrink(): void {
    if (this.cost <= this.limits.costMax) return;
    for (const [oldest, owner] of this.recency) {
      this.drop(oldest, owner);
      this.forgetIfUnused(owner);
      if (this.cost <= this.limits.costMax) return;
    }
  }

  private drop(run: Run, owner: ListedDirectory): void {
    owner.runs.delete(run);
    this.recency.delete(run);
    this.entries -= run.entries.length;
  }

  private forget(listed: ListedDirectory): void {
    for (const run of listed.runs) this.drop(run, listed);
    this.directories.delete(listed.ino);
  }

  private forgetIfUnused(listed: ListedDirectory): void {
    if (listed.runs.size > 0 || listed.loads.size > 0) return;
    if (this.isCurrent(listed)) this.directories.delete(listed.ino);
  }

  /** Not when changes of the directory were missed, and it was begun anew since. */
  private isCurrent(listed: ListedDirectory): boolean {
    return this.directories.get(listed.ino) === listed;
  }
}

/** The entries of a run behind `after`, which is not before its `from`. */
export function pageOf({ entries, through }: Run, after: Cookie, limit: number): ListingPage {
  const first = firstAbove(entries, after.high, after.low);
  const last = Math.min(entries.length, first + limit);
  return { entries: entries.slice(first, last), end: through === null && last === entries.length };
}

function applyEdit({ entries, from, through }: Run, { at, name }: EntryEdit): void {
  const { cookieHigh: high, cookieLow: low, ino } = at;
  if (compare(high, low, from.high, from.low) <= 0) return;
  if (through !== null && compare(high, low, through.high, through.low) > 0) return;
  const next = firstAbove(entries, high, low);
  const found = entries[next - 1];
  const index = found && found.cookieHigh === high && found.cookieLow === low ? next - 1 : next;
  const there = next - index;
  if (name === null) entries.splice(index, there);
  // A copy: the name belongs to the call.
  else entries.splice(index, there, { name: unpooledCopy(name), ino, cookieHigh: high, cookieLow: low });
}

/** Index of the first entry with a greater cookie. */
function firstAbove(entries: readonly DirectoryEntry[], high: number, low: number): number {
  let start = 0;
  let end = entries.length;
  while (start < end) {
    const middle = (start + end) >>> 1;
    const { cookieHigh, cookieLow } = entries[middle]!;
    if (compare(cookieHigh, cookieLow, high, low) <= 0) start = middle + 1;
    else end = middle;
  }
  return start;
}

function compare(high: number, low: number, otherHigh: number, otherLow: number): number {
  return high === otherHigh ? low - otherLow : high - otherHigh;
}
