// Keys in words, for whoever has to know what a damaged stretch of the database held.

import { keys } from '../../kv/keys.ts';

const FAMILIES: Readonly<Record<number, string>> = {
  1: 'inodes',
  2: 'directory entries',
  5: 'counters',
  6: 'system rows',
  7: 'data to reclaim',
  8: 'datasets',
  9: 'names of datasets',
  11: 'trees',
  12: 'older versions',
  13: 'notes of changes',
  15: 'segments',
  16: 'places of moved frames',
  17: 'kept generations',
  18: 'kept replies',
  19: 'jobs',
  20: 'parent links',
  254: 'maps of file data',
};
const INODE = 0x01;
const ENTRY = 0x02;
const KEY_BYTES = { [INODE]: 13, [ENTRY]: 21 } as const;

/** Keys behind `after` and up to `upTo`, which may be longer than any key there is: a separator. */
export function describeKeys(after: Buffer | undefined, upTo: Buffer): string {
  const from = after ? text(after) : 'the beginning';
  return `what is hurt lies behind ${from} and up to ${text(upTo)}`;
}

/** The inode at the end of the stretch, when its family tells one. */
export function ownerOfKey(key: Buffer | undefined): {
  readonly tree: number | null;
  readonly ino: number | null;
} {
  if (key?.[0] === INODE && key.length === KEY_BYTES[INODE]) {
    const { tree, ino } = keys.inode.parse(key);
    return { tree, ino };
  }
  if (key?.[0] === ENTRY && key.length === KEY_BYTES[ENTRY]) {
    const { tree, dir } = keys.dirEntry.parse(key);
    return { tree, ino: dir };
  }
  return { tree: null, ino: null };
}

function text(key: Buffer): string {
  return `${FAMILIES[key[0] ?? 0] ?? 'unknown keys'} ${key.subarray(1).toString('hex')}`;
}
