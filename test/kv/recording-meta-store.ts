// A MetaStore that remembers each batch, so that what a crash leaves behind any of them can be had again.

import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import type { Write } from '../../src/kv/meta-store.ts';

export class RecordingMetaStore extends MemoryMetaStore {
  readonly batches: (readonly Write[])[] = [];

  override async write(batch: readonly Write[], durable: boolean): Promise<void> {
    this.batches.push(
      batch.map(({ key, value }): Write => ({ key: Buffer.from(key), value: value && Buffer.from(value) })),
    );
    await super.write(batch, durable);
  }

  /** What is there behind the first `batches` of them. */
  async after(batches: number): Promise<RecordingMetaStore> {
    const survivor = new RecordingMetaStore();
    for (const batch of this.batches.slice(0, batches)) await survivor.write(batch, true);
    return survivor;
  }
}
