// Visit(K) of DESIGN 3.2, the only place where history dies: of the versions of one key those go that no kept generation
// and no head needs, and with them the frames that no version of the key names any more. Doing it again changes nothing.
//
// The commit worker visits a key for the sweep of a generation that is kept no more, and, while a tree has such a sweep
// to finish, also before it writes, moves or drains the key: so a version that nobody needs is never beside a new one.

import { keys } from '../kv/keys.ts';
import type { Batch } from './batch.ts';
import { CHANGED_VALUE } from './changed-note.ts';
import { framesIn } from './chunk-frames.ts';
import type { Frame } from './extent.ts';
import type { Gap, Generations } from './generations.ts';
import { type VersionedKey, VersionedKind } from './item.ts';
import { KEY_HEAD_BYTES } from './key-history.ts';
import { keyId } from './key-id.ts';
import type { LiveFrames } from './live-frames.ts';
import { accountVisit } from './space-accounting.ts';
import { HEAD } from './space-rows.ts';
import type { Tree } from './tree.ts';
import { isWhiteout } from './versioned-value.ts';

/** Death of the live version. */
export const NEVER = HEAD;

export interface Placed {
  readonly death: number;
  readonly birth: number;
  readonly value: Buffer;
}

/** @param noted a generation in which the key is noted, where that is how it was found */
export function visit(
  batch: Batch,
  live: LiveFrames,
  tree: Tree,
  key: VersionedKey,
  noted: number | null = null,
): void {
  const generations = batch.generations(tree);
  const before = versionsOf(batch, key);
  const after = before.filter((version) => isNeeded(tree, generations, version));
  const notes = notesOf(batch, tree, key, before, noted);
  if (after.length < before.length) remove(batch, live, tree, key, before, after);
  // Whiteouts that hid something from several kept generations go all at once when there is nothing to hide any more.
  if (after.length === 0) for (const note of notes) deleteNote(batch, tree, key, note);
  for (const gap of generations.gaps) shrinkNotes(batch, tree, key, gap, notes, after);
  if (!generations.hasHead) dropLateNotes(batch, tree, key, notes);
}

/** The oldest first. */
export function versionsOf(batch: Batch, { id, key }: VersionedKey): Placed[] {
  const history = [...batch.historyOf(id)].sort(([one], [other]) => one - other);
  const versions: Placed[] = history.map(([death, { birth, value }]) => ({ death, birth, value }));
  const live = batch.version(id, key);
  if (live) versions.push({ death: NEVER, birth: live.birth, value: live.value });
  return versions;
}

function isNeeded(tree: Tree, generations: Generations, { birth, death, value }: Placed): boolean {
  // Without a parent there is nothing to hide.
  if (isWhiteout(value) && tree.parent === null) return false;
  if (death === NEVER && generations.hasHead) return true;
  const first = generations.nextKept(birth - 1);
  return first !== undefined && first < death;
}

function remove(
  batch: Batch,
  live: LiveFrames,
  tree: Tree,
  key: VersionedKey,
  before: readonly Placed[],
  after: readonly Placed[],
): void {
  const gone = before.filter((version) => !after.includes(version));
  if (key.kind === VersionedKind.chunk) {
    const named = new Set<number>();
    for (const { value } of after) for (const id of framesIn(value).keys()) named.add(id);
    const freed = new Map<number, Frame>();
    for (const { value } of gone)
      for (const [id, frame] of framesIn(value)) if (!frame.inherited && !named.has(id)) freed.set(id, frame);
    for (const frame of freed.values()) live.clear(batch, frame);
    accountVisit(batch, tree, before, after);
  }
  for (const { death } of gone) {
    if (death === NEVER) batch.delete(key.id, key.key);
    else batch.deleteHistory(tree, key, death);
  }
}

/**
 * One note in (p, n] is enough, where p and n are the kept generations around those that go: that of the death of
 * p's version, else of the birth of n's, so that the notes of a key are found by its versions; none when both show the
 * same version, or when nobody can ask.
 */
function shrinkNotes(
  batch: Batch,
  tree: Tree,
  key: VersionedKey,
  gap: Gap,
  all: readonly number[],
  after: readonly Placed[],
): void {
  const { next } = gap;
  const { hasHead } = batch.generations(tree);
  // The fork of a clone counts as a kept generation.
  const older = gap.older < 0 && tree.parent ? 0 : gap.older;
  const notes = all.filter((note) => note > older && note <= (next ?? NEVER));
  if (notes.length === 0) return;
  const olderVersion = older < 0 || (older === 0 && tree.parent) ? undefined : shownAt(after, older);
  const nextVersion =
    next === undefined ? after.find((version) => version.death === NEVER) : shownAt(after, next);
  const somebodyAsks = older >= 0 && (next !== undefined || hasHead);
  const stays =
    somebodyAsks && olderVersion !== nextVersion ? (olderVersion?.death ?? nextVersion?.birth) : undefined;
  if (stays !== undefined && !notes.includes(stays)) putNote(batch, tree, key, stays);
  for (const note of notes) if (note !== stays) deleteNote(batch, tree, key, note);
}

/** A tree that lost its head is never compared with what it was behind its last kept generation. */
function dropLateNotes(batch: Batch, tree: Tree, key: VersionedKey, notes: readonly number[]): void {
  const last = batch.generations(tree).lastKept(NEVER);
  for (const note of notes) if (note > last) deleteNote(batch, tree, key, note);
}

function shownAt(versions: readonly Placed[], generation: number): Placed | undefined {
  const version = versions.find(({ death }) => death > generation);
  return version && version.birth <= generation ? version : undefined;
}

/** A key is noted where a version of it was born or died. Ascending. */
function notesOf(
  batch: Batch,
  tree: Tree,
  key: VersionedKey,
  versions: readonly Placed[],
  noted: number | null,
): number[] {
  const generations = new Set(noted === null ? [] : [noted]);
  for (const { birth, death } of versions) {
    generations.add(birth);
    if (death < NEVER) generations.add(death);
  }
  return [...generations]
    .filter((generation) => {
      const note = noteKey(tree, key, generation);
      return batch.row(keyId(note), note) !== undefined;
    })
    .sort((one, other) => one - other);
}

function noteKey(tree: Tree, { kind, key }: VersionedKey, generation: number): Buffer {
  return keys.changed.key(tree.id, generation, kind, key.subarray(KEY_HEAD_BYTES));
}

function putNote(batch: Batch, tree: Tree, key: VersionedKey, generation: number): void {
  const note = noteKey(tree, key, generation);
  batch.put(keyId(note), note, CHANGED_VALUE);
}

function deleteNote(batch: Batch, tree: Tree, key: VersionedKey, generation: number): void {
  const note = noteKey(tree, key, generation);
  batch.delete(keyId(note), note);
}
