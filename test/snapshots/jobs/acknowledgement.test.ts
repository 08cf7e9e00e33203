import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../../../src/deferred.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import type { Write } from '../../../src/kv/meta-store.ts';
import type { Volume } from '../../../src/volume.ts';
import { openMemoryVolume, writeText } from '../memory-volume.ts';

/** Takes no batch before it is told to. */
class HeldMetaStore extends MemoryMetaStore {
  held: Deferred | null = null;

  override async write(batch: readonly Write[], sync: boolean): Promise<void> {
    await this.held?.promise;
    await super.write(batch, sync);
  }
}

const STARTS = {
  detach: ({ detaches }: Volume) => detaches.start('c'),
  restore: ({ restores }: Volume) =>
    restores.start({ snapshot: 'd@s', path: '/f', destination: '/back', replace: false }),
} as const;

describe('a job is acknowledged when its row is durable, so that the next start goes on with it', () => {
  it.each(['detach', 'restore'] as const)('%s', async (kind) => {
    const meta = new HeldMetaStore();
    const volume = await openMemoryVolume({ meta });
    const { datasets, snapshots, jobs } = volume;
    await datasets.create('d', {});
    await writeText(datasets.get('d')!.fileSystem, 'f', 'text');
    await snapshots.create('d', 's', {});
    await snapshots.clone('d@s', 'c', {});
    meta.held = new Deferred();
    let isAcknowledged = false;
    const started = STARTS[kind](volume).then(() => {
      isAcknowledged = true;
    });
    for (let turns = 0; turns < 10; turns++) await setImmediate();
    expect(isAcknowledged).toBe(false);
    expect(jobs.list()).toMatchObject([{ kind, state: 'running' }]);
    meta.held.resolve();
    meta.held = null;
    await started;
    await volume.close();
  });
});
