// A shrink of many steps and its end, which together are one operation. The steps change size and times of the file;
// what the operation says of the file before it, and the guard that it checks, are from before the first of them.
//
// The inode is held from there to the turn in which the last part is staged. Were it only held by the steps, another
// operation could come before that turn, whenever it has to read first, and would be hidden in the reply: the client
// takes `before` for what it knows, and what another one wrote in between for its own.

import { Deferred } from '../deferred.ts';
import type { Attributes, NodeRef } from './file-system.ts';
import type { Tree } from './tree.ts';

/** Thrown (it is no error, so it has no stack) by an attempt whose operation begins with steps. */
export class ShrinkUnderWay {
  /** What the file was. */
  readonly before: Attributes;
  /** Resolves when so few windows are left that the operation ends in one batch. */
  readonly steps: Promise<void>;
  private readonly tree: Tree;
  private readonly over = new Deferred();

  /** Holds the inode until {@link end}. */
  constructor(tree: Tree, before: Attributes, steps: Promise<void>) {
    this.tree = tree;
    this.before = before;
    this.steps = steps;
    tree.held.set(before.ino, this.over.promise);
  }

  /** Whether it is this one that holds the inode; a rollback gives the dataset another tree. */
  holds(tree: Tree, { ino }: NodeRef): boolean {
    return tree === this.tree && tree.held.get(ino) === this.over.promise;
  }

  /** May be called again. */
  end(): void {
    if (this.holds(this.tree, this.before)) this.tree.held.delete(this.before.ino);
    this.over.resolve();
  }
}
