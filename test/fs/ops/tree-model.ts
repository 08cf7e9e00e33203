// A file system as plain objects: what the metadata operations must agree with, refusals included. Everything is
// done by root, so there are no permissions; permission.test.ts and each operation's tests have those.

import type { NodeRef } from '../../../src/fs/file-system.ts';
import type { FsErrorCode } from '../../../src/fs/fs-error.ts';

export interface ModelNode {
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Null until it was made. */
  ref: NodeRef | null;
  nlink: number;
  mode: number;
  /** Of a directory. */
  readonly entries: Map<string, ModelNode>;
  parent: ModelNode | null;
  /** Of an EXCLUSIVE create, until a SETATTR comes. */
  verifier: string | null;
}

export type Operation =
  | {
      readonly kind: 'create';
      readonly directory: ModelNode;
      readonly name: string;
      readonly how: 'unchecked' | 'guarded';
    }
  | {
      readonly kind: 'exclusive';
      readonly directory: ModelNode;
      readonly name: string;
      readonly verifier: string;
    }
  | {
      readonly kind: 'mkdir' | 'symlink' | 'remove' | 'rmdir';
      readonly directory: ModelNode;
      readonly name: string;
    }
  | { readonly kind: 'link'; readonly node: ModelNode; readonly directory: ModelNode; readonly name: string }
  | { readonly kind: 'chmod'; readonly node: ModelNode; readonly mode: number }
  | {
      readonly kind: 'rename';
      readonly directory: ModelNode;
      readonly name: string;
      readonly target: ModelNode;
      readonly targetName: string;
    };

export class TreeModel {
  readonly root: ModelNode;
  /** Also those that are gone, whose handles a client may still hold. */
  readonly nodes: ModelNode[];

  constructor(root: NodeRef) {
    this.root = newNode('directory', null, null);
    this.root.ref = root;
    this.nodes = [this.root];
  }

  /** What the operation must be refused with now; undefined when it must succeed. */
  refusal(operation: Operation): FsErrorCode | undefined {
    switch (operation.kind) {
      case 'chmod':
        return isGone(operation.node) ? 'ESTALE' : undefined;
      case 'link':
        return this.linkRefusal(operation);
      case 'rename':
        return this.renameRefusal(operation);
      default:
        return this.entryRefusal(operation);
    }
  }

  /** Does an operation that is not refused. Gives the node that it made or found. */
  apply(operation: Operation): ModelNode | undefined {
    switch (operation.kind) {
      case 'create':
        return (
          operation.directory.entries.get(operation.name) ??
          this.add(operation, newNode('file', operation.directory, null))
        );
      case 'exclusive':
        return (
          operation.directory.entries.get(operation.name) ??
          this.add(operation, newNode('file', operation.directory, operation.verifier))
        );
      case 'mkdir':
        operation.directory.nlink++;
        return this.add(operation, newNode('directory', operation.directory, null));
      case 'symlink':
        return this.add(operation, newNode('symlink', operation.directory, null));
      case 'remove':
      case 'rmdir':
        this.take(operation.directory, operation.name);
        return undefined;
      case 'link':
        operation.node.nlink++;
        operation.directory.entries.set(operation.name, operation.node);
        return operation.node;
      case 'chmod':
        if (operation.node.kind === 'symlink') return undefined;
        operation.node.mode = operation.mode;
        operation.node.verifier = null;
        return undefined;
      case 'rename':
        this.move(operation);
        return undefined;
    }
  }

  /** All that have a name, and the root. */
  get live(): ModelNode[] {
    return this.nodes.filter((node) => !isGone(node));
  }

  private add({ directory, name }: { directory: ModelNode; name: string }, node: ModelNode): ModelNode {
    directory.entries.set(name, node);
    this.nodes.push(node);
    return node;
  }

  private take(directory: ModelNode, name: string): void {
    const node = directory.entries.get(name)!;
    directory.entries.delete(name);
    if (node.kind === 'directory') directory.nlink--;
    node.nlink -= node.kind === 'directory' ? 2 : 1;
  }

  private move({ directory, name, target, targetName }: Operation & { kind: 'rename' }): void {
    const node = directory.entries.get(name)!;
    const replaced = target.entries.get(targetName);
    if (replaced === node) return;
    if (replaced) this.take(target, targetName);
    directory.entries.delete(name);
    target.entries.set(targetName, node);
    if (node.kind !== 'directory') return;
    directory.nlink--;
    target.nlink++;
    node.parent = target;
  }

  private entryRefusal(
    operation: Exclude<Operation, { kind: 'chmod' | 'link' | 'rename' }>,
  ): FsErrorCode | undefined {
    const { kind, directory, name } = operation;
    if (isGone(directory)) return 'ESTALE';
    if (directory.kind !== 'directory') return 'ENOTDIR';
    const dots = name === '.' || name === '..';
    if (kind === 'remove' && dots) return 'EACCES';
    if (kind === 'rmdir' && dots) return name === '.' ? 'EINVAL' : 'EEXIST';
    if (dots) return 'EEXIST';
    const found = directory.entries.get(name);
    if (kind === 'remove') return !found ? 'ENOENT' : found.kind === 'directory' ? 'EISDIR' : undefined;
    if (kind === 'rmdir') {
      if (!found) return 'ENOENT';
      if (found.kind !== 'directory') return 'ENOTDIR';
      return found.entries.size > 0 ? 'ENOTEMPTY' : undefined;
    }
    if (!found) return undefined;
    if (kind === 'create' && operation.how === 'unchecked' && found.kind === 'file') return undefined;
    if (kind === 'exclusive' && found.verifier === operation.verifier) return undefined;
    return 'EEXIST';
  }

  private linkRefusal({ node, directory, name }: Operation & { kind: 'link' }): FsErrorCode | undefined {
    if (isGone(node) || isGone(directory)) return 'ESTALE';
    if (directory.kind !== 'directory') return 'ENOTDIR';
    if (node.kind === 'directory') return 'EINVAL';
    return name === '.' || name === '..' || directory.entries.has(name) ? 'EEXIST' : undefined;
  }

  private renameRefusal({
    directory,
    name,
    target,
    targetName,
  }: Operation & { kind: 'rename' }): FsErrorCode | undefined {
    for (const end of [directory, target]) {
      if (isGone(end)) return 'ESTALE';
      if (end.kind !== 'directory') return 'ENOTDIR';
    }
    if (['.', '..'].includes(name) || ['.', '..'].includes(targetName)) return 'EINVAL';
    const moved = directory.entries.get(name);
    if (!moved) return 'ENOENT';
    const replaced = target.entries.get(targetName);
    if (replaced === moved) return undefined;
    for (let up: ModelNode | null = target; up; up = up.parent) if (up === moved) return 'EINVAL';
    if (!replaced) return undefined;
    if (moved.kind === 'directory' && replaced.kind !== 'directory') return 'ENOTDIR';
    if (moved.kind !== 'directory' && replaced.kind === 'directory') return 'EISDIR';
    return replaced.entries.size > 0 ? 'ENOTEMPTY' : undefined;
  }
}

function newNode(kind: ModelNode['kind'], parent: ModelNode | null, verifier: string | null): ModelNode {
  const nlink = kind === 'directory' ? 2 : 1;
  return { kind, ref: null, nlink, mode: -1, entries: new Map(), parent, verifier };
}

function isGone(node: ModelNode): boolean {
  return node.nlink <= 0;
}
