// Listing a directory in cookie order: what is kept of it in memory, else a stretch read from the store, as far ahead
// as the next pages are likely to ask.
//
// A page of the store is what the last applied batch left; what is staged since lies over it. Both are taken in one
// turn, so a run shows the directory exactly as it was in that turn.

import { keys } from '../kv/keys.ts';
import type { Row } from '../kv/meta-store.ts';
import { type DirectoryBucket, decodeBucket } from './directory-bucket.ts';
import type { Cookie, DirectoryEntry } from './file-system.ts';
import { FsError } from './fs-error.ts';
import type { InodeRecord } from './inode-record.ts';
import type { Run } from './listing-cache.ts';
import { BUCKET_ENTRIES_MAX, bucketOf } from './name-cookie.ts';
import type { Records } from './records.ts';
import type { StagedBucket } from './tree.ts';
import { DamageError, isWhiteout, verify } from './versioned-value.ts';

const START: Cookie = { high: 0, low: 0 };

/** Reads the entries behind `after` and keeps them; `directory` is the record of this turn. */
export async function readRun(records: Records, directory: InodeRecord, after: Cookie): Promise<Run> {
  const { listings } = records.tree;
  const load = listings.begin(directory);
  let run: Run | undefined;
  try {
    run = await read(records, directory, isReserved(after) ? START : after);
  } finally {
    listings.finish(load, run);
  }
  return run;
}

/** Cookies before every entry's: the start, `.`, `..`. */
function isReserved({ high, low }: Cookie): boolean {
  return high === 0 && low < BUCKET_ENTRIES_MAX;
}

async function read(records: Records, { ino, entryCount }: InodeRecord, from: Cookie): Promise<Run> {
  const { store, tree } = records;
  const { lt } = keys.dirEntry.range(tree.id, ino);
  const { high, low } = bucketOf(from);
  const gte = keys.dirEntry.key(tree.id, ino, high, low);
  const staged = stagedFrom(tree.stagedBuckets.get(ino), gte);
  const { runEntriesMax, readAhead } = tree.listings.limits;
  const whole = from === START && entryCount <= runEntriesMax;
  // Buckets that are staged to go are still rows: they count too.
  const limit = whole ? runEntriesMax + staged.length + 1 : readAhead;
  const rows = await records.page({ gte, lt }, limit);
  const through = rows.length < limit ? null : endOf(rows[rows.length - 1]![0]);
  try {
    const buckets = merge(rows, staged, through);
    return { from, entries: entriesOf(buckets, from), through };
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    const message = `Cannot list directory ${ino} of tree ${tree.id}: a record of its entries is damaged`;
    store.parts.log.error({ err: error, tree: tree.id, directory: ino }, message);
    throw new FsError('EIO', message, { cause: error });
  }
}

function stagedFrom(staged: ReadonlyMap<string, StagedBucket> | undefined, gte: Buffer): StagedBucket[] {
  if (!staged) return [];
  const buckets = [...staged.values()].filter(({ key }) => Buffer.compare(key, gte) >= 0);
  return buckets.sort((one, other) => Buffer.compare(one.key, other.key));
}

/** The greatest cookie that belongs to a bucket. */
function endOf(key: Buffer): Cookie {
  const { cookieHigh, cookieLow } = keys.dirEntry.parse(key);
  return { high: cookieHigh, low: cookieLow + BUCKET_ENTRIES_MAX - 1 };
}

interface PlacedBucket {
  readonly high: number;
  readonly low: number;
  readonly bucket: DirectoryBucket;
}

/** The buckets in key order, each as it was staged last; up to the last row when more rows follow. */
function merge(
  rows: readonly Row[],
  staged: readonly StagedBucket[],
  through: Cookie | null,
): PlacedBucket[] {
  const last = through && rows[rows.length - 1]![0];
  const merged: PlacedBucket[] = [];
  let next = 0;
  const takeStaged = (key: Buffer | null): boolean => {
    let replaced = false;
    for (; next < staged.length; next++) {
      const { key: stagedKey, value } = staged[next]!;
      const order = key ? Buffer.compare(stagedKey, key) : -1;
      if (order > 0) break;
      if (order === 0) replaced = true;
      if (value && !isWhiteout(value)) merged.push(placed(stagedKey, value));
    }
    return replaced;
  };
  for (const [key, value] of rows) {
    if (takeStaged(key)) continue;
    verify(value, 'directory');
    if (isWhiteout(value)) continue;
    merged.push(placed(key, value));
  }
  if (!last) takeStaged(null);
  return merged;
}

function placed(key: Buffer, value: Buffer): PlacedBucket {
  const { cookieHigh, cookieLow } = keys.dirEntry.parse(key);
  return { high: cookieHigh, low: cookieLow, bucket: decodeBucket(value) };
}

/** The entries behind `from`, their names in one piece of memory: the rows are not held by what is kept. */
function entriesOf(buckets: readonly PlacedBucket[], from: Cookie): DirectoryEntry[] {
  let nameBytes = 0;
  for (const { bucket } of buckets) for (const { name } of bucket) nameBytes += name.length;
  const names = Buffer.allocUnsafeSlow(nameBytes);
  const entries: DirectoryEntry[] = [];
  let at = 0;
  for (const { high, low, bucket } of buckets) {
    for (const { name, ino, index } of bucket) {
      if (high === from.high && low + index <= from.low) continue;
      names.set(name, at);
      const end = at + name.length;
      entries.push({ name: names.subarray(at, end), ino, cookieHigh: high, cookieLow: low + index });
      at = end;
    }
  }
  return entries;
}
