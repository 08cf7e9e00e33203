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
/** Families whose keys begin with a tree, and with a number in it where that is shown. */
const NUMBERED: Readonly<Record<number, string>> = {
  1: 'inode',
  2: 'entries of directory',
  20: 'parent links of inode',
  254: 'maps of data',
};
const TREE_END = 5;
const NUMBER_END = 13;
/** Of these the number is an inode's. */
const OF_INODES = [1, 2, 20];

/** Keys behind `after` and up to `upTo`, which may be shorter or longer than any key there is: a separator. */
export function describeKeys(after: Buffer | undefined, upTo: Buffer): string {
  const from = after ? text(after) : 'the beginning';
  return `what is hurt lies behind ${from} and up to ${text(upTo)}`;
}

/** Whose all keys of the stretch are, as far as its two ends tell. */
export function ownerOfKeys(
  after: Buffer | undefined,
  upTo: Buffer | undefined,
): { readonly tree: number | null; readonly ino: number | null } {
  const isNumbered = upTo !== undefined && NUMBERED[upTo[0] ?? 0] !== undefined;
  if (!after || !isNumbered || !isSame(after, upTo, TREE_END)) return { tree: null, ino: null };
  const { tree, ino } = keys.inode.parse(padded(upTo));
  return { tree, ino: OF_INODES.includes(upTo[0]!) && isSame(after, upTo, NUMBER_END) ? ino : null };
}

function text(key: Buffer): string {
  const numbered = NUMBERED[key[0] ?? 0];
  if (!numbered) return `${FAMILIES[key[0] ?? 0] ?? 'unknown keys'} ${key.subarray(1).toString('hex')}`;
  const { tree, ino: number } = keys.inode.parse(padded(key));
  return `${numbered} ${number} of tree ${tree}`;
}

/** As the key of an inode: those families begin alike. A separator may end anywhere and hold any number. */
function padded(key: Buffer): Buffer {
  const inode = Buffer.alloc(NUMBER_END);
  key.copy(inode);
  inode[0] = keys.inode.prefix;
  // No number that is stored has more than 53 bits.
  inode.writeUInt16BE(inode.readUInt16BE(TREE_END) & 0x1f, TREE_END);
  return inode;
}

function isSame(a: Buffer, b: Buffer, bytes: number): boolean {
  return a.length >= bytes && b.length >= bytes && a.compare(b, 0, bytes, 0, bytes) === 0;
}
