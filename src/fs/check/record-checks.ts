// The rows of one head, in key order and family by family (inodes, entries, links, maps): each against what came before
// it. What they say together is in TreeFacts.

import { keys } from '../../kv/keys.ts';
import { decodeChunk } from '../chunk-codec.ts';
import { allocated, type ChunkMap } from '../chunk-map.ts';
import { decodeBucket, encodeBucket } from '../directory-bucket.ts';
import { endOf } from '../extent.ts';
import { FileType } from '../file-system.ts';
import { decodeInode } from '../inode-codec.ts';
import { VersionedKind } from '../item.ts';
import { entryCookie, type NameCookie } from '../name-cookie.ts';
import { birthOf, DamageError, isWhiteout, sealed, verify } from '../versioned-value.ts';
import type { Finding } from './finding.ts';
import { InodeFacts, linkNumber, TreeFacts } from './inode-facts.ts';

export interface CheckTotals {
  inodes: number;
  bytes: number;
}

export class RecordChecks {
  readonly totals: CheckTotals = { inodes: 0, bytes: 0 };
  readonly trees = new Map<number, TreeFacts>();
  private readonly cookieOf: NameCookie;

  constructor(cookieOf: NameCookie) {
    this.cookieOf = cookieOf;
  }

  tree(id: number): TreeFacts {
    let tree = this.trees.get(id);
    if (!tree) {
      tree = new TreeFacts();
      this.trees.set(id, tree);
    }
    return tree;
  }

  *inode(key: Buffer, value: Buffer): Generator<Finding> {
    const { tree: id, ino } = keys.inode.parse(key);
    const tree = this.tree(id);
    try {
      verify(value, `inode ${ino}`);
      if (isWhiteout(value)) return;
      this.totals.inodes++;
      const record = decodeInode(ino, value);
      tree.inodes.set(ino, new InodeFacts(record));
      if (record.dataId > 0) tree.owners.set(record.dataId, ino);
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      this.totals.inodes++;
      tree.inodes.set(ino, new InodeFacts(null));
      yield { kind: 'damaged', tree: id, ino, message: error.message, repair: null };
    }
  }

  *entries(key: Buffer, value: Buffer): Generator<Finding> {
    const { tree: id, dir, cookieHigh, cookieLow } = keys.dirEntry.parse(key);
    const tree = this.tree(id);
    const directory = tree.inodes.get(dir);
    verify(value, `entries of directory ${dir}`);
    if (isWhiteout(value)) return;
    if (!directory) {
      // Names there lead nobody anywhere: what has no other one is an orphan.
      const message = `Entries of directory ${dir}, which is not there`;
      const removal = { tree: id, kind: VersionedKind.entry, key };
      yield { kind: 'dangling-entry', tree: id, ino: null, message, repair: null, removal };
      return;
    }
    const bucket = decodeBucket(value);
    const place = { high: cookieHigh, low: cookieLow };
    for (const { name, ino, type, index } of bucket) {
      const wanted = this.cookieOf(name);
      const node = tree.inodes.get(ino);
      const about = { tree: id, ino: dir, name };
      if (wanted.high !== cookieHigh || wanted.low !== cookieLow) {
        const message = `The entry ${String(name)} does not stand where its name belongs`;
        yield { kind: 'misplaced-entry', ...about, message, repair: null };
      }
      directory.entries++;
      if (!node || (!node.isDamaged && node.type !== type)) {
        const rest = bucket.filter((other) => other.name !== name);
        const repaired = rest.length > 0 ? sealed(encodeBucket(rest), birthOf(value)) : null;
        const what = node
          ? `a ${typeName(type)} and is a ${typeName(node.type)}`
          : `inode ${ino}, which is not there`;
        const message = `The entry ${String(name)} leads to ${what}`;
        directory.entries--;
        yield { kind: 'dangling-entry', ...about, message, repair: [{ key, value: repaired }] };
        continue;
      }
      node.names++;
      node.linksWanted += linkNumber(dir, entryCookie(place, index));
      if (type === FileType.directory) directory.subdirectories++;
    }
  }

  link(key: Buffer, value: Buffer): undefined {
    verify(value, 'a parent link');
    if (isWhiteout(value)) return undefined;
    const { tree, ino, parent, cookieHigh, cookieLow } = keys.link.parse(key);
    const node = this.tree(tree).inodes.get(ino);
    if (!node) return undefined;
    node.links++;
    node.linksKept += linkNumber(parent, { high: cookieHigh, low: cookieLow });
    return undefined;
  }

  *chunk(key: Buffer, value: Buffer): Generator<Finding> {
    const { tree: id, dataId, window } = keys.chunk.parse(key);
    const tree = this.tree(id);
    const map = decodedChunk(key, value);
    const ino = tree.owners.get(dataId);
    const owner = ino === undefined ? undefined : tree.inodes.get(ino);
    if (ino === undefined || !owner) {
      if (map.length === 0 || tree.tombstones.has(dataId)) return;
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
}

/** Of a whiteout an empty map. @throws DamageError */
export function decodedChunk(key: Buffer, value: Buffer): ChunkMap {
  const { dataId, window } = keys.chunk.parse(key);
  verify(value, `the map of window ${window} of data ${dataId}`);
  return isWhiteout(value) ? [] : decodeChunk(value);
}

function typeName(type: number): string {
  return (
    Object.entries(FileType).find(([, number]) => number === type)?.[0] ?? `node of unknown type ${type}`
  );
}
