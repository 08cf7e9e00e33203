// What may differ between two moments, found without looking at what does not: the notes of first touches (DESIGN 3.2,
// CHANGED) on the way from one moment to the other. Where no notes lead from one to the other, all records are compared.
//
// A name, a link count or data never changes without its inode; so the inodes are the list of what is to be looked at,
// and the rest says where to look. All of it is in memory, some ten bytes a key.

import { DatasetError } from '../../datasets/datasets.ts';
import { VersionedKind } from '../../fs/item.ts';
import { type KeyRange, keyRange } from '../../fs/key-range.ts';
import { shownRows } from '../../fs/shown-rows.ts';
import type { Store } from '../../fs/store.ts';
import { BODY_AT, CRC_BYTES } from '../../fs/versioned-value.ts';
import { VersionsAt } from '../../fs/versions-at.ts';
import { keys, versioned } from '../../kv/keys.ts';
import { type Moment, type Span, spansBetween } from './moment.ts';

/** Keys that may differ. */
export const SUSPECTS_MAX = 10_000_000;

export interface Suspects {
  readonly inodes: Set<number>;
  /** Of directories: the buckets, by what stands behind the tree in their keys. */
  readonly buckets: Map<number, Buffer[]>;
  /** Of file data: the windows by data id. Null: any window may differ. */
  readonly windows: Map<number, Set<number>> | null;
}

/** @throws DatasetError `no-space` when there are more than `max` */
export function findSuspects(
  store: Store,
  from: Moment,
  to: Moment,
  max: number = SUSPECTS_MAX,
): Promise<Suspects> {
  const spans = spansBetween(store, from, to);
  return spans ? noted(store, spans, max) : compared(store, from, to, max);
}

async function noted(store: Store, spans: readonly Span[], max: number): Promise<Suspects> {
  const windows = new Map<number, Set<number>>();
  const suspects = { inodes: new Set<number>(), buckets: new Map<number, Buffer[]>(), windows };
  const seen = new Set<string>();
  for (const { tree, after, upTo } of spans) {
    const { gte } = keys.changed.range(tree.id, after + 1);
    const { lt } = keys.changed.range(tree.id, upTo);
    for await (const [note] of store.parts.meta.rows({ gte, lt })) {
      const { kind, rest } = keys.changed.parse(note);
      if (kind === VersionedKind.inode) suspects.inodes.add(inoOf(rest));
      else if (kind === VersionedKind.chunk) addWindow(windows, rest);
      else if (kind === VersionedKind.entry) addBucket(suspects.buckets, seen, rest);
      check(suspects, seen, max);
    }
  }
  return suspects;
}

/** Inodes and directories whose rows differ; the data of all these inodes has to be looked at. */
async function compared(store: Store, from: Moment, to: Moment, max: number): Promise<Suspects> {
  const suspects = { inodes: new Set<number>(), buckets: new Map<number, Buffer[]>(), windows: null };
  const seen = new Set<string>();
  for await (const rest of differing(store, from, to, keyRange(keys.inode.range(0)))) {
    suspects.inodes.add(inoOf(rest));
    check(suspects, seen, max);
  }
  for await (const rest of differing(store, from, to, keyRange(keys.dirEntry.range(0)))) {
    addBucket(suspects.buckets, seen, rest);
    check(suspects, seen, max);
  }
  return suspects;
}

/** The keys of a range that the moments show differently, by what stands behind the tree in them. */
async function* differing(store: Store, from: Moment, to: Moment, range: KeyRange): AsyncGenerator<Buffer> {
  const left = shownRows(new VersionsAt(store, from.tree, from.generation), range);
  const right = shownRows(new VersionsAt(store, to.tree, to.generation), range);
  try {
    let [one, other] = await Promise.all([left.next(), right.next()]);
    while (!one.done || !other.done) {
      const oneRest = one.done ? undefined : versioned.parse(one.value[0]).rest;
      const otherRest = other.done ? undefined : versioned.parse(other.value[0]).rest;
      const order = !oneRest ? 1 : !otherRest ? -1 : oneRest.compare(otherRest);
      if (order !== 0 || !bodyOf(one.value[1]).equals(bodyOf(other.value[1])))
        yield (order <= 0 ? oneRest : otherRest)!;
      if (order <= 0) one = await left.next();
      if (order >= 0) other = await right.next();
    }
  } finally {
    await Promise.all([left.return(undefined), right.return(undefined)]);
  }
}

/** What a version says, without the generation in which it was made. */
function bodyOf(value: Buffer): Buffer {
  return value.subarray(BODY_AT, value.length - CRC_BYTES);
}

function inoOf(rest: Buffer): number {
  return keys.inode.parse(versioned.key(0, VersionedKind.inode, rest)).ino;
}

function addWindow(windows: Map<number, Set<number>>, rest: Buffer): void {
  const { dataId, window } = keys.chunk.parse(versioned.key(0, VersionedKind.chunk, rest));
  const known = windows.get(dataId);
  if (known) known.add(window);
  else windows.set(dataId, new Set([window]));
}

function addBucket(buckets: Map<number, Buffer[]>, seen: Set<string>, rest: Buffer): void {
  const id = rest.toString('latin1');
  if (seen.has(id)) return;
  seen.add(id);
  const { dir } = keys.dirEntry.parse(versioned.key(0, VersionedKind.entry, rest));
  const known = buckets.get(dir);
  if (known) known.push(rest);
  else buckets.set(dir, [rest]);
}

function check({ inodes, windows }: Suspects, buckets: Set<string>, max: number): void {
  if (inodes.size + buckets.size + (windows?.size ?? 0) <= max) return;
  throw new DatasetError('no-space', `Cannot compare: more than ${max} records differ`);
}
