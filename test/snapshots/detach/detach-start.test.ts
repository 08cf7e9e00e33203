import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Deferred } from '../../../src/deferred.ts';
import { MemoryMetaStore } from '../../../src/kv/memory-meta-store.ts';
import type { Write } from '../../../src/kv/meta-store.ts';
import { openMemoryVolume } from '../memory-volume.ts';

/** Takes no batch before it is told to. */
class HeldMetaStore extends MemoryMetaStore {
  held: Deferred | null = null;

  override async write(batch: readonly Write[], sync: boolean): Promise<void> {
    await this.held?.promise;
    await super.write(batch, sync);
  }
}

it('a detach is acknowledged when its row is durable, so that the next start goes on with it', async () => {
  const meta = new HeldMetaStore();
  const volume = await openMemoryVolume({ meta });
  const { datasets, snapshots, detaches, jobs } = volume;
  await datasets.create('d', {});
  await snapshots.clone('d', 'c', {});
  meta.held = new Deferred();
  let isAcknowledged = false;
  const started = detaches.start('c').then(() => {
    isAcknowledged = true;
  });
  for (let turns = 0; turns < 3; turns++) await setImmediate();
  expect(isAcknowledged).toBe(false);
  expect(jobs.list()).toMatchObject([{ kind: 'detach', state: 'running' }]);
  meta.held.resolve();
  meta.held = null;
  await started;
  await detaches.idle();
  await volume.close();
});
