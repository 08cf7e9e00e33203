import { describe, expect, it } from 'vitest';
import { FileType } from '../../src/fs/file-system.ts';
import { type InodeRecord, inodeRecord } from '../../src/fs/inode-record.ts';
import { nameEntry, nameKey } from '../../src/fs/records.ts';
import { INODE_BYTES, NAME_BYTES, Tree, treeCaches } from '../../src/fs/tree.ts';

const ORDINARY = 200;

function newTree(): Tree {
  const caches = treeCaches({ inodes: ORDINARY, names: ORDINARY, chunkBytes: 1 });
  return new Tree({ id: 1, parent: null, generations: { current: 1, kept: [] } as never }, caches);
}

function inode(ino: number, parts: Partial<InodeRecord> = {}): InodeRecord {
  const none = { parents: [], verifier: null, target: null, tail: null };
  return inodeRecord({ ino, type: FileType.file, ...none, ...parts } as unknown as InodeRecord);
}

describe('the cache of inodes', () => {
  it('holds at least half as many ordinary ones as it is said to, and at most all', () => {
    const { inodes } = newTree();
    for (let ino = 1; ino <= 1000; ino++) inodes.set(ino, inode(ino, { verifier: Buffer.alloc(8) }));
    let held = 0;
    for (let ino = 1000; ino > 0; ino--) if (inodes.get(ino)) held++;
    expect(held).toBeGreaterThanOrEqual(ORDINARY / 2);
    expect(held).toBeLessThanOrEqual(ORDINARY);
  });

  it.each(['target', 'tail'])('counts the bytes of a %s', (part) => {
    const { inodes } = newTree();
    const data = Buffer.alloc(4095);
    for (let ino = 1; ino <= 1000; ino++) inodes.set(ino, inode(ino, { [part]: data }));
    let held = 0;
    for (let ino = 1000; ino > 0; ino--) if (inodes.get(ino)) held += INODE_BYTES + data.length;
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThanOrEqual(ORDINARY * INODE_BYTES);
  });
});

describe('the cache of names', () => {
  const key = (number: number, length: number) => nameKey(1, Buffer.from(`${number}`.padStart(length, 'n')));
  const held = (length: number): number => {
    const { names } = newTree();
    const entry = nameEntry({ high: 1, low: 1 }, 0, 2, FileType.file);
    for (let number = 0; number < 1000; number++) names.set(key(number, length), entry);
    let count = 0;
    for (let number = 999; number >= 0; number--) if (names.get(key(number, length))) count++;
    return count;
  };

  it('holds as many ordinary ones before and after, and fewer long ones', () => {
    expect(held(12)).toBeGreaterThanOrEqual(ORDINARY / 2);
    expect(held(12)).toBeLessThanOrEqual(ORDINARY);
    const longBytes = NAME_BYTES + 200;
    expect(held(255)).toBeGreaterThan(0);
    expect(held(255) * longBytes).toBeLessThanOrEqual((ORDINARY / 2) * NAME_BYTES + longBytes);
  });
});
