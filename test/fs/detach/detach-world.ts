// Datasets that are cloned and detached while they are used, over what test/fs/views has.

import { expect } from 'vitest';
import { framesIn } from '../../../src/fs/chunk-frames.ts';
import { detach, flatten } from '../../../src/fs/detach/detach.ts';
import { treeHolder } from '../../../src/fs/holder.ts';
import { stageHold, stageRelease } from '../../../src/fs/holds.ts';
import { PinnedGenerations } from '../../../src/fs/pinned-generations.ts';
import { Sweeps } from '../../../src/fs/sweep.ts';
import type { Tree } from '../../../src/fs/tree.ts';
import { keys } from '../../../src/kv/keys.ts';
import { upTo } from '../../kv/seeded-random.ts';
import { expectCounted } from '../sweep/recounted-space.ts';
import { type Kept, ViewWorld, type WorldOptions } from '../views/view-world.ts';

const ROWS_MAX = 10_000;
const SNAPSHOT = Buffer.from('snapshot');

export const any = <T>(random: () => number, list: readonly T[]): T => list[upTo(random, list.length - 1)]!;

interface Family {
  readonly prefix: number;
  range(): { readonly gte: Buffer; readonly lt: Buffer };
}

export class DetachWorld {
  readonly world: ViewWorld;
  private sweeps: Sweeps;
  private pins: PinnedGenerations;
  private readonly random: () => number;

  private constructor(world: ViewWorld, random: () => number) {
    this.world = world;
    this.random = random;
    this.sweeps = startSweeps(world);
    this.pins = new PinnedGenerations(world.shared);
  }

  private async restart(): Promise<void> {
    await this.sweeps.stop();
    await this.world.restart();
    this.sweeps = startSweeps(this.world);
    this.pins = new PinnedGenerations(this.world.shared);
  }

  static async open(options: WorldOptions): Promise<DetachWorld> {
    const world = await ViewWorld.open(options);
    await world.create();
    return new DetachWorld(world, options.random);
  }

  async operate(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.world.operate(any(this.random, this.world.datasets));
  }

  async clone(kept: Kept): Promise<void> {
    const { tree } = (await this.world.clone(kept)).operations.records;
    stageHold(this.world.shared.store, kept.tree, kept.generation, treeHolder(tree.id));
  }

  letGo(kept: Kept): void {
    const { world } = this;
    world.trace.push(`release generation ${kept.generation} of tree ${kept.tree.id}`);
    kept.fileSystem.close();
    world.kept.splice(world.kept.indexOf(kept), 1);
    stageRelease(world.shared.store, kept.tree, kept.generation, SNAPSHOT);
  }

  get clones(): Tree[] {
    return this.world.datasets
      .map(({ operations }) => operations.records.tree)
      .filter(({ parent }) => parent !== null);
  }

  /** Cut short by a restart now and then. */
  async detach({ id }: Tree): Promise<void> {
    for (;;) {
      const steps = this.random() < 0.5 ? upTo(this.random, 5) : Number.POSITIVE_INFINITY;
      if (await this.tryDetach(this.world.shared.store.tree(id), steps)) break;
      await this.restart();
    }
    this.world.trace.push(`detached tree ${id}`);
  }

  /** In peace. */
  async flatten(tree: Tree): Promise<void> {
    const { store } = this.world.shared;
    const { signal } = new AbortController();
    await flatten({ store, signal, onProgress() {} }, tree, []);
    this.world.trace.push(`flattened tree ${tree.id}`);
  }

  /** While datasets are used, and perhaps snapshots of them are taken. False when it was cut short after some steps. */
  private async tryDetach(tree: Tree, steps: number): Promise<boolean> {
    const { world, pins, random } = this;
    const { segmentLog } = world;
    const { store, writeBack } = world.shared;
    world.trace.push(`detach tree ${tree.id}`);
    const abort = new AbortController();
    let left = steps;
    const onProgress = () => void (left-- <= 0 && abort.abort());
    const parts = { store, segmentLog, writeBack, pins, signal: abort.signal, onProgress };
    let isDone = false;
    const done = detach(parts, tree, [])
      .catch((error: unknown) => {
        if (abort.signal.aborted) return false;
        throw error;
      })
      .finally(() => {
        isDone = true;
      });
    while (!isDone) {
      if (random() < 0.03) await world.keep(any(random, world.datasets));
      else await this.operate(1);
      await new Promise(setImmediate);
    }
    return done;
  }

  async rest(): Promise<void> {
    const { world, sweeps } = this;
    const { store, writeBack } = world.shared;
    for (const tree of store.trees.values()) await writeBack.flushAll(tree);
    await store.idle();
    await sweeps.idle();
    world.reclaimer.wake();
    await world.reclaimer.idle();
    await expectCounted(world);
  }

  async rowsOf(family: Family): Promise<number> {
    return (await this.world.shared.store.page(family.range(), ROWS_MAX)).length;
  }

  /** Frames that any version of any map names, and those that the segments count as live. */
  async expectNoLeak(): Promise<void> {
    const { store } = this.world.shared;
    const named = new Set<number>();
    for (const range of [keys.chunk.range(), keys.history.range()]) {
      for await (const [key, value] of store.parts.meta.rows(range)) {
        if (key[0] === 0x0c && key[5] !== 0xfe) continue;
        for (const [id, { inherited }] of framesIn(value)) if (!inherited) named.add(id);
      }
    }
    let live = 0;
    for (const record of store.live.segments.values()) live += record.liveCount;
    expect(live).toBe(named.size);
  }
}

function startSweeps({ shared }: ViewWorld): Sweeps {
  const { store } = shared;
  const sweeps = new Sweeps(store, store.parts.log);
  sweeps.start();
  return sweeps;
}
