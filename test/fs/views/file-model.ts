// A file system as plain objects, with the bytes of its files: what the live tree of every dataset must agree with,
// whether its records are its own or inherited. A snapshot or a clone of it is a deep copy.

import type { NodeRef } from '../../../src/fs/file-system.ts';

/** Files are written at the beginnings of blocks: two to a window. */
export const BLOCK_BYTES = 2 ** 19;
/** More is written to no block. */
export const BLOCK_BYTES_WRITTEN = 20_000;

export interface ModelNode {
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly ref: NodeRef;
  nlink: number;
  mode: number;
  size: number;
  readonly target: string | null;
  /** Bytes from the beginning of each block, without zeros behind them. */
  readonly blocks: Map<number, string>;
  readonly entries: Map<string, ModelNode>;
}

export class FileModel {
  readonly root: ModelNode;

  constructor(root: ModelNode) {
    this.root = root;
  }

  get nodes(): ModelNode[] {
    return [...collect(this.root, new Set())];
  }

  copy(): FileModel {
    const copies = new Map<ModelNode, ModelNode>();
    const copyOf = (node: ModelNode): ModelNode => {
      const known = copies.get(node);
      if (known) return known;
      const copy = { ...node, blocks: new Map(node.blocks), entries: new Map<string, ModelNode>() };
      copies.set(node, copy);
      for (const [name, entry] of node.entries) copy.entries.set(name, copyOf(entry));
      return copy;
    };
    return new FileModel(copyOf(this.root));
  }

  /** By path, as far as a model knows it. */
  shown(): Map<string, object> {
    const paths = new Map<string, object>();
    const visit = (path: string, node: ModelNode): void => {
      const { ref, nlink, mode, size, target, blocks } = node;
      const isFile = node.kind === 'file';
      paths.set(path, {
        ...{ ino: ref.ino, generation: ref.generation, kind: node.kind, nlink, mode, target },
        ...(isFile && { size, blocks: shownBlocks(blocks) }),
      });
      for (const [name, entry] of node.entries) visit(`${path}/${name}`, entry);
    };
    visit('', this.root);
    return new Map([...paths].sort());
  }
}

export function newNode(
  kind: ModelNode['kind'],
  ref: NodeRef & { readonly mode: number },
  target: string | null = null,
): ModelNode {
  const nlink = kind === 'directory' ? 2 : 1;
  const node = { ino: ref.ino, generation: ref.generation };
  return { kind, ref: node, nlink, mode: ref.mode, size: 0, target, blocks: new Map(), entries: new Map() };
}

export function writeTo(node: ModelNode, block: number, bytes: string): void {
  const old = node.blocks.get(block) ?? '';
  node.blocks.set(block, bytes + old.slice(bytes.length));
  node.size = Math.max(node.size, block * BLOCK_BYTES + bytes.length);
}

export function truncate(node: ModelNode, size: number): void {
  for (const [block, bytes] of node.blocks) {
    const rest = bytes.slice(0, Math.max(0, size - block * BLOCK_BYTES));
    if (rest) node.blocks.set(block, rest);
    else node.blocks.delete(block);
  }
  node.size = size;
}

/** Bytes in few words: "a40 b2" for forty of one and two of another, without zeros at the end. */
export function runs(bytes: string): string {
  const found: string[] = [];
  for (let from = 0, at = 1; at <= bytes.length; at++) {
    if (bytes[at] === bytes[from]) continue;
    if (at < bytes.length || bytes[from] !== '\0') found.push(`${bytes[from]}${at - from}`);
    from = at;
  }
  return found.join(' ');
}

function shownBlocks(blocks: ReadonlyMap<number, string>): Record<number, string> {
  return Object.fromEntries([...blocks].sort(([a], [b]) => a - b).map(([at, bytes]) => [at, runs(bytes)]));
}

function collect(node: ModelNode, into: Set<ModelNode>): Set<ModelNode> {
  into.add(node);
  for (const entry of node.entries.values()) collect(entry, into);
  return into;
}
