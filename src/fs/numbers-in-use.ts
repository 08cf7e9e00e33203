// Which numbers of a sequence (ids.ts) are in use already. Its row may be lost, or be an older one, where damage has made
// a block of the metadata unreadable: numbers would be given again, and new files write over others. So each start looks
// whether anything has a number that was never given. That is one short look at the end of a family of keys: behind the
// numbers that were given there is nothing, not even what was deleted, however many files there are.

import { keys, versioned } from '../kv/keys.ts';
import { successor } from '../kv/keyspace.ts';
import type { MetaStore, Range } from '../kv/meta-store.ts';
import { VolumeError } from '../kv/volume-error.ts';
import { getU32, getU64, putU32, putU64 } from './big-endian.ts';
import { BLOCK, type IdSequence } from './ids.ts';
import { VersionedKind } from './item.ts';
import type { Store } from './store.ts';
import type { Tree } from './tree.ts';

/** Keys that have a number of a sequence in them, in its order. */
export interface NumberedKeys {
  readonly numberMax: number;
  /** Those with this number or a greater one. */
  from(number: number): Range;
  numberIn(key: Buffer): number;
}

/** A sequence, and all that has its numbers. */
export interface NumberedThings {
  readonly sequence: IdSequence;
  /** What they are the numbers of, in a sentence. */
  readonly noun: string;
  readonly places: readonly NumberedKeys[];
}

/** Looked at together: each look is a trip to the thread pool. */
const LOOKS_AT_ONCE = 64;

export function inodesIn(tree: Tree): NumberedKeys[] {
  return versionedIn(tree, VersionedKind.inode);
}

/** Sequences of the whole volume: of data and of trees. */
export function numberedByVolume({ trees, dataIds, treeIds }: Store): NumberedThings[] {
  const ofData = [...trees.values()].flatMap((tree) => [
    ...versionedIn(tree, VersionedKind.chunk),
    wide(keys.tombstone.range(tree.id).gte),
  ]);
  return [
    { sequence: dataIds, noun: 'file data', places: ofData },
    { sequence: treeIds, noun: 'trees', places: TREES },
  ];
}

/**
 * Refuses sequences that would give a number again.
 *
 * @param repair lets them go on behind the greatest number that is in use instead, durably; what is hurt is logged
 * @throws VolumeError `DAMAGED`
 */
export async function checkNumbers(
  store: Store,
  sequences: Iterable<NumberedThings>,
  repair: boolean,
): Promise<void> {
  const all = [...sequences];
  for (let at = 0; at < all.length; at += LOOKS_AT_ONCE)
    await Promise.all(all.slice(at, at + LOOKS_AT_ONCE).map((one) => checkSequence(store, one, repair)));
}

async function checkSequence(store: Store, things: NumberedThings, repair: boolean): Promise<void> {
  const { sequence, places } = things;
  const { meta, log } = store.parts;
  let used = -1;
  for (let at = 0; at < places.length; at += LOOKS_AT_ONCE) {
    const found = await Promise.all(
      places.slice(at, at + LOOKS_AT_ONCE).map((place) => firstNumber(meta, place, sequence.unused)),
    );
    if (found.every((number) => number === undefined)) continue;
    if (!repair) throw wouldRepeat(things);
    for (const place of places.slice(at, at + LOOKS_AT_ONCE))
      used = Math.max(used, await greatestNumber(meta, place, sequence.unused));
  }
  if (used < 0) return;
  // Those of a block may be in use where no key has them: what a lost batch named.
  sequence.goOnFrom(used + 1 + BLOCK);
  await store.durable(store.stageRows([sequence.row()]));
  log.error({}, `${problem(things)}: it goes on from ${sequence.unused}; see "cairn check"`);
}

/** The least number from `from` on that is in use. */
async function firstNumber(
  meta: MetaStore,
  { from: keysFrom, numberIn }: NumberedKeys,
  from: number,
): Promise<number | undefined> {
  const [row] = await meta.page(keysFrom(from), 1);
  return row && numberIn(row[0]);
}

/** Of those from `from` on; −1 when there is none. Each look halves what is left. */
async function greatestNumber(meta: MetaStore, place: NumberedKeys, from: number): Promise<number> {
  let low = (await firstNumber(meta, place, from)) ?? -1;
  if (low < 0) return low;
  for (let high = place.numberMax; low < high; ) {
    const middle = high - Math.floor((high - low) / 2);
    const found = await firstNumber(meta, place, middle);
    if (found === undefined) high = middle - 1;
    else low = found;
  }
  return low;
}

function wouldRepeat(things: NumberedThings): VolumeError {
  return new VolumeError(
    'DAMAGED',
    `Cannot open the volume: ${problem(things)}: numbers in use would be given again, and files overwritten. Restore` +
      ' the data directory from a backup, or start with --repair: then it goes on behind the greatest number in use. Let' +
      ' "cairn check" follow: more may be lost than that row',
    { mendable: true },
  );
}

function problem({ sequence: { name, isStored }, noun }: NumberedThings): string {
  const state = isStored ? 'is an older one' : 'is missing';
  return `the row '${name}', which numbers ${noun}, ${state}`;
}

/** Live records of a kind and their old versions; a tree that nothing was ever kept of has no old ones. */
function versionedIn(tree: Tree, kind: number): NumberedKeys[] {
  const live = wide(versioned.key(tree.id, kind, Buffer.alloc(0)));
  const { parent, generations } = tree;
  const isFirst = generations.current === (parent ? 1 : 0);
  return isFirst ? [live] : [live, wide(keys.history.range(tree.id, kind).gte)];
}

/** A u64 behind the prefix. */
function wide(prefix: Buffer): NumberedKeys {
  return {
    numberMax: Number.MAX_SAFE_INTEGER,
    from(number) {
      const gte = Buffer.concat([prefix, Buffer.alloc(8)]);
      putU64(gte, prefix.length, number);
      return { gte, lt: successor(prefix) };
    },
    numberIn: (key) => getU64(key, prefix.length),
  };
}

/** All families whose keys begin with a tree. */
const TREES: readonly NumberedKeys[] = [
  keys.inode,
  keys.dirEntry,
  keys.stats,
  keys.tombstone,
  keys.tree,
  keys.history,
  keys.changed,
  keys.space,
  keys.kept,
  keys.link,
  keys.chunk,
].map(({ prefix }) => ({
  numberMax: 2 ** 32 - 1,
  from(number) {
    const gte = Buffer.of(prefix, 0, 0, 0, 0);
    putU32(gte, 1, number);
    return { gte, lt: Buffer.of(prefix + 1) };
  },
  numberIn: (key) => getU32(key, 1),
}));
