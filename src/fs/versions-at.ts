// A tree at one generation, as its applied rows show it (DESIGN 3.2):
//
//   the live version        if it was born by then: one synchronous get, the usual case
//   else in HISTORY         the first version that died later, if it was born by then; nobody looks there when
//                           none died later
//
// A version that a kept generation shows never changes, so what was found in HISTORY, or not found, is remembered.
// The live version is looked at first: a batch that comes in between moves it to where the second look finds it.

import { strict as assert } from 'node:assert';
import { keys, versioned } from '../kv/keys.ts';
import { MetaReadError, type Row } from '../kv/meta-store.ts';
import { Wait } from './attempt.ts';
import { FsError } from './fs-error.ts';
import { keyId } from './key-id.ts';
import { historyRange, type KeyRange, liveRange } from './key-range.ts';
import { mergeRows } from './merge-rows.ts';
import type { RowSource } from './shown-rows.ts';
import type { Store } from './store.ts';
import type { Tree } from './tree.ts';
import { birthOf, isDamaged, isWhiteout, verify } from './versioned-value.ts';
import type { ParentVersions } from './versions.ts';

/** Later than every generation: what the last applied batch left. */
export const NOW = Number.POSITIVE_INFINITY;

const DEATH_BYTES = 4;

export class VersionsAt implements ParentVersions {
  readonly tree: Tree;
  readonly generation: number;
  private readonly store: Store;

  constructor(store: Store, tree: Tree, generation: number) {
    this.store = store;
    this.tree = tree;
    this.generation = generation;
  }

  get treeId(): number {
    return this.tree.id;
  }

  get isPlain(): boolean {
    return this.generation === NOW && this.tree.parent === null;
  }

  get parent(): VersionsAt | null {
    return shownThrough(this.store, this.tree);
  }

  get applied(): VersionsAt {
    return this;
  }

  own(key: Buffer, what: string): Buffer | undefined {
    const live = this.store.committed(key);
    if (live !== undefined) {
      verify(live, what);
      if (birthOf(live) <= this.generation) return live;
    }
    return this.generation < this.tree.newestDeath ? this.dead(key, what) : undefined;
  }

  /**
   * Of a chain of clones the answer is remembered as one: else each key would be there once for each of them, and a
   * look at it would go through all.
   */
  shown(key: Buffer, what: string): Buffer | undefined {
    const { kind, rest } = versioned.parse(key);
    const { parent } = this;
    if (parent === null) return seen(this.own(versioned.key(this.treeId, kind, rest), what));
    const id = `shown${keyId(keys.history.key(this.treeId, kind, rest, this.generation))}`;
    const known = this.store.history.get(id);
    if (known !== undefined) {
      if (known) verify(known, what);
      return known ?? undefined;
    }
    const found = this.shownInChain(kind, rest, what);
    this.store.history.set(id, found ?? null);
    return found;
  }

  private shownInChain(kind: number, rest: Buffer, what: string): Buffer | undefined {
    for (let at: VersionsAt | null = this; at !== null; at = at.parent) {
      if (at.isBlank()) continue;
      const own = at.own(versioned.key(at.treeId, kind, rest), what);
      if (own !== undefined) return seen(own);
    }
    return undefined;
  }

  /**
   * A clone that had nothing of its own yet: a chain of them is as quick as one. Without a parent it does not matter. In
   * a tree with a parent whatever is born is noted, so one look at the notes tells; and it stays so.
   */
  private isBlank(): boolean {
    const { tree, generation } = this;
    // Flattened records were born before every note.
    if (tree.parent === null || tree.flat) return false;
    const known = tree.blankAt.get(generation);
    if (known === undefined) throw new Wait(this.lookForNotes());
    return known;
  }

  /**
   * For long ranges: without the parents that had nothing of their own, because each of them costs something for each
   * row, and a dataset that is rolled back often has many. @throws Wait
   */
  withoutBlanks(): RowSource {
    let { parent } = this;
    while (parent?.isBlank()) parent = parent.parent;
    return {
      treeId: this.treeId,
      parent: parent?.withoutBlanks() ?? null,
      ownRows: (range) => this.ownRows(range),
    };
  }

  private async lookForNotes(): Promise<void> {
    const { tree, generation, store } = this;
    const { gte } = keys.changed.range(tree.id);
    const notes = await store.page({ gte, lt: keys.changed.range(tree.id, generation + 1).gte }, 1);
    tree.blankAt.set(generation, notes.length === 0);
  }

  ownRows(range: KeyRange): AsyncIterable<Row> {
    const { store, tree, generation } = this;
    const { meta } = store.parts;
    const live = meta.rows(liveRange(tree.id, range));
    if (generation === NOW) return live;
    const history = meta.rows(historyRange(tree.id, range));
    return mergeRows(bornBy(live, generation), diedAfter(history, tree.id, range.kind, generation));
  }

  private dead(key: Buffer, what: string): Buffer | undefined {
    const { kind, rest } = versioned.parse(key);
    const from = keys.history.key(this.tree.id, kind, rest, this.generation + 1);
    const id = keyId(from);
    const found = this.store.history.get(id);
    if (found === undefined) {
      const { lt } = keys.history.range(this.tree.id, kind, rest);
      throw new Wait(this.lookUp(id, { gte: from, lt }));
    }
    if (found === null) return undefined;
    verify(found, what);
    return birthOf(found) <= this.generation ? found : undefined;
  }

  private async lookUp(id: string, range: { readonly gte: Buffer; readonly lt: Buffer }): Promise<void> {
    const { store, tree } = this;
    const { flat } = tree;
    try {
      const [row] = await store.page(range, 1);
      // A page from before a flattening, or before a detach has let go, says what is no longer so.
      if (tree.flat === flat) store.history.set(id, row ? row[1] : null);
    } catch (error) {
      if (!(error instanceof MetaReadError)) throw error;
      const message = `Cannot read an older version in tree ${this.tree.id}`;
      store.parts.log.error({ err: error, tree: this.tree.id, key: range.gte.toString('hex') }, message);
      throw new FsError('EIO', message, { cause: error });
    }
  }
}

function seen(value: Buffer | undefined): Buffer | undefined {
  return value && !isWhiteout(value) ? value : undefined;
}

/** What shows where the tree has nothing: none when it has all itself. */
export function shownThrough(store: Store, tree: Tree): VersionsAt | null {
  return tree.flat ? null : forkOf(store, tree);
}

/** What the tree was cloned from. */
export function forkOf(store: Store, { id, parent }: Tree): VersionsAt | null {
  if (parent === null) return null;
  const tree = store.trees.get(parent.tree);
  assert(tree, `tree ${id} is a clone of tree ${parent.tree}, which is not there`);
  return new VersionsAt(store, tree, parent.generation);
}

/** A damaged row is shown, for whoever decodes it to tell: its birth may be what is damaged. */
async function* bornBy(rows: AsyncIterable<Row>, generation: number): AsyncGenerator<Row> {
  for await (const row of rows) if (birthOf(row[1]) <= generation || isDamaged(row[1])) yield row;
}

/** Of each key the first version that died after `generation`, if it was born by then, under its live key. */
async function* diedAfter(
  history: AsyncIterable<Row>,
  tree: number,
  kind: number,
  generation: number,
): AsyncGenerator<Row> {
  let decided: Buffer = Buffer.alloc(0);
  for await (const [key, value] of history) {
    const end = key.length - DEATH_BYTES;
    if (key.readUInt32BE(end) <= generation || decided.equals(key.subarray(0, end))) continue;
    decided = key.subarray(0, end);
    const { rest } = keys.history.parse(key);
    if (birthOf(value) <= generation || isDamaged(value)) yield [versioned.key(tree, kind, rest), value];
  }
}
