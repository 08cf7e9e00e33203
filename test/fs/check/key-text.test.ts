import { describe, expect, it } from 'vitest';
import { describeKeys, ownerOfKeys } from '../../../src/fs/check/key-text.ts';
import { keys } from '../../../src/kv/keys.ts';

describe('a damaged stretch of keys', () => {
  const inode = (tree: number, ino: number) => keys.inode.key(tree, ino);

  it('is told by its two ends, also where a separator is shorter than a key', () => {
    const upTo = keys.chunk.key(3, 9, 4).subarray(0, 13);
    expect(describeKeys(inode(3, 12), upTo)).toBe(
      'what is hurt lies behind inode 12 of tree 3 and up to maps of data 9 of tree 3',
    );
    expect(describeKeys(undefined, Buffer.of(2))).toMatch(
      /the beginning .* entries of directory 0 of tree 0$/,
    );
    expect(describeKeys(undefined, Buffer.of(6, 0x61))).toMatch(/system rows 61$/);
    expect(describeKeys(undefined, Buffer.alloc(30, 0xff))).toMatch(/unknown keys/);
  });

  it('belongs to an inode, or to a tree, when both ends do', () => {
    const entry = (dir: number, cookie: number) => keys.dirEntry.key(3, dir, cookie, 0);
    expect(ownerOfKeys(entry(12, 1), entry(12, 99))).toEqual({ tree: 3, ino: 12 });
    expect(ownerOfKeys(entry(12, 1), entry(13, 0))).toEqual({ tree: 3, ino: null });
    expect(ownerOfKeys(inode(3, 1), entry(12, 1))).toEqual({ tree: null, ino: null });
    expect(ownerOfKeys(inode(3, 1), inode(4, 1))).toEqual({ tree: null, ino: null });
    expect(ownerOfKeys(undefined, inode(4, 1))).toEqual({ tree: null, ino: null });
  });

  it('of maps belongs to a tree at most, for the number in them is no inode', () => {
    expect(ownerOfKeys(keys.chunk.key(3, 9, 1), keys.chunk.key(3, 9, 5))).toEqual({ tree: 3, ino: null });
  });
});
