// A snapshot that could not be taken because segments fail: what was written before it still waits, under the stamp of
// the generation that it gave up.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FileType } from '../../src/fs/file-system.ts';
import { takeGeneration } from '../../src/fs/take-generation.ts';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import { openMemoryVolume, SUPERUSER, writeText } from './memory-volume.ts';

const CALL = { caller: SUPERUSER };
const BYTES = 100_000;
const NAME = Buffer.from('file');

/** Its segments cannot be created while `fails`. */
class FailingSegmentStore extends MemorySegmentStore {
  fails = true;

  override async create(id: number) {
    if (this.fails) throw Object.assign(new Error('the disk failed'), { code: 'EIO' });
    return super.create(id);
  }
}

/** A file with text that is stored and bytes that wait, of which a snapshot should have been taken. */
async function afterFailedSnapshot() {
  const meta = new MemoryMetaStore();
  const segments = new FailingSegmentStore();
  const volume = await openMemoryVolume({ meta, segments });
  const { fileSystem } = volume.datasets.get('root')!;
  const node = await writeText(fileSystem, NAME.toString(), 'text');
  await fileSystem.write(CALL, node, 0, Buffer.alloc(BYTES, 1), false);
  const snapshot = volume.snapshots.create('root', 'a', {});
  await expect(snapshot).rejects.toMatchObject({ code: 'EIO' });
  const root = await fileSystem.root();
  return { meta, segments, volume, fileSystem, node, root };
}

describe('a file that waits behind a snapshot that failed', () => {
  it('can be removed while segments fail, so that space comes back', async () => {
    const { fileSystem, node, root, volume } = await afterFailedSnapshot();
    const { ticket } = await fileSystem.remove(CALL, root, NAME);
    await fileSystem.settled(ticket);
    expect(await fileSystem.lookup(SUPERUSER, root, NAME)).toBeUndefined();
    expect((await fileSystem.usage()).usedBytes).toBe(0);
    expect(await volume.snapshots.create('root', 'b', {})).toBeDefined();
    expect(() => fileSystem.attributes(node)).toThrow(expect.objectContaining({ code: 'ESTALE' }));
  });

  it('can be emptied, renamed and given another mode', async () => {
    const { fileSystem, node, root } = await afterFailedSnapshot();
    const changed = await fileSystem.setattr(CALL, node, { mode: 0o640 });
    expect(changed.result.after).toMatchObject({ mode: 0o640, size: BYTES });
    await fileSystem.rename(CALL, root, NAME, root, Buffer.from('other'));
    const emptied = await fileSystem.setattr(CALL, node, { size: 0 });
    expect(emptied.result.after).toMatchObject({ mode: 0o640, size: 0 });
    await fileSystem.settled(emptied.ticket);
  });

  it('has all its bytes in the next snapshot, when segments work again', async () => {
    const { fileSystem, node, segments, volume, meta, root } = await afterFailedSnapshot();
    await fileSystem.write(CALL, node, BYTES / 2, Buffer.alloc(BYTES, 2), false);
    await fileSystem.setattr(CALL, node, { mode: 0o640 });
    await fileSystem.write(CALL, node, 0, Buffer.alloc(10, 3), false);
    segments.fails = false;
    const { ticket } = await fileSystem.commit(CALL, node);
    await fileSystem.settled(ticket);
    await volume.snapshots.create('root', 'b', {});
    const removed = await fileSystem.remove(CALL, root, NAME);
    await fileSystem.settled(removed.ticket);
    await volume.close();
    const again = await openMemoryVolume({ meta, segments });
    const kept = again.snapshots.find(0, 'b')!.fileSystem;
    const attributes = await kept.attributes(node);
    expect(attributes).toMatchObject({ type: FileType.file, size: 1.5 * BYTES, mode: 0o640 });
    const { buffers } = await kept.read(SUPERUSER, node, 0, 2 * BYTES);
    const expected = [Buffer.alloc(10, 3), Buffer.alloc(BYTES / 2 - 10, 1), Buffer.alloc(BYTES, 2)];
    expect(Buffer.concat(buffers).equals(Buffer.concat(expected))).toBe(true);
    await again.close();
  });
});

/** A file with bytes that wait while segments fail. */
async function waiting() {
  const volume = await openMemoryVolume({ segments: new FailingSegmentStore() });
  const { fileSystem } = volume.datasets.get('root')!;
  const node = await writeText(fileSystem, NAME.toString(), 'text');
  await fileSystem.write(CALL, node, 0, Buffer.alloc(BYTES, 1), false);
  return { volume, fileSystem, node, root: await fileSystem.root() };
}

describe('an operation on a file of which a snapshot is being taken, while segments fail', () => {
  it('is done once the snapshot is given up', async () => {
    const { volume, fileSystem, node, root } = await waiting();
    const refused = expect(volume.snapshots.create('root', 'a', {})).rejects.toMatchObject({ code: 'EIO' });
    await sleep(20);
    const changed = fileSystem.setattr(CALL, node, { mode: 0o640 });
    const removed = await fileSystem.remove(CALL, root, NAME);
    expect((await changed).result.after?.mode).toBe(0o640);
    await fileSystem.settled(removed.ticket);
    await refused;
  });

  it('is answered EIO when the generation stays kept', async () => {
    const { volume, fileSystem, node, root } = await waiting();
    const tree = volume.store.trees.get(volume.datasets.context.catalog.findId(0)!.tree.id)!;
    const { ready } = takeGeneration(volume, tree, Buffer.from('holder'));
    const refused = expect(ready).rejects.toMatchObject({ code: 'EIO' });
    await expect(fileSystem.setattr(CALL, node, { mode: 0o640 })).rejects.toMatchObject({ code: 'EIO' });
    await expect(fileSystem.remove(CALL, root, NAME)).rejects.toMatchObject({ code: 'EIO' });
    await refused;
  });
});
