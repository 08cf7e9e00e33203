// Datasets, their snapshots and restores over memory stores, in a process that can die at a batch.

import { PinnedGenerations } from '../../../src/fs/pinned-generations.ts';
import { keys } from '../../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../../src/kv/memory-segment-store.ts';
import type { Write } from '../../../src/kv/meta-store.ts';
import type { SegmentStore } from '../../../src/kv/segment-store.ts';
import { removeTree } from '../../../src/snapshots/restore/copy-tree.ts';
import { Restores } from '../../../src/snapshots/restore/restores.ts';
import { SnapshotRegistry } from '../../../src/snapshots/snapshot-registry.ts';
import { openVolume, SUPERUSER } from '../../datasets/test-volume.ts';

export const JOB_ROWS = keys.job.range();
const FILE_BYTES = 3000;
const call = { caller: SUPERUSER };

/** After some batches no other one is written, and nobody hears of it. */
class DyingMetaStore extends MemoryMetaStore {
  died: Promise<void> = new Promise(() => {});
  private left = Number.POSITIVE_INFINITY;
  private die = () => {};

  dieAfter(batches: number): void {
    this.left = batches;
    this.died = new Promise((resolve) => {
      this.die = resolve;
    });
  }

  /** As the next process finds it. */
  revive(): void {
    this.left = Number.POSITIVE_INFINITY;
  }

  override async write(batch: readonly Write[], durable: boolean): Promise<void> {
    if (this.left === 0) {
      this.die();
      await new Promise(() => {});
    }
    this.left--;
    return super.write(batch, durable);
  }
}

export type RestoringVolume = Awaited<ReturnType<typeof openRestoring>>;

/** @param before a volume whose process has died */
export async function openRestoring(before?: {
  readonly meta: DyingMetaStore;
  readonly segments: SegmentStore;
}) {
  const meta = before?.meta ?? new DyingMetaStore();
  const segments = before?.segments ?? new MemorySegmentStore();
  meta.revive();
  const volume = await openVolume({ meta, segments });
  const { store, writeBack, datasets } = volume;
  const { clock, random } = store.parts;
  const shared = { store, writeBack, clock, random, reclaimer: { wake() {} } };
  const snapshots = await SnapshotRegistry.open({ shared, registry: datasets });
  let job = 100;
  const pins = new PinnedGenerations(shared);
  const newJobId = () => ++job;
  const restores = new Restores({ store, datasets, snapshots, shared, clock, pins, newJobId });
  const rootOf = async (dataset: string) => {
    const { fileSystem } = datasets.get(dataset)!;
    return { fileSystem, root: await fileSystem.root() };
  };
  return {
    meta,
    segments,
    store,
    writeBack,
    datasets,
    snapshots,
    restores,
    async makeFiles(dataset: string, directory: string, count: number) {
      const { fileSystem, root } = await rootOf(dataset);
      const made = await fileSystem.mkdir(call, root, Buffer.from(directory), {});
      for (let i = 0; i < count; i++) {
        const how = { mode: 'guarded', changes: {} } as const;
        const { result } = await fileSystem.create(call, made.result.node, Buffer.from(`${i}`), how);
        await fileSystem.write(call, result.node, 0, Buffer.alloc(FILE_BYTES, i + 1), false);
      }
    },
    async removeAll(dataset: string, name: string) {
      const { fileSystem, root } = await rootOf(dataset);
      await removeTree(fileSystem, { directory: root, name: Buffer.from(name) });
    },
    async list(dataset: string, directory: string): Promise<string[]> {
      const { fileSystem, root } = await rootOf(dataset);
      const at = directory === '' ? root : await fileSystem.lookup(SUPERUSER, root, Buffer.from(directory));
      const { entries } = await fileSystem.readdir(SUPERUSER, at!, { high: 0, low: 0 }, 100);
      return entries.map(({ name }) => name.toString());
    },
    /** All restores have. */
    async ended(): Promise<void> {
      while (restores.jobs.jobs().some(({ state }) => state === 'running')) await new Promise(setImmediate);
    },
  };
}
