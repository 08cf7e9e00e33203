// What a comparison must tell, found the long way: from everything that two file systems show.

import { ATTRIBUTES, type Change } from '../../../src/snapshots/diff/change.ts';
import type { Seen, Walk } from '../../fs/views/walk.ts';

const ROOT_INO = 1;

/** All that was told of one inode. Which of several old names goes with which new one is nobody's business. */
export interface Told {
  /** Paths in the first and in the second, of names that only one of them has. */
  readonly gone: readonly string[];
  readonly come: readonly string[];
  readonly renamed: number;
  readonly data: boolean;
  readonly attributes: readonly string[];
  readonly links: string;
  /** Told as modified, under any of its names. */
  readonly modified: boolean;
}

interface Inode extends Seen {
  /** By directory and name. */
  readonly names: Map<string, string>;
}

export function expectedChanges(before: Walk, after: Walk): Map<string, Told> {
  const [from, to] = [inodesOf(before), inodesOf(after)];
  const told = new Map<string, Told>();
  for (const id of new Set([...from.keys(), ...to.keys()])) {
    const change = expectedOf(from.get(id), to.get(id));
    if (change) told.set(id, change);
  }
  return told;
}

/** By inode, as {@link expectedChanges}. */
export function asTold(changes: readonly Change[], before: Walk, after: Walk): Map<string, Told> {
  const told = new Map<string, Told>();
  for (const change of changes) {
    const path = change.path.toString();
    const seen = (change.kind === 'removed' ? before : after).get(path === '/' ? '' : path);
    if (!seen) throw new Error(`${change.kind} ${path} is not there`);
    const id = idOf(seen);
    const known = told.get(id) ?? NOTHING_TOLD;
    const { kind, data, attributes, links, from } = change;
    const gone = kind === 'removed' ? path : from?.toString();
    told.set(id, {
      gone: gone === undefined ? known.gone : [...known.gone, gone].sort(),
      come: kind === 'added' || kind === 'renamed' ? [...known.come, path].sort() : known.come,
      renamed: known.renamed + (kind === 'renamed' ? 1 : 0),
      data: known.data || data,
      attributes: [...known.attributes, ...attributes],
      links: links ? `${links.before} to ${links.after}` : known.links,
      modified: known.modified || kind === 'modified',
    });
  }
  return told;
}

const NOTHING_TOLD: Told = {
  gone: [],
  come: [],
  renamed: 0,
  data: false,
  attributes: [],
  links: '',
  modified: false,
};

function expectedOf(before: Inode | undefined, after: Inode | undefined): Told | undefined {
  if (!before) return { ...NOTHING_TOLD, come: [...after!.names.values()].sort() };
  if (!after) return { ...NOTHING_TOLD, gone: [...before.names.values()].sort() };
  const only = (one: Inode, other: Inode) =>
    [...one.names].flatMap(([name, path]) => (other.names.has(name) ? [] : path)).sort();
  const [gone, come] = [only(before, after), only(after, before)];
  const renamed = Math.min(gone.length, come.length);
  const [old, now] = [before.attributes, after.attributes];
  const attributes = ATTRIBUTES.filter((name) => !sameAttribute(name, old, now));
  const data = !sameData(before, after);
  const links = old.nlink === now.nlink ? '' : `${old.nlink} to ${now.nlink}`;
  const details = { data, attributes, links };
  if (renamed > 0) return { ...NOTHING_TOLD, gone, come, renamed, ...details };
  const names = gone.length + come.length > 0;
  const modified = data || attributes.some((name) => name !== 'ctime' || !names) || (links !== '' && !names);
  if (!names && !modified) return undefined;
  return {
    ...NOTHING_TOLD,
    gone,
    come,
    links,
    ...(modified && { data, attributes, modified: true }),
  };
}

function sameAttribute(name: string, old: object, now: object): boolean {
  const fields = Object.keys(old).filter(
    (field) => field === name || field.startsWith(`${name}S`) || field.startsWith(`${name}N`),
  );
  return fields.every((field) => Reflect.get(old, field) === Reflect.get(now, field));
}

function sameData(before: Inode, after: Inode): boolean {
  const [one, other] = [before, after].map(({ attributes, blocks, entries }: Inode & { entries?: string }) =>
    JSON.stringify({ size: attributes.type === 1 ? attributes.size : 0, blocks, entries }),
  );
  return one === other;
}

function inodesOf(walk: Walk): Map<string, Inode> {
  const inodes = new Map<string, Inode & { entries: string }>();
  for (const [path, seen] of walk) {
    const id = idOf(seen);
    const inode = inodes.get(id) ?? {
      ...seen,
      names: new Map<string, string>(),
      entries: entriesOf(walk, path, seen),
    };
    inodes.set(id, inode);
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? undefined : walk.get(path.slice(0, slash));
    inode.names.set(parent ? `${idOf(parent)}/${path.slice(slash + 1)}` : '', path);
  }
  return inodes;
}

function entriesOf(walk: Walk, path: string, { attributes }: Seen): string {
  if (attributes.type !== 2) return '';
  const inside = [...walk].filter(
    ([other]) => other.startsWith(`${path}/`) && !other.slice(path.length + 1).includes('/'),
  );
  return inside
    .map(([other, seen]) => `${other.slice(path.length)}=${seen.attributes.ino}`)
    .sort()
    .join();
}

function idOf({ attributes: { ino, generation } }: Seen): string {
  return ino === ROOT_INO ? 'root' : `${ino}/${generation}`;
}
