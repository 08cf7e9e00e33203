// Where an inode has its names. The first four stand in its record; those beyond are LINK rows, one each. When one of
// the four goes, none moves up: the next new name takes the place.

import { type InodeRecord, PARENTS_MAX, type ParentLink } from '../inode-record.ts';
import type { NameEntry } from '../tree.ts';
import type { Turn } from '../turn.ts';

/** The link back from what an entry names to the entry. */
export function parentLink(directory: number, { cookieHigh, cookieLow }: NameEntry): ParentLink {
  return { ino: directory, cookieHigh, cookieLow };
}

/** The parents in the record when `link` is added; a LINK row when they are full. */
export function addParent(
  turn: Turn,
  { ino, parents }: InodeRecord,
  link: ParentLink,
): readonly ParentLink[] {
  if (parents.length < PARENTS_MAX) return [...parents, link];
  putRow(turn, ino, link, true);
  return parents;
}

/** The parents in the record when `link` is taken away. */
export function removeParent(
  turn: Turn,
  { ino, parents }: InodeRecord,
  link: ParentLink,
): readonly ParentLink[] {
  const kept = parents.filter((parent) => !isSame(parent, link));
  if (kept.length < parents.length) return kept;
  putRow(turn, ino, link, false);
  return parents;
}

/** The parents in the record when a name moves; the link stays where it was, in the record or in a row. */
export function moveParent(
  turn: Turn,
  { ino, parents }: InodeRecord,
  source: ParentLink,
  target: ParentLink,
): readonly ParentLink[] {
  if (parents.some((parent) => isSame(parent, source))) {
    return parents.map((parent) => (isSame(parent, source) ? target : parent));
  }
  if (isSame(source, target)) return parents;
  putRow(turn, ino, source, false);
  putRow(turn, ino, target, true);
  return parents;
}

function putRow(turn: Turn, ino: number, link: ParentLink, present: boolean): void {
  turn.putLink(ino, link.ino, { high: link.cookieHigh, low: link.cookieLow }, present);
}

function isSame(one: ParentLink, other: ParentLink): boolean {
  return one.ino === other.ino && one.cookieHigh === other.cookieHigh && one.cookieLow === other.cookieLow;
}
