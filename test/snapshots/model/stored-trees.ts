// The trees of a store as its rows have them, in memory: every version of every key, and what shows at a generation.

import { decodeKept, decodeTree } from '../../../src/fs/generation-records.ts';
import { isDrained } from '../../../src/fs/tombstone.ts';
import type { ParentTree } from '../../../src/fs/tree.ts';
import { birthOf, isWhiteout } from '../../../src/fs/versioned-value.ts';
import { keys, versioned } from '../../../src/kv/keys.ts';
import type { Row } from '../../../src/kv/meta-store.ts';

const NEVER = Number.POSITIVE_INFINITY;
const VERSIONED = new Set([0x01, 0x02, 0x14, 0xfe]);

export interface Version {
  readonly birth: number;
  readonly death: number;
  readonly value: Buffer;
  readonly isWhiteout: boolean;
}

interface Tombstone {
  readonly dataId: number;
  readonly death: number;
  readonly drained: boolean;
}

export class StoredTree {
  readonly id: number;
  readonly parent: ParentTree | null;
  readonly hasHead: boolean;
  /** Ascending. */
  readonly kept: number[] = [];
  /** By key without the tree, in hex; the oldest first. */
  readonly versions = new Map<string, Version[]>();
  /** The generations in which a key is noted. */
  readonly notes = new Map<string, Set<number>>();
  readonly tombstones: Tombstone[] = [];

  constructor(id: number, parent: ParentTree | null, hasHead: boolean) {
    this.id = id;
    this.parent = parent;
    this.hasHead = hasHead;
  }

  /** The tree's own version that shows at a generation. */
  readonly shown = (key: string, at: number): Version | undefined => {
    const version = this.versions.get(key)?.find(({ death }) => death > at || death === NEVER);
    return version && version.birth <= at ? version : undefined;
  };

  /** Of this tree and of those it shows through to. */
  everythingAt(trees: ReadonlyMap<number, StoredTree>, at: number): Map<string, Buffer> {
    const above = this.parent && trees.get(this.parent.tree);
    const everything = above ? above.everythingAt(trees, this.parent.generation) : new Map<string, Buffer>();
    for (const key of this.versions.keys()) {
      const version = this.shown(key, at);
      if (version?.isWhiteout) everything.delete(key);
      else if (version) everything.set(key, version.value);
    }
    return everything;
  }
}

/** @param heads the trees that are heads of datasets */
export function storedTrees(rows: readonly Row[], heads: ReadonlySet<number>): Map<number, StoredTree> {
  const trees = new Map<number, StoredTree>();
  for (const [key, value] of rows) {
    if (key[0] !== 0x0b) continue;
    const { tree: id } = keys.tree.parse(key);
    trees.set(id, new StoredTree(id, decodeTree(value).parent, heads.has(id)));
  }
  for (const [key, value] of rows) addRow(trees, key, value);
  for (const { versions } of trees.values())
    for (const lives of versions.values()) lives.sort((one, other) => one.death - other.death);
  return trees;
}

function addRow(trees: ReadonlyMap<number, StoredTree>, key: Buffer, value: Buffer): void {
  const kind = key[0]!;
  if (VERSIONED.has(kind)) {
    const { tree, rest } = versioned.parse(key);
    addVersion(trees, tree, kind, rest, NEVER, value);
  }
  if (kind === 0x0c) {
    const { tree, kind: of, rest, death } = keys.history.parse(key);
    addVersion(trees, tree, of, rest, death, value);
  }
  if (kind === 0x0d) {
    const { tree, generation, kind: of, rest } = keys.changed.parse(key);
    const notes = treeOf(trees, tree, key).notes;
    const name = nameOf(of, rest);
    notes.set(name, (notes.get(name) ?? new Set()).add(generation));
  }
  if (kind === 0x07) {
    const { tree, dataId, death } = keys.tombstone.parse(key);
    treeOf(trees, tree, key).tombstones.push({ dataId, death, drained: isDrained(value) });
  }
  if (kind === 0x11 && decodeKept(value).holders.length > 0) {
    const { tree, generation } = keys.kept.parse(key);
    treeOf(trees, tree, key).kept.push(generation);
  }
}

function addVersion(
  trees: ReadonlyMap<number, StoredTree>,
  tree: number,
  kind: number,
  rest: Buffer,
  death: number,
  value: Buffer,
): void {
  const { versions } = treeOf(trees, tree, rest);
  const name = nameOf(kind, rest);
  const version = { birth: birthOf(value), death, value, isWhiteout: isWhiteout(value) };
  versions.set(name, [...(versions.get(name) ?? []), version]);
}

function treeOf(trees: ReadonlyMap<number, StoredTree>, id: number, key: Buffer): StoredTree {
  const tree = trees.get(id);
  if (!tree) throw new Error(`The row ${key.toString('hex')} is of tree ${id}, which is gone`);
  return tree;
}

function nameOf(kind: number, rest: Buffer): string {
  return kind.toString(16).padStart(2, '0') + rest.toString('hex');
}
