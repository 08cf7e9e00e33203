import { describe, expect, it } from 'vitest';
import { keys } from '../../src/kv/keys.ts';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import type { Range } from '../../src/kv/meta-store.ts';
import { systemWrite } from '../../src/kv/system-row.ts';
import { openMemoryVolume, writeText } from '../snapshots/memory-volume.ts';

/** Knows which ranges were read. */
class WatchedMetaStore extends MemoryMetaStore {
  readonly ranges: Range[] = [];

  override rows(range: Range) {
    this.ranges.push(range);
    return super.rows(range);
  }
}

async function volumeWithSnapshot() {
  const meta = new WatchedMetaStore();
  const segments = new MemorySegmentStore();
  const volume = await openMemoryVolume({ meta, segments });
  await volume.datasets.create('empty', {});
  await volume.datasets.create('d', {});
  const { fileSystem } = volume.datasets.get('d')!;
  await writeText(fileSystem, 'f', 'old text');
  await volume.snapshots.create('d', 's', {});
  await writeText(fileSystem, 'f', 'new');
  await volume.snapshots.clone('d@s', 'clone', {});
  await volume.close();
  return { meta, segments };
}

describe('the space accounting of a volume', () => {
  it('is counted once when it comes from before there was one', async () => {
    const { meta, segments } = await volumeWithSnapshot();
    const counted = await meta.page(keys.space.range(), 10);
    expect(counted).toHaveLength(2);
    const before = { version: 1, incompatible: [], readOnlyCompatible: [], compatible: [] };
    const gone = counted.map(([key]) => ({ key, value: null }));
    await meta.write([systemWrite('format', before), ...gone], true);
    await (await openMemoryVolume({ meta, segments })).close();
    expect(await meta.page(keys.space.range(), 10)).toEqual(counted);
  });

  it('is not counted at a later start: no map is read', async () => {
    const { meta, segments } = await volumeWithSnapshot();
    meta.ranges.length = 0;
    await (await openMemoryVolume({ meta, segments })).close();
    const { prefix } = keys.chunk;
    expect(meta.ranges.filter(({ gte }) => gte[0] === prefix)).toEqual([]);
  });
});
