// Reads every row of the store once, in key order and as of one moment, and every live byte of the segments, and says
// what does not agree: entries with inodes, links with entries, sizes and counters with extents, extents with frames,
// frames with live bitmaps, and everything with its checksum.

import { keys } from '../../kv/keys.ts';
import type { MetaStore } from '../../kv/meta-store.ts';
import { SegmentReadError, type SegmentStore } from '../../kv/segment-store.ts';
import { decodeChunk } from '../chunk-codec.ts';
import { allocated, type ChunkMap, framesOf } from '../chunk-map.ts';
import { decodeBucket, encodeBucket } from '../directory-bucket.ts';
import { endOf, type Frame } from '../extent.ts';
import { FileType } from '../file-system.ts';
import { decodeForward } from '../forward-record.ts';
import { FRAME_HEADER_BYTES, verifyBlocks } from '../frame.ts';
import { FsError } from '../fs-error.ts';
import { decodeKept, decodeTree } from '../generation-records.ts';
import { decodeInode } from '../inode-codec.ts';
import { VersionedKind } from '../item.ts';
import { entryCookie, type NameCookie } from '../name-cookie.ts';
import { SegmentRecord } from '../segment-record.ts';
import { decodeStats } from '../stats-record.ts';
import { birthOf, DamageError, sealed, verify } from '../versioned-value.ts';
import type { Finding } from './finding.ts';
import { FrameFacts } from './frame-facts.ts';
import { InodeFacts, linkNumber, TreeFacts } from './inode-facts.ts';
import { treeFindings } from './tree-findings.ts';

export interface CheckedStore {
  readonly meta: MetaStore;
  readonly segments: SegmentStore;
  readonly cookieOf: NameCookie;
}

export interface CheckTotals {
  inodes: number;
  bytes: number;
}

const EVERYTHING = { gte: Buffer.alloc(1, 0), lt: Buffer.alloc(64, 0xff) };

type RowCheck = (key: Buffer, value: Buffer) => AsyncGenerator<Finding> | Generator<Finding> | undefined;

export class StoreCheck {
  readonly totals: CheckTotals = { inodes: 0, bytes: 0 };
  readonly trees = new Map<number, TreeFacts>();
  private readonly store: CheckedStore;
  private readonly frames = new FrameFacts();
  /** They come before the FORWARD rows that say where they are. */
  private readonly historyFrames: Frame[] = [];
  private readonly rowChecks: Readonly<Record<number, RowCheck>>;
  /** Trees that are being taken back: their rows go inode by inode, so nothing in them need agree. */
  private readonly dropped: ReadonlySet<number>;

  constructor(store: CheckedStore, dropped: ReadonlySet<number>) {
    this.store = store;
    this.dropped = dropped;
    this.rowChecks = {
      1: (key, value) => this.inode(key, value),
      2: (key, value) => this.entries(key, value),
      5: (key, value) => this.stats(key, value),
      7: (key) => this.tombstone(key),
      11: (_, value) => void decodeTree(value),
      12: (key, value) => this.history(key, value),
      15: (key, value) => this.segment(key, value),
      16: (key, value) => this.forward(key, value),
      17: (_, value) => void decodeKept(value),
      20: (key, value) => this.link(key, value),
      254: (key, value) => this.chunk(key, value),
    };
  }

  async *run(): AsyncGenerator<Finding> {
    for await (const [key, value] of this.store.meta.rows(EVERYTHING)) {
      try {
        const found = this.rowChecks[key[0]!]?.(key, value);
        if (found) yield* found;
      } catch (error) {
        if (!(error instanceof DamageError)) throw error;
        yield {
          kind: 'damaged',
          ...ownerOf(key),
          message: `${error.message} (key ${key.toString('hex')})`,
          repair: null,
        };
      }
    }
    for (const [id, tree] of this.trees)
      if (!this.dropped.has(id)) yield* treeFindings(this.store.meta, id, tree);
    for (const frame of this.historyFrames) this.frames.name(frame);
    yield* this.frames.findings(await this.store.segments.list());
  }

  private tree(id: number): TreeFacts {
    let tree = this.trees.get(id);
    if (!tree) {
      tree = new TreeFacts();
      this.trees.set(id, tree);
    }
    return tree;
  }

  private *inode(key: Buffer, value: Buffer): Generator<Finding> {
    const { tree: id, ino } = keys.inode.parse(key);
    const tree = this.tree(id);
    this.totals.inodes++;
    try {
      verify(value, `inode ${ino}`);
      const record = decodeInode(ino, value);
      tree.inodes.set(ino, new InodeFacts(record));
      if (record.dataId > 0) tree.owners.set(record.dataId, ino);
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      tree.inodes.set(ino, new InodeFacts(null));
      yield { kind: 'damaged', tree: id, ino, message: error.message, repair: null };
    }
  }

  private *entries(key: Buffer, value: Buffer): Generator<Finding> {
    const { tree: id, dir, cookieHigh, cookieLow } = keys.dirEntry.parse(key);
    const tree = this.tree(id);
    const directory = tree.inodes.get(dir);
    if (this.dropped.has(id)) return;
    verify(value, `entries of directory ${dir}`);
    const bucket = decodeBucket(value);
    const place = { high: cookieHigh, low: cookieLow };
    for (const { name, ino, type, index } of bucket) {
      const wanted = this.store.cookieOf(name);
      const node = tree.inodes.get(ino);
      const about = { tree: id, ino: dir, name };
      if (wanted.high !== cookieHigh || wanted.low !== cookieLow) {
        const message = `The entry ${String(name)} does not stand where its name belongs`;
        yield { kind: 'misplaced-entry', ...about, message, repair: null };
      }
      if (directory) directory.entries++;
      if (!node || (!node.isDamaged && node.type !== type)) {
        const rest = bucket.filter((other) => other.name !== name);
        const repaired = rest.length > 0 ? sealed(encodeBucket(rest), birthOf(value)) : null;
        const what = node
          ? `a ${typeName(type)} and is a ${typeName(node.type)}`
          : `inode ${ino}, which is not there`;
        const message = `The entry ${String(name)} leads to ${what}`;
        if (directory) directory.entries--;
        yield { kind: 'dangling-entry', ...about, message, repair: [{ key, value: repaired }] };
        continue;
      }
      node.names++;
      node.linksWanted += linkNumber(dir, entryCookie(place, index));
      if (directory && type === FileType.directory) directory.subdirectories++;
    }
    if (!directory) {
      const message = `Entries of directory ${dir}, which is not there`;
      yield { kind: 'dangling-entry', tree: id, ino: null, message, repair: [{ key, value: null }] };
    }
  }

  private stats(key: Buffer, value: Buffer): undefined {
    this.tree(keys.stats.parse(key).tree).stats = decodeStats(value);
  }

  private tombstone(key: Buffer): undefined {
    const { tree, dataId } = keys.tombstone.parse(key);
    this.tree(tree).tombstones.add(dataId);
  }

  private segment(key: Buffer, value: Buffer): undefined {
    this.frames.segments.set(keys.segment.parse(key).segment, SegmentRecord.decode(value));
  }

  private forward(key: Buffer, value: Buffer): undefined {
    const { segment, block } = keys.forward.parse(key);
    this.frames.addForward(segment, block, decodeForward(value));
  }

  private link(key: Buffer, value: Buffer): undefined {
    verify(value, 'a parent link');
    const { tree, ino, parent, cookieHigh, cookieLow } = keys.link.parse(key);
    const node = this.tree(tree).inodes.get(ino);
    if (!node) return;
    node.links++;
    node.linksKept += linkNumber(parent, { high: cookieHigh, low: cookieLow });
  }

  /** Frames that perhaps only kept generations show. */
  private history(key: Buffer, value: Buffer): undefined {
    verify(value, 'an older version');
    const { kind } = keys.history.parse(key);
    if (kind === VersionedKind.chunk) this.historyFrames.push(...framesOf(decodeChunk(value)).values());
  }

  private async *chunk(key: Buffer, value: Buffer): AsyncGenerator<Finding> {
    const { tree: id, dataId, window } = keys.chunk.parse(key);
    const tree = this.tree(id);
    const ino = tree.owners.get(dataId) ?? null;
    const map = this.decodedChunk(value, dataId, window);
    for (const frame of framesOf(map).values()) {
      const place = this.frames.name(frame);
      const problem = await this.readFrame(place, frame);
      if (problem) yield { kind: 'damaged-data', tree: id, ino, message: problem, repair: null };
    }
    if (this.dropped.has(id)) return;
    const owner = ino === null ? undefined : tree.inodes.get(ino);
    if (!owner) {
      if (tree.tombstones.has(dataId)) return;
      const message = `Data ${dataId} belongs to no file`;
      yield { kind: 'stray-data', tree: id, ino: null, message, repair: [{ key, value: null }] };
      return;
    }
    owner.chunkBytes += allocated(map);
    this.totals.bytes += allocated(map);
    const last = map.at(-1);
    const end = window * owner.windowBytes + (last ? endOf(last) : 0);
    if (end > owner.size) {
      const message = `Data reaches to byte ${end} of a file of ${owner.size} bytes`;
      yield { kind: 'inode', tree: id, ino, message, repair: null };
    }
  }

  private decodedChunk(value: Buffer, dataId: number, window: number): ChunkMap {
    verify(value, `the map of window ${window} of data ${dataId}`);
    return decodeChunk(value);
  }

  /** What is wrong with a frame's bytes. */
  private async readFrame(
    { segment, at }: { readonly segment: number; readonly at: number },
    frame: Frame,
  ): Promise<string | undefined> {
    try {
      const bytes = await this.store.segments.read(segment, at + FRAME_HEADER_BYTES, frame.storedBytes);
      verifyBlocks(bytes, 0, frame.checksums, `frame ${frame.index} of segment ${frame.segment}`);
      return undefined;
    } catch (error) {
      if (error instanceof DamageError || error instanceof SegmentReadError || error instanceof FsError)
        return error.message;
      throw error;
    }
  }
}

/** Whom a damaged row belongs to, as far as its key says. */
function ownerOf(key: Buffer): { readonly tree: number | null; readonly ino: number | null } {
  if (key[0] === VersionedKind.entry) {
    const { tree, dir } = keys.dirEntry.parse(key);
    return { tree, ino: dir };
  }
  return { tree: null, ino: null };
}

function typeName(type: number): string {
  return (
    Object.entries(FileType).find(([, number]) => number === type)?.[0] ?? `node of unknown type ${type}`
  );
}
