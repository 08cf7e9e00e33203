// What is tried, told and logged while the segments of a volume cannot be written.

import { describe, expect, it } from 'vitest';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import { ManualClock } from '../nfs/manual-clock.ts';
import { openMemoryVolume, SUPERUSER, writeText } from '../snapshots/memory-volume.ts';

const CALL = { caller: SUPERUSER };
const MIB = 2 ** 20;

/** Counts what is tried. */
class FailingSegmentStore extends MemorySegmentStore {
  code: string | null = 'EIO';
  attempts = 0;

  override async create(id: number) {
    this.attempts++;
    if (this.code) throw Object.assign(new Error(`the disk says ${this.code}`), { code: this.code });
    return super.create(id);
  }
}

/** Volume with files of which each has bytes that wait, on a clock that `pass` lets go. */
async function failingVolume(files: number, dirtyBytesMax = 64 * MIB) {
  const clock = new ManualClock();
  const segments = new FailingSegmentStore();
  const lines: string[] = [];
  const log = {
    error: ({ err }: { err?: { code?: string } }) => void lines.push(`fails: ${err?.code}`),
    warn() {},
    info: () => void lines.push('over'),
  };
  const settings = { dirtyBytesMax };
  const volume = await openMemoryVolume({ clock, segments, log, settings });
  const { fileSystem } = volume.datasets.get('root')!;
  const nodes = [];
  for (let file = 0; file < files; file++) {
    const node = await writeText(fileSystem, `file ${file}`, 'text');
    await fileSystem.write(CALL, node, 0, Buffer.alloc(100_000, 1), false);
    nodes.push(node);
  }
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(10);
      for (let i = 0; i < 3; i++) await new Promise(setImmediate);
    }
  };
  return { volume, fileSystem, segments, lines, nodes, pass };
}

describe('a volume whose segments fail', () => {
  it('tries again less and less often, and stores everything within 5 s of its recovery', async () => {
    const { volume, segments, pass } = await failingVolume(1);
    await pass(4900);
    expect(segments.attempts).toBe(0);
    await pass(2000);
    expect(segments.attempts).toBeGreaterThanOrEqual(4);
    await pass(20_000);
    const before = segments.attempts;
    await pass(60_000);
    expect(segments.attempts - before).toBeGreaterThanOrEqual(10);
    expect(segments.attempts - before).toBeLessThanOrEqual(13);
    segments.code = null;
    await pass(5300);
    expect(volume.writeBack.dirtyBytes).toBe(0);
  });

  it('has a line of the log when it begins, one for another error, and one when it is over', async () => {
    const { segments, lines, pass } = await failingVolume(20);
    await pass(30_000);
    expect(lines).toEqual(['fails: EIO']);
    segments.code = 'ENOSPC';
    await pass(30_000);
    expect(lines).toEqual(['fails: EIO', 'fails: ENOSPC']);
    segments.code = null;
    await pass(6000);
    expect(lines).toEqual(['fails: EIO', 'fails: ENOSPC', 'over']);
  });

  it('says that it is over when what could not be written is removed', async () => {
    const { fileSystem, lines, pass } = await failingVolume(1);
    await pass(10_000);
    await fileSystem.remove(CALL, await fileSystem.root(), Buffer.from('file 0'));
    expect(lines).toEqual(['fails: EIO', 'over']);
  });

  it('tries at once for a COMMIT, and tells it within a second, however long it has failed', async () => {
    const { fileSystem, segments, nodes, pass } = await failingVolume(1);
    await pass(60_000);
    const commit = Promise.resolve(fileSystem.commit(CALL, nodes[0]!));
    const refused = expect(commit).rejects.toMatchObject({ code: 'EIO' });
    const before = segments.attempts;
    await pass(1000);
    await refused;
    expect(segments.attempts - before).toBeGreaterThanOrEqual(3);
    segments.code = null;
    const again = Promise.resolve(fileSystem.commit(CALL, nodes[0]!));
    await pass(200);
    await again;
  });

  it('lets a WRITE through that waits for room soon after its recovery', async () => {
    const { fileSystem, segments, nodes, pass } = await failingVolume(1, MIB);
    await fileSystem.write(CALL, nodes[0]!, MIB, Buffer.alloc(MIB / 2 + 300_000, 2), false);
    let isDone = false;
    const write = fileSystem.write(CALL, nodes[0]!, 0, Buffer.alloc(MIB / 2, 3), false);
    void Promise.resolve(write).then(() => {
      isDone = true;
    });
    await pass(60_000);
    expect(isDone).toBe(false);
    expect(segments.attempts).toBeLessThan(30);
    segments.code = null;
    await pass(5300);
    expect(isDone).toBe(true);
  });
});
