// A kept generation as its rows show it: the live version where it was born by then, else the first HISTORY version
// that died later, if that was. (DESIGN 3.2, "Read at g"; without parent trees.)

import { decodeChunk } from '../../../src/fs/chunk-codec.ts';
import { plan } from '../../../src/fs/chunk-map.ts';
import { decodeBucket } from '../../../src/fs/directory-bucket.ts';
import { FileType } from '../../../src/fs/file-system.ts';
import { decodeInode } from '../../../src/fs/inode-codec.ts';
import type { InodeRecord } from '../../../src/fs/inode-record.ts';
import { VersionedKind } from '../../../src/fs/item.ts';
import { birthOf, verify } from '../../../src/fs/versioned-value.ts';
import { keys } from '../../../src/kv/keys.ts';
import type { CrashingMetaStore } from '../../kv/crashing-meta-store.ts';
import type { Product } from './product.ts';
import type { Process } from './world.ts';

const KEY_HEAD_BYTES = 5;
const ALL = 1_000_000;

export interface ViewedEntry {
  readonly directory: number;
  readonly name: string;
  readonly ino: number;
  readonly type: number;
}

export class GenerationView {
  readonly generation: number;
  private readonly process: Process;
  private readonly meta: CrashingMetaStore;
  private readonly product: Product;

  constructor(product: Product, process: Process, meta: CrashingMetaStore, generation: number) {
    this.product = product;
    this.process = process;
    this.meta = meta;
    this.generation = generation;
  }

  async inode(ino: number): Promise<InodeRecord | undefined> {
    const value = await this.version(VersionedKind.inode, keys.inode.key(this.process.tree.id, ino));
    return value && decodeInode(ino, value);
  }

  /** Every entry of every directory. */
  async entries(): Promise<ViewedEntry[]> {
    const { id } = this.process.tree;
    // What a batch moves to HISTORY between the two scans is in both.
    const live = await this.meta.page(keys.dirEntry.range(id), ALL);
    const history = await this.meta.page(keys.history.range(id, VersionedKind.entry), ALL);
    const found = new Map<string, Buffer>();
    for (const [key] of live) found.set(key.toString('latin1'), key);
    for (const [key] of history) {
      const { rest } = keys.history.parse(key);
      const entry = Buffer.concat([keys.dirEntry.range(id).gte, rest]);
      found.set(entry.toString('latin1'), entry);
    }
    const entries: ViewedEntry[] = [];
    for (const key of found.values()) {
      const value = await this.version(VersionedKind.entry, key);
      const { dir: directory } = keys.dirEntry.parse(key);
      for (const { name, ino, type } of value ? decodeBucket(value) : [])
        entries.push({ directory, name: name.toString(), ino, type });
    }
    return entries;
  }

  /** Bytes of a file, holes as zeros. */
  async read(record: InodeRecord, from: number, to: number): Promise<Buffer> {
    const windowBytes = 2 ** record.windowLog2;
    const parts: Buffer[] = [];
    for (let at = from; at < to; ) {
      const window = Math.floor(at / windowBytes);
      const start = window * windowBytes;
      const end = Math.min(to, start + windowBytes);
      const key = keys.chunk.key(this.process.tree.id, record.dataId, window);
      const value = record.dataId > 0 ? await this.version(VersionedKind.chunk, key) : undefined;
      for (const step of plan(value ? decodeChunk(value) : [], at - start, end - start)) {
        if (step.data) parts.push(step.data);
        else if (!step.frame) parts.push(Buffer.alloc(step.length));
        else {
          const { attempt, extentReader } = this.product;
          parts.push(...(await attempt.attempt(() => extentReader.readExtents(this.process.store, [step]))));
        }
      }
      at = end;
    }
    return Buffer.concat(parts);
  }

  /** What the inodes of the view count, for the counters of its KEPT row. */
  async usage(): Promise<{ usedBytes: number; usedInodes: number }> {
    const inos = new Set((await this.entries()).map(({ ino }) => ino));
    let usedBytes = 0;
    for (const ino of inos) usedBytes += (await this.inode(ino))?.allocated ?? 0;
    return { usedBytes, usedInodes: inos.size + 1 };
  }

  private async version(kind: VersionedKind, key: Buffer): Promise<Buffer | undefined> {
    const live = this.meta.get(key);
    if (live && birthOf(live) <= this.generation) return checked(live);
    const { id } = this.process.tree;
    const range = keys.history.range(id, kind, key.subarray(KEY_HEAD_BYTES));
    const died = {
      gte: keys.history.key(id, kind, key.subarray(KEY_HEAD_BYTES), this.generation + 1),
      lt: range.lt,
    };
    const [row] = await this.meta.page(died, 1);
    return row && birthOf(row[1]) <= this.generation ? checked(row[1]) : undefined;
  }
}

function checked(value: Buffer): Buffer {
  verify(value, 'a version');
  return value;
}

export const isFile = ({ type }: { readonly type: number }) => type === FileType.file;
