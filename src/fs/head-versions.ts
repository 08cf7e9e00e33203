// The head of a tree: what was staged last, else what is applied. A tree without a parent answers with one get.

import type { Row } from '../kv/meta-store.ts';
import { type KeyRange, liveRange } from './key-range.ts';
import type { Store } from './store.ts';
import type { Tree } from './tree.ts';
import { verify } from './versioned-value.ts';
import type { Versions } from './versions.ts';
import { NOW, shownThrough, VersionsAt } from './versions-at.ts';

export class HeadVersions implements Versions {
  readonly treeId: number;
  private readonly store: Store;
  private readonly tree: Tree;

  constructor(store: Store, tree: Tree) {
    this.store = store;
    this.tree = tree;
    this.treeId = tree.id;
  }

  get isPlain(): boolean {
    return this.tree.parent === null;
  }

  get parent(): VersionsAt | null {
    return shownThrough(this.store, this.tree);
  }

  get applied(): VersionsAt {
    return new VersionsAt(this.store, this.tree, NOW);
  }

  own(key: Buffer, what: string): Buffer | undefined {
    const value = this.store.value(key);
    if (value !== undefined && !this.store.isStaged(key)) verify(value, what);
    return value;
  }

  ownRows(range: KeyRange): AsyncIterable<Row> {
    return this.store.parts.meta.rows(liveRange(this.treeId, range));
  }
}
