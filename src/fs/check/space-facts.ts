// The space accounting of a tree against all that its versions hold, everything as of the moment of the pass.

import { keys } from '../../kv/keys.ts';
import type { KeptRecord } from '../generation-records.ts';
import { Generations } from '../generations.ts';
import { isPending } from '../space-accounting.ts';
import { SpaceCount } from '../space-count.ts';
import { encodeSpace, HEAD, type Run, SpaceRows } from '../space-rows.ts';
import type { Tree } from '../tree.ts';
import type { Finding } from './finding.ts';

export class SpaceFacts {
  readonly count = new SpaceCount();
  /** As they are stored. */
  readonly rows = new SpaceRows();
  private readonly tree: Tree;
  private readonly hadHead: boolean;

  constructor(tree: Tree) {
    this.tree = tree;
    this.hadHead = tree.generations.hasHead;
  }

  /** @param kept the KEPT rows of the tree */
  *findings(kept: ReadonlyMap<number, KeptRecord>): Generator<Finding> {
    const { generations } = this.tree;
    // One that lost its head meanwhile may have lost it before the moment of the pass or after it.
    if (this.count.hasDamage || generations.hasHead !== this.hadHead) return;
    const held = [...kept].filter(([, { holders }]) => holders.length > 0).map(([generation]) => generation);
    // All of it is being taken back.
    if (held.length === 0 && !this.hadHead) return;
    const counted = this.count.rows(new Generations(generations.current, held, [], this.hadHead));
    for (const row of counted.all()) yield* this.rowFindings(row, row.bytes);
    for (const row of this.rows.all()) if (!counted.get(row)) yield* this.rowFindings(row, 0);
  }

  private *rowFindings(run: Run, bytes: number): Generator<Finding> {
    const { id } = this.tree;
    const said = this.rows.bytes(run);
    if (said === bytes) return;
    const key = keys.space.key(id, run.first, run.last);
    yield {
      kind: 'usage',
      tree: id,
      ino: null,
      message: `The accounting of tree ${id} says ${said} bytes for ${textOf(run)}; its maps say ${bytes}`,
      repair: [{ key, value: bytes > 0 ? encodeSpace(bytes) : null }],
    };
  }
}

function textOf(run: Run): string {
  if (isPending(run)) return 'what a sweep is to free';
  const { first, last } = run;
  if (first === HEAD) return 'its head alone';
  if (last === HEAD) return `its head and the kept generations from ${first} on`;
  return first === last ? `kept generation ${first} alone` : `the kept generations from ${first} to ${last}`;
}
