// Generations that something running looks at: they stay kept while it does, whatever is deleted meanwhile. The holder in
// the KEPT row is that of unfinished jobs, so a restart lets go of what nobody looks at any more.

import { Deferred } from '../deferred.ts';
import { stageHold, stageRelease } from './holds.ts';
import type { SharedParts } from './open-dataset.ts';
import { betweenShrinks, takeGeneration } from './take-generation.ts';
import type { Tree } from './tree.ts';
import { JOB_HOLDER } from './tree-rows.ts';

export interface PinnedGeneration {
  readonly tree: Tree;
  readonly generation: number;
  /** To be called once. */
  release(): void;
}

export class PinnedGenerations {
  private readonly shared: Pick<SharedParts, 'store' | 'writeBack'>;
  /** How many look at each, by tree and generation. */
  private readonly counts = new Map<string, number>();
  private released = new Deferred();

  constructor(shared: Pick<SharedParts, 'store' | 'writeBack'>) {
    this.shared = shared;
  }

  /** A generation that somebody keeps in this turn. */
  pin(tree: Tree, generation: number): PinnedGeneration {
    if (!this.counts.has(idOf(tree, generation))) stageHold(this.shared.store, tree, generation, JOB_HOLDER);
    return this.pinned(tree, generation);
  }

  /** The tree as it is, with all that waits in memory. @throws FsError `EIO` when that cannot be stored */
  async take(tree: Tree): Promise<PinnedGeneration> {
    const { pinned, ready } = await betweenShrinks([tree], () => {
      const taken = takeGeneration(this.shared, tree, JOB_HOLDER);
      return { pinned: this.pinned(tree, taken.generation), ready: taken.ready };
    });
    try {
      await ready;
      return pinned;
    } catch (error) {
      pinned.release();
      throw error;
    }
  }

  /** Nobody looks at a generation of the tree. */
  async unpinned(tree: Tree): Promise<void> {
    while ([...this.counts.keys()].some((id) => id.startsWith(`${tree.id}/`))) await this.released.promise;
  }

  private pinned(tree: Tree, generation: number): PinnedGeneration {
    const id = idOf(tree, generation);
    this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
    return { tree, generation, release: () => this.release(id, tree, generation) };
  }

  private release(id: string, tree: Tree, generation: number): void {
    const left = this.counts.get(id)! - 1;
    if (left > 0) {
      this.counts.set(id, left);
      return;
    }
    this.counts.delete(id);
    this.released.resolve();
    this.released = new Deferred();
    const { store } = this.shared;
    if (!store.poisoned) stageRelease(store, tree, generation, JOB_HOLDER);
  }
}

function idOf(tree: Tree, generation: number): string {
  return `${tree.id}/${generation}`;
}
