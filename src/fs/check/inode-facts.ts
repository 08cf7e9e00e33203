// What the rows of a tree say about each inode, gathered in one pass in key order: inodes, entries, links, chunks.
// About 150 bytes an inode.

import type { Cookie } from '../file-system.ts';
import { FileType } from '../file-system.ts';
import type { InodeRecord } from '../inode-record.ts';

const PRIME = 1_000_003;
const MODULUS = 2 ** 32;

/** A number for one parent link, so that sums tell whether two sets of links are the same. */
export function linkNumber(parent: number, { high, low }: Cookie): number {
  return (((((parent % MODULUS) * PRIME) % MODULUS) ^ Math.imul(high, 31)) + Math.imul(low, 17)) >>> 0;
}

export class InodeFacts {
  readonly type: number;
  readonly nlink: number;
  readonly entryCount: number;
  readonly size: number;
  readonly allocated: number;
  readonly dataId: number;
  readonly windowBytes: number;
  /** The directory of its first name; 0 of the root. */
  readonly parent: number;
  readonly isDamaged: boolean;
  /** Of the entries that name it. */
  names = 0;
  linksWanted = 0;
  /** Of the links that it keeps. */
  linksKept: number;
  links: number;
  /** Of a directory. */
  entries = 0;
  subdirectories = 0;
  chunkBytes = 0;

  /** Null: the record is there but cannot be read. */
  constructor(record: InodeRecord | null) {
    this.isDamaged = record === null;
    this.type = record?.type ?? 0;
    this.nlink = record?.nlink ?? 0;
    this.entryCount = record?.entryCount ?? 0;
    this.size = record?.size ?? 0;
    this.allocated = record?.allocated ?? 0;
    this.dataId = record?.dataId ?? 0;
    this.parent = record?.parents[0]?.ino ?? 0;
    this.windowBytes = 2 ** (record?.windowLog2 ?? 20);
    this.links = record?.parents.length ?? 0;
    this.linksKept = 0;
    for (const { ino, cookieHigh, cookieLow } of record?.parents ?? []) {
      this.linksKept += linkNumber(ino, { high: cookieHigh, low: cookieLow });
    }
  }

  get isDirectory(): boolean {
    return this.type === FileType.directory;
  }

  /** What nlink has to be. */
  get nlinkWanted(): number {
    return this.isDirectory ? 2 + this.subdirectories : this.names;
  }
}

/** One tree as far as the pass has come. */
export class TreeFacts {
  readonly inodes = new Map<number, InodeFacts>();
  /** By data id. */
  readonly owners = new Map<number, number>();
  readonly tombstones = new Set<number>();
  stats: { readonly usedBytes: number; readonly usedInodes: number } | undefined;
}
